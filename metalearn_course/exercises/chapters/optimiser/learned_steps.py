"""Trainings: rates that are learned for ten steps, and an update that is a network."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION

SCALES = np.array([3.0, 1.0, 0.3])


def _uneven(rng, tasks, queries=10):
    x = rng.normal(size=(tasks, 20 + queries, 3)) * SCALES
    w = rng.normal(size=(tasks, 3, 1)) / SCALES[:, None]
    y = x @ w
    new = {"support_x": x[:, :20], "support_y": y[:, :20], "query_x": x[:, 20:]}
    return {key: array.astype("float32") for key, array in new.items()}, y[:, 20:].astype("float32")


def _draw(rng):
    new, query_y = _uneven(rng, 200)
    return (new, *_uneven(rng, 1000)), query_y


def _model():
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((3,)), dense])


learned_rates_exercise = Training(
    "A rate for each weight, by training",
    """
    A linear model with three weights, whose inputs have the scales 3, 1 and 0.3: a rate that is small enough for the
    first is far too small for the last. Learn a rate for each weight such that *five* steps from the learned start go
    as far as possible: MAML with `learn_inner_lr=True` on the tasks `training` with their targets `training_y`. Predict
    the queries of `new`. Wanted: a mean squared error below 0.1. The best common rate leaves about 1.2.
    """,
    draw=_draw,
    bar=0.1,
    probes=FOR_VALUES,
    hints=(
        "The network: `keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])`. Begin with an "
        "`inner_lr` at which nothing diverges: below 2/λ with λ = 2 · 9.",
        "Adam with 0.03, 1,000 steps of 50 tasks; clip the gradient, `clipnorm=1.0`. "
        "`tf.data.Dataset.from_tensor_slices((training, training_y)).repeat().batch(50)`.",
    ),
)


@learned_rates_exercise.reference(
    "The outer loop found the curvatures of the three directions by itself: rates near 1/λ, about a hundred times "
    "apart. Chapter 11 measures what a learned *update* can add to that."
)
def learned_rates(new, training, training_y, seed):
    """Predictions [T, Q, 1] for the queries of `new`, after five steps with learned rates."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    network = keras.Sequential([keras.Input((3,)), dense])
    learner = ml.MAML(network, inner_lr=0.05, inner_steps=5, learn_inner_lr=True)
    rate = keras.optimizers.schedules.CosineDecay(0.03, 1500)
    learner.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss="mse", steps_per_execution=50)
    stream = tf.data.Dataset.from_tensor_slices((training, training_y)).shuffle(1000, seed).repeat().batch(50)
    learner.fit(stream, steps_per_epoch=1500, verbose=0)
    return learner.predict(new, verbose=0)


@learned_rates_exercise.also_right
def by_the_curvatures(tasks, others, targets, number):
    """Rates 0.9/λ, measured on the support sets of the training tasks."""
    rates = 0.6 / (2 * (others["support_x"].astype(float) ** 2).mean(axis=(0, 1)))
    x, y = (tasks[key].astype(float) for key in ("support_x", "support_y"))
    weights = np.zeros((len(x), 3, 1))
    for _ in range(5):
        weights = weights - rates[:, None] * 2 * x.transpose(0, 2, 1) @ (x @ weights - y) / x.shape[1]
    return tasks["query_x"] @ weights


def _maml(new, training, training_y, seed, steps, **options):
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    learner = ml.MAML(_model(), inner_steps=5, **options)
    learner.compile(keras.optimizers.Adam(0.03, clipnorm=1.0), loss="mse", steps_per_execution=50)
    stream = tf.data.Dataset.from_tensor_slices((training, training_y)).shuffle(1000, seed).repeat().batch(50)
    if steps:
        learner.fit(stream, steps_per_epoch=steps, verbose=0)
    return learner.predict(new, verbose=0)


@learned_rates_exercise.mistake(
    "That is about the error of the best *common* rate: the flat direction has not moved. Are the rates learned, one "
    "for each weight?",
    shows=lambda case, got: 0.6 < learned_rates_exercise.score_of(case, got).mean < 3.0,
)
def common_rate(new, training, training_y, seed):
    return _maml(new, training, training_y, seed, 100, inner_lr=0.05)


@learned_rates_exercise.mistake(
    "It diverges: in the direction with the scale 3 every step overshoots. A step of α shrinks the distance only below "
    "α = 2/λ, and λ is twice the mean square of that input.",
    shows=lambda case, got: learned_rates_exercise.score_of(case, got).mean > 5.0,
)
def too_large_a_rate(new, training, training_y, seed):
    return _maml(new, training, training_y, seed, 0, inner_lr=0.3)


@learned_rates_exercise.mutant(SUPPORT_UNUSED)
def no_steps(new, training, training_y, seed):
    weights = np.linalg.lstsq(training["query_x"].reshape(-1, 3), training_y.ravel(), rcond=None)[0]
    return (new["query_x"] @ weights)[..., None]


@learned_rates_exercise.mutant(SURVIVING)
def goes_on_from_the_task_before(new, training, training_y, seed):
    x, y = new["support_x"], new["support_y"]
    weights, found = np.zeros((3, 1)), []
    for own_x, own_y, query_x in zip(x, y, new["query_x"], strict=True):
        for _ in range(5):
            weights = weights - 0.05 * 2 * own_x.T @ (own_x @ weights - own_y) / len(own_x)
        found.append(query_x @ weights)
    return np.array(found)


