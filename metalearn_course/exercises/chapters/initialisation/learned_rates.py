"""Trainings: learned rates, and a head that is all that adapts."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import glyphs, sinusoids
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_CLASSES, FOR_VALUES, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION
from metalearn_course.exercises.engine.wrong_learners import never_reset, one_for_all, untrained


def _draw(rng):
    new, query_y = sinusoids(rng, shots=10)
    return (new,), query_y


one_step_exercise = Training(
    "One step, as good as it can be",
    """
    A new sinusoid may take *one* inner step. MAML with a common rate of 0.01 and a thousand outer steps does not get
    below a mean squared error of 0.7 with it. Train a learner that does: learn the rates too, one for each weight
    (Meta-SGD), or find another way to make one step count. Return the predictions for the queries of `new`.
    """,
    draw=_draw,
    bar=0.7,
    probes=FOR_VALUES,
    hints=(
        "`ml.MAML(network, inner_lr=..., inner_steps=1, learn_inner_lr=True)`. The rates begin at `inner_lr`.",
        "Begin at 0.02, train with Adam at 0.003 for 1,500 outer steps; a smaller meta-batch is faster.",
    ),
)


@one_step_exercise.reference(
    "One rate for each weight is a step in a direction of its own: the outer loop learned which weights are to move. "
    "The strength of a step is part of what can be learned."
)
def one_step(new, seed):
    """Predictions [T, Q, 1] for the queries of `new`, after one inner step from what was trained with this seed."""
    import keras

    keras.utils.set_random_seed(seed)
    learner = ml.MAML(ml.networks.mlp(), inner_lr=0.02, inner_steps=1, learn_inner_lr=True)
    rate = keras.optimizers.schedules.CosineDecay(0.003, 1500)
    learner.compile(keras.optimizers.Adam(rate), loss="mse", steps_per_execution=50)
    tasks = ml.tasks.sinusoids(shots=10, queries=10, meta_batch_size=25, seed=seed)
    learner.fit(tasks, steps_per_epoch=1500, verbose=0)
    return learner.predict(new, verbose=0)


@one_step_exercise.also_right
def with_a_wider_network(tasks, number):
    keras.utils.set_random_seed(number)
    learner = ml.MAML(ml.networks.mlp(hidden=(80, 80)), inner_lr=0.03, learn_inner_lr=True)
    rate = keras.optimizers.schedules.CosineDecay(0.003, 1200)
    learner.compile(keras.optimizers.Adam(rate), loss="mse", steps_per_execution=50)
    learner.fit(ml.tasks.sinusoids(10, 15, 25, number), steps_per_epoch=1200, verbose=0)
    return learner.predict(tasks, verbose=0)


@one_step_exercise.mistake(
    "It adapts, and one step of a common rate brings it no farther: that is about MAML's error. Did the rates learn, "
    "and long enough?",
    shows=lambda case, got: 0.8 < one_step_exercise.score_of(case, got).mean < 2.5,
)
def common_rate(new, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.MAML(ml.networks.mlp(), inner_lr=0.01)
    learner.compile("adam", loss="mse", steps_per_execution=50)
    learner.fit(ml.tasks.sinusoids(seed=seed), steps_per_epoch=800, verbose=0)
    return learner.predict(new, verbose=0)


@one_step_exercise.mistake(
    "It is no better than the mean curve of all tasks: was it trained before `predict`?",
    shows=lambda case, got: one_step_exercise.score_of(case, got).mean >= 2.5,
)
def rates_untrained(new, seed):
    return untrained(new, seed, lambda: ml.MAML(ml.networks.mlp(), inner_lr=0.02, learn_inner_lr=True))


@one_step_exercise.mutant(SUPPORT_UNUSED)
def rates_of_zero(new, seed):
    return one_for_all(new, seed, ml.networks.mlp, ml.tasks.sinusoids(seed=seed), steps=100)


@one_step_exercise.mutant(SURVIVING)
def one_step_after_the_other(new, seed):
    return never_reset(new, seed, ml.networks.mlp, rate=0.02, steps=1)


def _draw_glyphs(rng):
    new, query_y = glyphs(rng, ways=5, shots=1, queries=3, tasks=60)
    return (new,), query_y


head_only_exercise = Training(
    "Only the head adapts",
    """
    Raghu et al. (2020) found that MAML on images needs to adapt its last layer only. Try it: train on glyphs, 14 x 14
    pixels, five classes, one example of each, with `adapted="head"`, and return class scores for the queries of `new`.
    Training classes come from `ml.images.glyph_splits(drawers=10, size=14)[0]`, tasks from `ml.tasks.episodes`. Wanted:
    an accuracy above 54 %. (The nearest example in pixels has about 38 %.)
    """,
    draw=_draw_glyphs,
    bar=0.54,
    probes=FOR_CLASSES,
    hints=(
        'A network from images to 5 logits: `keras.layers.Flatten()`, `Dense(128, "relu")`, `Dense(64, "relu")`, '
        "`Dense(5)`. Fully connected ones train fast enough here.",
        '`ml.MAML(network, inner_lr=0.5, inner_steps=3, adapted="head")`, the cross-entropy of logits, Adam at '
        "0.001, meta-batches of 16 tasks, 600 outer steps.",
    ),
)


def _dense_network():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Flatten(),
            layers.Dense(128, "relu"),
            layers.Dense(64, "relu"),
            layers.Dense(5),
        ]
    )


@head_only_exercise.reference(
    "The features were learned for all tasks, the head for each. What the inner loop has to move is what differs "
    "between tasks: the names of five classes."
)
def head_only(new, seed):
    """Class scores [T, Q, 5] for the queries of `new`, by a MAML that adapts its head, trained with this seed."""
    import keras

    keras.utils.set_random_seed(seed)
    training = ml.images.glyph_splits(drawers=10, size=14)[0]
    tasks = ml.tasks.episodes(training, ways=5, shots=1, queries=5, meta_batch_size=16, seed=seed)
    layers = keras.layers
    parts = [keras.Input((14, 14, 1)), layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(64, "relu")]
    learner = ml.MAML(keras.Sequential([*parts, layers.Dense(5)]), inner_lr=0.5, inner_steps=3, adapted="head")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(0.001), loss, steps_per_execution=50)
    learner.fit(tasks, steps_per_epoch=600, verbose=0)
    return learner.predict(new, verbose=0)


def _on_glyphs(learner, seed, steps):
    training = ml.images.glyph_splits(drawers=10, size=14)[0]
    tasks = ml.tasks.episodes(training, 5, 1, 5, 16, seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(0.001), loss, steps_per_execution=50)
    learner.fit(tasks, steps_per_epoch=steps, verbose=0)


@head_only_exercise.also_right
def all_layers_adapt(tasks, number):
    keras.utils.set_random_seed(number)
    learner = ml.MAML(_dense_network(), inner_lr=0.2, inner_steps=3)
    _on_glyphs(learner, number, 800)
    return learner.predict(tasks, verbose=0)


@head_only_exercise.mistake(
    "It is hardly better than the nearest example in pixels, or worse: are the features trained, and on the glyphs of "
    "the training scripts?",
    shows=lambda case, got: head_only_exercise.score_of(case, got).mean < 0.45,
)
def random_features(new, seed):
    def make():
        return ml.MAML(_dense_network(), inner_lr=0.5, inner_steps=3, adapted="head")

    return untrained(new, seed, make, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


@head_only_exercise.mutant(SUPPORT_UNUSED)
def no_step_at_all(new, seed):
    keras.utils.set_random_seed(seed)
    network = _dense_network()
    queries = new["query_x"]
    scores = network.predict(queries.reshape(-1, *queries.shape[2:]), verbose=0)
    return scores.reshape(*queries.shape[:2], 5)


@head_only_exercise.mutant(TRANSDUCTION)
def every_class_as_often(new, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.MAML(_dense_network(), inner_lr=0.5, inner_steps=3, adapted="head")
    _on_glyphs(learner, seed, 100)
    scores = learner.predict(new, verbose=0)
    return scores - scores.mean(axis=1, keepdims=True)
