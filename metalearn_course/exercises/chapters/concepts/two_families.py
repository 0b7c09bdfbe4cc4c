"""Two trainings: one whose training tasks can be learned by heart, and the rival that was pretrained."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import noisy_classes, sinusoids
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_CLASSES, FOR_VALUES, LABELS_UNUSED, SUPPORT_UNUSED, SURVIVING
from metalearn_course.exercises.engine.wrong_learners import never_reset, one_for_all


def _draw(rng):
    new, query_y = noisy_classes(rng, 100, 2, 5, shuffled=True)
    return (new, *noisy_classes(rng, 300, 2, 5, shuffled=False)), query_y


not_by_heart_exercise = Training(
    "Training tasks that can be learned by heart",
    """
    In the tasks of `training` the same three classes always have the same labels. A network that sees them can answer
    the queries `training_y` without looking at a support set; on `new`, where classes and names are others, it would be
    lost. Train a learner of your choice on `training` (3 classes, 8 features, 2 examples of each class), such that it
    reads a new task's support set. Return class scores for the queries of `new`. Wanted: an accuracy above 70 % (the
    nearest example has about 57 %, chance a third).
    """,
    draw=_draw,
    bar=0.7,
    probes=FOR_CLASSES,
    hints=(
        "Either give each training task's classes new names, drawn anew (in support and queries alike), or take a "
        "learner that knows no names: a prototypical network compares with class means.",
        "`tf.data.Dataset.from_tensor_slices((training, training_y)).repeat().batch(25)` is a stream; the loss of "
        "class scores is `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`.",
    ),
)


@not_by_heart_exercise.reference(
    "Where the names of classes never change, a network can learn the answer in place of how to find it (Yin et al. "
    "2020). Prototypes have no names to learn; for MAML new names in every task do the same."
)
def not_by_heart(new, training, training_y, seed):
    """Scores [T, Q, 3] of the classes of each query of `new`, after training on `training` with this seed."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    learner = ml.PrototypicalNetwork(ml.networks.mlp(8, 16, (32,)))
    learner.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=50,
    )
    stream = tf.data.Dataset.from_tensor_slices((training, training_y)).shuffle(300, seed).repeat().batch(25)
    learner.fit(stream, steps_per_epoch=300, verbose=0)
    return learner.predict(new, verbose=0)


def _maml(new, training, training_y, seed, renamed):
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    learner = ml.MAML(ml.networks.mlp(8, 3, (32,)), inner_lr=0.1, inner_steps=5)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(0.003), loss, steps_per_execution=50)
    stream = tf.data.Dataset.from_tensor_slices((training, training_y)).shuffle(300, seed).repeat()
    if renamed:

        def rename(task, query_y):
            names = tf.random.shuffle(tf.range(3))
            return {**task, "support_y": tf.gather(names, task["support_y"])}, tf.gather(names, query_y)

        stream = stream.map(rename)
    learner.fit(stream.batch(25), steps_per_epoch=400, verbose=0)
    return learner.predict(new, verbose=0)


@not_by_heart_exercise.also_right
def maml_with_new_names(tasks, old, old_y, number):
    return _maml(tasks, old, old_y, number, renamed=True)


@not_by_heart_exercise.mutant(LABELS_UNUSED)
def maml_by_heart(new, training, training_y, seed):
    return _maml(new, training, training_y, seed, renamed=False)


@not_by_heart_exercise.mutant(SUPPORT_UNUSED)
def one_classifier_for_all(new, training, training_y, seed):
    keras.utils.set_random_seed(seed)
    network = ml.networks.mlp(8, 3, (32,))
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(training["query_x"].reshape(-1, 8), training_y.ravel(), epochs=5, verbose=0)
    queries = new["query_x"]
    return network.predict(queries.reshape(-1, 8), verbose=0).reshape(*queries.shape[:2], 3)


@not_by_heart_exercise.mistake(
    "These are the answers of the nearest example, in all eight features. Six of them are noise, and only training "
    "tells which.",
    shows=lambda case, got: np.mean(got.argmax(-1) == _nearest(case[0]).argmax(-1)) > 0.999,
)
def nearest_example(new, training, training_y, seed):
    return _nearest(new)


