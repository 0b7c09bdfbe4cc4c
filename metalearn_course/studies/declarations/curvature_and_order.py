"""What leaving out the second order costs at each learner's own best rates; and which inner rate a start suits."""

import functools
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies.study import Rival, Study
from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.evaluation.score import fingerprint

OUTER_STEPS = 4_000
TASKS = 300
VALIDATION, TEST = 1_000, 1_001  # seeds of streams; trainings have streams 0..4 and 100
RATES = 10 ** np.linspace(-4, 0, 97)  # of one gradient step on new tasks
POWER_STEPS = 60


@dataclass
class Start:
    """Weights that a learner found, the rate and number of its inner steps, and whether one step is looked at."""

    weights: list
    rate: float
    steps: int
    valley: bool


@functools.cache
def gathered(seed):
    """Inputs and query targets of `TASKS` new tasks."""
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(queries=50, seed=seed), TASKS)
    return [tf.constant(task[name]) for name in ("support_x", "support_y", "query_x")], np.asarray(query_y)


def network(weights, x):
    """The MLP of `ml.networks.mlp` for tasks with weights of their own: weights [T, ...], x [T, examples, 1]."""
    for k in range(0, len(weights), 2):
        x = x @ weights[k] + weights[k + 1][:, None]
        x = tf.nn.relu(x) if k + 2 < len(weights) else x
    return x


def losses(weights, x, y):
    """The mean squared error of each task [T]."""
    return tf.reduce_mean((network(weights, x) - y) ** 2, axis=[1, 2])


def gradients(weights, x, y):
    """The gradient of each task's loss by its own weights."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = tf.reduce_sum(losses(weights, x, y))
    return tape.gradient(loss, weights)


@tf.function(autograph=False)
def step(weights, x, y, rate):
    """One inner step of each task."""
    return [w - rate * g for w, g in zip(weights, gradients(weights, x, y), strict=True)]


@tf.function(autograph=False)
def hessian_times(weights, x, y, vector):
    """The Hessian of each task's loss times a vector of its own."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        slope = gradients(weights, x, y)
    return tape.gradient(slope, weights, vector)


def dot(a, b):
    """The scalar product of each task [T]."""
    return tf.add_n([tf.reduce_sum(p * q, axis=range(1, len(p.shape))) for p, q in zip(a, b, strict=True)])


def for_each_task(weights):
    """A copy of the weights for each task."""
    return [tf.repeat(tf.constant(w)[None], TASKS, axis=0) for w in weights]


def largest_curvature(weights, seed):
    """The largest eigenvalue of the Hessian of each task's support loss, by power iteration."""
    (x, y, _), query_y = gathered(seed)
    weights = for_each_task(weights)
    vector = gradients(weights, x, y)
    for _ in range(POWER_STEPS):
        length = tf.sqrt(dot(vector, vector))
        vector = [v / tf.reshape(length, [-1] + [1] * (len(v.shape) - 1)) for v in vector]
        image = hessian_times(weights, x, y, vector)
        value, vector = dot(vector, image), image
    return ml.Score(value.numpy().astype(float), "largest curvature of the support loss", fingerprint(query_y))  # pyright: ignore[reportPossiblyUnboundVariable]


def errors(start, rate, steps, seed):
    """Root mean squared error of each task's queries after gradient steps on its support set."""
    (x, y, query_x), query_y = gathered(seed)
    weights = for_each_task(start.weights)
    for _ in range(steps):
        weights = step(weights, x, y, tf.constant(rate, tf.float32))
    return np.sqrt(np.mean((network(weights, query_x).numpy().astype(float) - query_y) ** 2, axis=(1, 2)))


def error(start, rate, seed):
    """The score of a start on new tasks, with its own number of steps."""
    values = errors(start, rate, start.steps, seed)
    if not np.isfinite(values).all():
        raise DivergedError("predictions are no numbers")
    return ml.Score(values, "root mean squared error", fingerprint(gathered(seed)[1]))


def best_rate(start):
    """The rate of one step that is best on the validation tasks."""
    means = [np.nan_to_num(errors(start, rate, 1, VALIDATION).mean(), nan=np.inf) for rate in RATES]
    best = int(np.argmin(means))
    assert 0 < best < len(RATES) - 1
    return float(RATES[best])