def _draw_wider(rng):
    """Other families of the same form: the inputs' scales differ from task to task."""
    scales = np.exp(rng.uniform(np.log(0.3), np.log(2.0), (200, 1, 3)))
    x = rng.normal(size=(200, 30, 3)) * scales
    w = rng.normal(size=(200, 3, 1)) / scales.transpose(0, 2, 1)
    y = x @ w
    new = {"support_x": x[:, :20], "support_y": y[:, :20], "query_x": x[:, 20:]}
    return ({key: array.astype("float32") for key, array in new.items()},), y[:, 20:].astype("float32")


own_update_exercise = Training(
    "An update that looks at the gradient",
    """
    Now the scales of the three inputs differ from task to task, between 0.3 and 2, so that no fixed set of rates serves
    all. Ten steps on twenty examples, from zero. Find an update that does better than gradient descent: an update that
    is trained (`ml.LearnedOptimizer`), Adam with a good rate, momentum, or one that measures the curvature in the
    support set. Predict the queries of `new`. Wanted: a mean squared error below 0.35. Gradient descent with its best
    rate has about 0.5. Draw training tasks yourself, if you train: `x` normal times a scale, `y = x @ w`, w over the
    scale.
    """,
    draw=_draw_wider,
    bar=0.35,
    probes=FOR_VALUES,
    hints=(
        "Cheapest: the diagonal of the Hessian is 2 · the mean square of each input in the support set. A rate of "
        "0.7/λ for each weight, ten steps.",
        "Trained: `ml.LearnedOptimizer(network, inner_lr=0.3, inner_steps=10, units=10)` around a linear model, Adam "
        "with 0.03 and `clipnorm=1.0`, 1,000 steps, on a stream of `ml.tasks.task_stream` or of your own arrays.",
    ),
)


@own_update_exercise.reference(
    "What helps is information about the task's own curvature: measured, or read off the gradients of the first steps, "
    "as Adam and a learned update do. Chapter 11 compares them with equal budgets."
)
def own_update(new, seed):
    """Predictions [T, Q, 1] for the queries of `new`, after ten steps of an update of your own."""
    x, y = (new[key].astype(float) for key in ("support_x", "support_y"))
    weights = np.zeros((len(x), 3, 1))
    curvature = 2 * (x**2).mean(axis=1)[..., None]
    for _ in range(10):
        gradient = 2 * x.transpose(0, 2, 1) @ (x @ weights - y) / x.shape[1]
        weights = weights - 0.7 / curvature * gradient
    return new["query_x"] @ weights


@own_update_exercise.also_right
def trained_update(tasks, number):
    import tensorflow as tf

    rng = np.random.default_rng(number)
    scales = np.exp(rng.uniform(np.log(0.3), np.log(2.0), (2000, 1, 3)))
    x = rng.normal(size=(2000, 30, 3)) * scales
    y = x @ (rng.normal(size=(2000, 3, 1)) / scales.transpose(0, 2, 1))
    data = ml.tasks.support_and_queries(x.astype("float32"), y.astype("float32"), 20)
    keras.utils.set_random_seed(number)
    learner = ml.LearnedOptimizer(_model(), inner_lr=0.3, inner_steps=10, units=10)
    rate = keras.optimizers.schedules.CosineDecay(0.03, 800)
    learner.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss="mse", steps_per_execution=50)
    stream = tf.data.Dataset.from_tensor_slices(data).shuffle(2000, number).repeat().batch(50)
    learner.fit(stream, steps_per_epoch=800, verbose=0)
    return learner.predict(tasks, verbose=0)


@own_update_exercise.also_right
def conjugate_gradients(tasks, number):
    found = []
    for x, y, query_x in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"], strict=True):
        hessian, w = x.T @ x, np.zeros((3, 1))
        residual = direction = x.T @ y
        for _ in range(3):
            length = (residual * residual).sum() / (direction * (hessian @ direction)).sum()
            w, new = w + length * direction, residual - length * hessian @ direction
            direction = new + (new * new).sum() / (residual * residual).sum() * direction
            residual = new
        found.append(query_x @ w)
    return np.array(found)


def _descent(new, rate, steps):
    x, y = (new[key].astype(float) for key in ("support_x", "support_y"))
    weights = np.zeros((len(x), 3, 1))
    for _ in range(steps):
        weights = weights - rate * 2 * x.transpose(0, 2, 1) @ (x @ weights - y) / x.shape[1]
    return new["query_x"] @ weights


@own_update_exercise.mistake(
    "That is about what gradient descent does in ten steps with one rate for all: steep tasks forbid what flat "
    "directions need.",
    shows=lambda case, got: 0.4 < own_update_exercise.score_of(case, got).mean < 2.9,
)
def one_rate(new, seed):
    return _descent(new, 0.1, 10)


@own_update_exercise.mistake(
    "On some tasks it diverges: the rate is above 2/λ of their steepest direction.",
    shows=lambda case, got: own_update_exercise.score_of(case, got).mean > 10.0,
)
def diverges(new, seed):
    return _descent(new, 0.5, 10)


@own_update_exercise.mutant(SUPPORT_UNUSED)
def stays_at_zero(new, seed):
    return np.zeros_like(new["query_x"][..., :1])


@own_update_exercise.mutant(TRANSDUCTION)
def curvature_of_the_queries(new, seed):
    x, y, query = (new[key].astype(float) for key in ("support_x", "support_y", "query_x"))
    weights, curvature = np.zeros((len(x), 3, 1)), 2 * (query**2).mean(axis=1)[..., None]
    for _ in range(2):
        weights = weights - 0.5 / curvature * 2 * x.transpose(0, 2, 1) @ (x @ weights - y) / x.shape[1]
    return query @ weights
