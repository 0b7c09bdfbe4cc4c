"""Trainings: a prototypical loss of one's own, and a temperature that is set on validation tasks."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import glyphs
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.measures import log_likelihood_of_classes
from metalearn_course.exercises.engine.probes import FOR_CLASSES, LABELS_UNUSED, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION
from metalearn_course.exercises.engine.wrong_learners import untrained

WAYS = 5


def _draw(rng):
    new, query_y = glyphs(rng, WAYS, shots=1, queries=3, tasks=60)
    return (new,), query_y


own_prototypes_exercise = Training(
    "A prototypical loss of your own",
    """
    Train an embedding of glyphs (14 x 14 pixels) with the loss of prototypical networks, written by yourself: in each
    task the mean of the support embeddings of each class, the negative squared distances of the queries to them as
    logits, their cross-entropy. Classes are those of `ml.images.glyph_splits(drawers=10, size=14)[0]`, tasks from
    `ml.tasks.episodes(...)` with as many ways as you like. Return class scores for the queries of `new`: five classes
    of scripts that nobody has trained on, one example of each. Wanted: an accuracy above 65 %. (The nearest example in
    pixels has about 38 %.)
    """,
    draw=_draw,
    bar=0.65,
    probes=FOR_CLASSES,
    hints=(
        "`support` [T, S, D] and `tf.one_hot(labels, ways)` [T, S, ways]: the sums of each class are "
        "`tf.einsum('tsd,tsw->twd', support, one_hot)`, divided by how often a label occurs.",
        "A step is a `tf.GradientTape` around all that, in a `tf.function`, and `optimizer.apply_gradients`; 400 steps "
        "of 8 tasks with 10 ways and Adam at 0.002 will do. A convolution is not needed.",
    ),
)


@own_prototypes_exercise.reference(
    "Nothing is adapted for a new task but five means. All that was learned is the space in which a mean makes sense."
)
def own_prototypes(new, seed):
    """Class scores [T, Q, 5] for the queries of `new`, by an embedding that is trained here with the seed."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    embed = keras.Sequential([keras.Input((14, 14, 1)), layers.Flatten(), layers.Dense(256, "relu"), layers.Dense(64)])

    def scores(task, ways):
        support, query = (
            tf.stack([embed(images) for images in tf.unstack(task[key])]) for key in ("support_x", "query_x")
        )
        one_hot = tf.one_hot(task["support_y"], ways)
        sums = tf.einsum("tsd,tsw->twd", support, one_hot)
        centres = sums / tf.reduce_sum(one_hot, axis=1)[:, :, None]
        return -tf.reduce_sum((query[:, :, None] - centres[:, None]) ** 2, axis=-1)

    adam = keras.optimizers.Adam(0.002)

    @tf.function(jit_compile=True)
    def step(task, query_y):
        with tf.GradientTape() as tape:
            logits = scores(task, 10)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(query_y, logits))
        adam.apply(tape.gradient(loss, embed.trainable_variables), embed.trainable_variables)

    training = ml.images.glyph_splits(drawers=10, size=14)[0]
    for task, query_y in ml.tasks.episodes(training, 10, 1, 3, 8, seed).take(400):
        step(task, query_y)
    return scores({key: tf.constant(array) for key, array in new.items()}, 5)


@own_prototypes_exercise.also_right
def with_the_librarys(tasks, number):
    keras.utils.set_random_seed(number)
    learner = ml.PrototypicalNetwork(_embedding())
    _train(learner, number, 500)
    return learner.predict(tasks, verbose=0)


def _embedding():
    layers = keras.layers
    return keras.Sequential([keras.Input((14, 14, 1)), layers.Flatten(), layers.Dense(256, "relu"), layers.Dense(64)])


def _train(learner, seed, steps):
    training = ml.images.glyph_splits(drawers=10, size=14)[0]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(0.002), loss, steps_per_execution=50)
    learner.fit(ml.tasks.episodes(training, 10, 1, 3, 8, seed), steps_per_epoch=steps, verbose=0)


@own_prototypes_exercise.mistake(
    "It is no better than the nearest example in pixels: the embedding has learned nothing, or not for long.",
    shows=lambda case, got: own_prototypes_exercise.score_of(case, got).mean < 0.55,
)
def random_embedding(new, seed):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return untrained(new, seed, lambda: ml.PrototypicalNetwork(_embedding()), loss)


def _distances(embed, new, grouped):
    support, query = (
        embed.predict(new[key].reshape(-1, 14, 14, 1), verbose=0).reshape(*new[key].shape[:2], -1)
        for key in ("support_x", "query_x")
    )
    return -((query[:, :, None] - grouped(support, new["support_y"])[:, None]) ** 2).sum(-1)