def rises(start):
    """Of each task, whether the support loss rises at some inner step."""
    (x, y, _), query_y = gathered(TEST)
    weights = for_each_task(start.weights)
    path = [losses(weights, x, y)]
    for _ in range(start.steps):
        weights = step(weights, x, y, tf.constant(start.rate, tf.float32))
        path.append(losses(weights, x, y))
    risen = (np.diff(np.array(path), axis=0) > 0).any(axis=0)
    return ml.Score(risen.astype(float), "share of tasks", fingerprint(query_y))


def fit(learner, seed, outer_lr, outer_steps):
    """The weights that a learner finds."""
    learner.compile(keras.optimizers.Adam(outer_lr), loss="mse", steps_per_execution=100, jit_compile=False)
    learner.fit(ml.tasks.sinusoids(seed=seed), steps_per_epoch=outer_steps, verbose=0)
    return [w.numpy() for w in learner.initialization()]


def maml(steps, first_order, outer_steps=OUTER_STEPS):
    """MAML or FOMAML whose inner rate is tuned."""

    def train(seed, inner_lr, outer_lr):
        learner = ml.MAML(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=steps, first_order=first_order)
        return Start(fit(learner, seed, outer_lr, outer_steps), inner_lr, steps, valley=False)

    return train


def at_rate(inner_lr, steps, first_order):
    """MAML or FOMAML with this inner rate."""

    def train(seed, outer_lr):
        start = maml(steps, first_order)(seed, inner_lr, outer_lr)
        start.valley = steps == 1
        return start

    return train


def joint(seed, outer_lr):
    """Joint training, and the rate of one step that suits its start."""
    start = Start(fit(ml.JointTraining(ml.networks.mlp()), seed, outer_lr, OUTER_STEPS), 0.0, 1, valley=True)
    start.rate = best_rate(start)
    return start


def validate(start):
    """What a setting is chosen by."""
    return error(start, start.rate, VALIDATION)


def measure(start):
    """What is stored of a training."""
    scores = {"error": error(start, start.rate, TEST), "rises": rises(start)}
    if start.valley:
        scores["curvature"] = largest_curvature(start.weights, TEST)
        rate = np.full(TASKS, best_rate(start))  # one number of a training, the same for all tasks
        scores["best rate"] = ml.Score(rate, "best rate of one step", fingerprint(gathered(TEST)[1]))
    return scores


OUTER = {"outer_lr": [0.0003, 0.001, 0.003, 0.01, 0.03]}
BOTH = {
    "inner_lr": [0.00015, 0.0003, 0.0006, 0.00125, 0.0025, 0.005, 0.01, 0.02, 0.04],
    "outer_lr": [0.001, 0.003, 0.01, 0.03],
}
STUDY = Study(
    name="curvature_and_order",
    chapter="04",
    question="What does the first order lose, and does meta-training make a start that suits its inner rate?",
    budget="4,000 outer steps of 25 tasks each, twice as many where it says so",
    rivals={
        "MAML, 1 step": Rival(maml(1, False), BOTH),
        "FOMAML, 1 step": Rival(maml(1, True), BOTH),
        "FOMAML, 1 step, twice as long": Rival(maml(1, True, 2 * OUTER_STEPS), BOTH),
        "MAML, 3 steps": Rival(maml(3, False), BOTH),
        "FOMAML, 3 steps": Rival(maml(3, True), BOTH),
        "FOMAML, 3 steps, twice as long": Rival(maml(3, True, 2 * OUTER_STEPS), BOTH),
        "MAML, 3 steps, α = 0.01": Rival(at_rate(0.01, 3, False), OUTER),
        "FOMAML, 3 steps, α = 0.01": Rival(at_rate(0.01, 3, True), OUTER),
        "MAML, α = 0.003": Rival(at_rate(0.003, 1, False), OUTER),
        "MAML, α = 0.01": Rival(at_rate(0.01, 1, False), OUTER),
        "MAML, α = 0.03": Rival(at_rate(0.03, 1, False), OUTER),
        "FOMAML, α = 0.003": Rival(at_rate(0.003, 1, True), OUTER),
        "FOMAML, α = 0.01": Rival(at_rate(0.01, 1, True), OUTER),
        "FOMAML, α = 0.03": Rival(at_rate(0.03, 1, True), OUTER),
        "joint training": Rival(joint, OUTER),
    },
    validate=validate,
    measure=measure,
)
