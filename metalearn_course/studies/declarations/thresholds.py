"""Chapter 10: steps at an unknown threshold, for a normal distribution and for a Bernoulli distribution."""

import keras
import numpy as np
import tensorflow as tf
from scipy.stats import norm

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

STEPS, TASKS, LABELS, KNOWN = 4_000, 300, 7, (1, 3, 5)


def steps(shots=10, queries=20, seed=0):
    """Tasks y = sign(x − t), with x and t uniform in [−1, 1]."""

    def draw(seed, tasks):
        place, examples = (tf.random.fold_in(seed, i) for i in range(2))
        t = tf.random.stateless_uniform([tasks, 1, 1], place, -1.0, 1.0)  # pyright: ignore[reportArgumentType]
        x = tf.random.stateless_uniform([tasks, shots + queries, 1], examples, -1.0, 1.0)  # pyright: ignore[reportArgumentType]
        return ml.tasks.support_and_queries(x, tf.sign(x - t), shots)

    return ml.tasks.task_stream(draw, 16, seed, block=32)


def some_known(task, query_y):
    """The same with one to ten known points, and targets 0 or 1 for the loss."""
    n = tf.random.uniform([], 1, 11, tf.int32)
    return {**task, "support_x": task["support_x"][:, :n], "support_y": task["support_y"][:, :n]}, (query_y + 1) / 2


class BernoulliProcess(keras.Model):
    """A conditional neural process that gives the logit of y = +1."""

    def __init__(self):
        super().__init__()
        hidden = [keras.layers.Dense(64, "relu") for _ in range(4)]
        self.encoder = keras.Sequential([*hidden[:2], keras.layers.Dense(64)])
        self.decoder = keras.Sequential([*hidden[2:], keras.layers.Dense(1)])

    def call(self, task):
        pairs = tf.concat([task["support_x"], task["support_y"]], axis=-1)
        r = tf.reduce_mean(self.encoder(pairs), axis=1, keepdims=True)
        x = task["query_x"]
        return self.decoder(tf.concat([x, tf.repeat(r, tf.shape(x)[1], axis=1)], axis=-1))


def bernoulli(seed, rate):
    """P(y = +1), trained by the cross-entropy."""
    model = BernoulliProcess()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    schedule = keras.optimizers.schedules.CosineDecay(rate, STEPS)
    model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=100)  # pyright: ignore[reportArgumentType]
    tf.random.set_seed(seed)
    model.fit(steps(seed=1_000 + seed).map(some_known), steps_per_epoch=STEPS, verbose=0)  # pyright: ignore[reportArgumentType]
    return lambda task: tf.sigmoid(model(task)).numpy()


def normal(seed, rate):
    """P(y > 0) of a normal distribution for y, trained by its log-likelihood."""
    learner = ml.NeuralProcess(ml.networks.mlp(1, 32, (32,)), width=64)
    schedule = keras.optimizers.schedules.CosineDecay(rate, STEPS)
    learner.compile(keras.optimizers.Adam(schedule), steps_per_execution=100)  # pyright: ignore[reportArgumentType]
    learner.fit(steps(seed=1_000 + seed), steps_per_epoch=STEPS, verbose=0)

    def predict(task):
        mean, deviation = learner.predict_distribution(task)
        return norm.cdf(mean / deviation)

    return predict


def ends(task):
    """The largest known x with −1 and the smallest with +1: the threshold lies between them."""
    left = np.where(task["support_y"] < 0, task["support_x"], -1).max(axis=(1, 2))
    right = np.where(task["support_y"] > 0, task["support_x"], 1).min(axis=(1, 2))
    return left[:, None, None], right[:, None, None]


def exact(seed):
    """The threshold is uniform between the two ends."""

    def predict(task):
        left, right = ends(task)
        return np.clip((task["query_x"] - left) / (right - left), 0, 1)

    return predict


def chance(seed):
    """Asks at random."""
    rng = np.random.default_rng(seed)
    return lambda task: rng.uniform(size=task["query_x"].shape)


def first(count, task):
    """The tasks with their first known points only."""
    return {**task, **{name: task[name][:, :count] for name in ("support_x", "support_y")}}


def likelihood(predict, seed):
    """The log-likelihood of the labels, for each number of known points."""
    task, query_y = ml.tasks.gather_tasks(steps(queries=50, seed=seed), TASKS)
    found = {}
    for n in KNOWN:
        p = np.clip(np.asarray(predict(first(n, task)), float), 1e-6, 1 - 1e-6)
        values = np.log(np.where(query_y > 0, p, 1 - p)).mean(axis=(1, 2))
        found[n] = ml.Score(values, "log-likelihood", fingerprint(query_y))
    return found


def gaps(predict):
    """The gap that is left after 1, 2, ... labels, each asked for where the label is most open."""
    task, query_y = ml.tasks.gather_tasks(steps(shots=1, queries=255, seed=1), TASKS)
    x = np.concatenate([task["support_x"], task["query_x"]], 1)
    y = np.concatenate([task["support_y"], query_y], 1)
    rows, chosen, found = np.arange(TASKS)[:, None], np.zeros((TASKS, 1), int), []
    for _ in range(LABELS):
        known = {"support_x": x[rows, chosen], "support_y": y[rows, chosen]}
        left, right = ends(known)
        found.append(ml.Score((right - left).ravel(), "gap", fingerprint(y)))
        wish = -np.abs(np.asarray(predict({**known, "query_x": x})).reshape(x.shape[:2]) - 0.5)
        wish[rows, chosen] = -np.inf
        chosen = np.concatenate([chosen, wish.argmax(axis=1)[:, None]], axis=1)
    return found


def validate(predict):
    """Minus the log-likelihood, on other tasks."""
    scores = likelihood(predict, 2).values()
    return ml.Score(-np.mean([s.values for s in scores], axis=0), "minus log-likelihood", "validation")


def measure(predict):
    """Log-likelihoods and gaps."""
    found = {f"log-likelihood, {n} known": score for n, score in likelihood(predict, 1).items()}
    return found | {f"gap after {k + 1} labels": score for k, score in enumerate(gaps(predict))}


STUDY = Study(
    name="thresholds",
    chapter="10",
    question="What does the right kind of distribution bring, where targets are labels?",
    budget="4,000 meta-batches of 16 tasks for each training",
    rivals={
        "at random": Rival(chance, untuned="no parameter", trained=False),
        "neural process, normal": Rival(normal, {"rate": [0.0003, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064]}),
        "neural process, Bernoulli": Rival(
            bernoulli, {"rate": [0.0003, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064]}
        ),
        "exact: bisection": Rival(exact, untuned="a formula", trained=False),
    },
    validate=validate,
    measure=measure,
)