@own_prototypes_exercise.mutant(LABELS_UNUSED)
def classes_by_place(new, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.PrototypicalNetwork(_embedding())
    _train(learner, seed, 300)
    return _distances(learner.model, new, lambda support, labels: support)


@own_prototypes_exercise.mutant(TRANSDUCTION)
def normalised_with_the_queries(new, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.PrototypicalNetwork(_embedding())
    _train(learner, seed, 300)
    scores = learner.predict(new, verbose=0)
    return scores - scores.mean(axis=1, keepdims=True)


@own_prototypes_exercise.mutant(SURVIVING)
def centres_of_the_task_before(new, seed):
    keras.utils.set_random_seed(seed)
    embed = _embedding()

    def grouped(support, labels):
        own = np.take_along_axis(support, labels.argsort(axis=1)[..., None], axis=1)
        return 0.5 * own + 0.5 * np.roll(own, 1, axis=0)

    return _distances(embed, new, grouped)


@own_prototypes_exercise.mutant(SUPPORT_UNUSED)
def centres_from_training(new, seed):
    keras.utils.set_random_seed(seed)
    embed, rng = _embedding(), np.random.default_rng(seed)
    centres = rng.normal(size=(1, 5, 64))
    return _distances(embed, new, lambda support, labels: np.repeat(centres, len(support), axis=0))


def _embedded(rng, tasks):
    """Embeddings of five classes, without any network: directions with noise, of a length of their own."""
    centres = rng.normal(size=(tasks, WAYS, 1, 16))
    x = centres + 1.3 * rng.normal(size=(tasks, WAYS, 1 + 4, 16))
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    labels = np.tile(np.repeat(np.arange(WAYS), 4), (tasks, 1))
    return x[:, :, 0], x[:, :, 1:].reshape(tasks, -1, 16), labels


def _draw_embedded(rng):
    support, query, labels = _embedded(rng, 200)
    return (*_embedded(rng, 200), support, query), labels


set_temperature_exercise = Training(
    "A temperature that somebody set",
    r"""
    Embeddings of length 1: `support` [T, 5, 16], one example of each class in order, `query` [T, 20, 16] with the
    classes `labels` [T, 20], from *validation* tasks. Log-probabilities of the classes are the log-softmax over classes
    of $s$ times the cosine (here the scalar product). Choose the scale s on the validation tasks by the mean
    log-likelihood, and return the log-probabilities [N, 20, 5] for `new_support` and `new_query`. Wanted: a mean
    log-likelihood above −1.12. The accuracy is the same for every s.
    """,
    draw=_draw_embedded,
    bar=-1.12,
    trained=False,
    measure=log_likelihood_of_classes,
    hints=(
        "Cosines are `query @ support.transpose(0, 2, 1)`. A log-softmax: subtract `np.logaddexp.reduce(z, axis=-1, "
        "keepdims=True)`.",
        "Try s over powers: `np.geomspace(0.5, 30, 40)`, and keep the one with the largest mean log-probability of the "
        "right classes.",
    ),
)


@set_temperature_exercise.reference(
    "A scale that nobody set decides how sure a metric is, and with a loss on top, how it learns (chapters 8 and 13). "
    "It is one number; other tasks tell it."
)
def set_temperature(support, query, labels, new_support, new_query):
    """Log-probabilities [N, 20, 5] of the classes for the new queries."""

    def log_probabilities(support, query, scale):
        logits = scale * query @ support.transpose(0, 2, 1)
        return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)

    def likelihood(scale):
        right = np.take_along_axis(log_probabilities(support, query, scale), labels[..., None], axis=-1)
        return right.mean()

    best = max(np.geomspace(0.5, 30, 40), key=likelihood)
    return log_probabilities(new_support, new_query, best)


@set_temperature_exercise.also_right
def by_scipy(shown, asked, classes, other_shown, other_asked):
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    def surprise(log_scale):
        logs = log_softmax(np.exp(log_scale) * np.einsum("tqd,tcd->tqc", asked, shown), axis=-1)
        return -np.mean([row[range(20), own] for row, own in zip(logs, classes, strict=True)])

    scale = np.exp(minimize(surprise, [1.0], method="Nelder-Mead").x[0])
    return log_softmax(scale * np.einsum("tqd,tcd->tqc", other_asked, other_shown), axis=-1)


def _scaled(scale, support, query):
    logits = scale * query @ support.transpose(0, 2, 1)
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def _of_scale(low, high):
    def shows(case, got):
        spread = (got.max(-1) - got.min(-1)).mean()
        cosines = case[4] @ case[3].transpose(0, 2, 1)
        return low <= spread / (cosines.max(-1) - cosines.min(-1)).mean() <= high

    return shows


@set_temperature_exercise.mistake(
    "The scale is 1, as in plain cosines: they lie between −1 and 1, and a softmax of them is hardly ever sure.",
    shows=_of_scale(0.99, 1.01),
)
def scale_of_one(support, query, labels, new_support, new_query):
    return _scaled(1.0, new_support, new_query)


@set_temperature_exercise.mistake(
    "The scale is the largest that was tried, or far too large: the accuracy is as good, but what is wrong is wrong "
    "with conviction. Choose by the log-likelihood: the accuracy does not depend on s.",
    shows=_of_scale(9.0, np.inf),
)
def by_accuracy(support, query, labels, new_support, new_query):
    return _scaled(30.0, new_support, new_query)


@set_temperature_exercise.mistake(
    "Division where multiplication is meant: with the scale as a *temperature*, log-probabilities get flatter as it "
    "grows.",
    shows=_of_scale(0.0, 0.5),
)
def divided(support, query, labels, new_support, new_query):
    return _scaled(1 / 4.0, new_support, new_query)