def _nearest(task):
    apart = ((task["query_x"][:, :, None] - task["support_x"][:, None]) ** 2).sum(-1)
    return np.eye(3)[np.take_along_axis(task["support_y"], apart.argmin(-1), axis=1)]


def _draw_sinusoids(rng):
    new, query_y = sinusoids(rng)
    return (new, *sinusoids(rng, 100)), query_y


fine_tuned_exercise = Training(
    "The rival that was pretrained",
    """
    A reader asks: is meta-learning better than *fine-tuning a network that has seen all tasks*? Build that rival with
    care. Train `ml.JointTraining` on sinusoids (its inner steps come later, when it meets a new task), choose
    `inner_lr` and `inner_steps` on the tasks `validation` with their targets `validation_y`, and predict the queries of
    `new`. Wanted: a mean squared error below 1.5. With ten examples a task the mean curve has about 3.
    """,
    draw=_draw_sinusoids,
    bar=1.5,
    probes=FOR_VALUES,
    hints=(
        "`ml.tune(make, grid, (validation, validation_y), num_tasks=100)` tries every setting; `make(inner_lr=...)` "
        "gives a compiled `ml.JointTraining` around the trained network. It refuses a best value at the edge of its "
        "grid.",
        "Few large steps overshoot; hundreds of steps with a rate of 0.01 to 0.03 are fine: 100, 300, 1,000.",
    ),
)


@fine_tuned_exercise.reference(
    "Fine-tuning for hundreds of steps is a strong rival: what meta-learning saves is steps. A comparison at one step "
    "each would have hidden that."
)
def fine_tuned(new, validation, validation_y, seed):
    """Predictions [T, Q, 1] for `new`, by a jointly trained network that is fine-tuned as validation says."""
    import keras

    keras.utils.set_random_seed(seed)
    network = ml.networks.mlp(activation="tanh")
    pretrained = ml.JointTraining(network)
    pretrained.compile("adam", loss="mse", steps_per_execution=50)
    pretrained.fit(ml.tasks.sinusoids(seed=seed), steps_per_epoch=500, verbose=0)

    def make(inner_lr):
        learner = ml.JointTraining(network, inner_lr=inner_lr, inner_steps=1000)
        learner.compile(loss="mse")
        return learner

    grid = {"inner_lr": (0.003, 0.01, 0.03, 0.1)}
    tuned = ml.tune(make, grid, (validation, validation_y), num_tasks=len(validation_y))
    return tuned.learner.predict(new, verbose=0)


@fine_tuned_exercise.also_right
def with_a_fixed_choice(tasks, others, targets, number):
    keras.utils.set_random_seed(number)
    learner = ml.JointTraining(ml.networks.mlp(activation="tanh"), inner_lr=0.03, inner_steps=1000)
    learner.compile("adam", loss="mse", steps_per_execution=50)
    learner.fit(ml.tasks.sinusoids(seed=number), steps_per_epoch=300, verbose=0)
    return learner.predict(tasks, verbose=0)


@fine_tuned_exercise.mutant(SUPPORT_UNUSED)
def never_tuned(new, validation, validation_y, seed):
    return one_for_all(new, seed, ml.networks.mlp, ml.tasks.sinusoids(seed=seed), steps=300)


@fine_tuned_exercise.mistake(
    "The error is about that of a handful of steps. What can be gained on ten examples takes hundreds: was the number "
    "of steps chosen on the validation tasks, from a grid that goes far enough?",
    shows=lambda case, got: 1.5 < fine_tuned_exercise.score_of(case, got).mean < 3.5,
)
def ten_steps(new, validation, validation_y, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.JointTraining(ml.networks.mlp(), inner_lr=0.01, inner_steps=10)
    learner.compile("adam", loss="mse", steps_per_execution=50)
    learner.fit(ml.tasks.sinusoids(seed=seed), steps_per_epoch=300, verbose=0)
    return learner.predict(new, verbose=0)


@fine_tuned_exercise.mutant(SURVIVING)
def tuned_one_after_the_other(new, validation, validation_y, seed):
    return never_reset(new, seed, ml.networks.mlp, rate=0.01, steps=5)
