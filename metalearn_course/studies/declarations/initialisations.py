"""Learned starts on sinusoids: every learner with its own best rates, inner and outer, and what simple rivals reach."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies.study import Rival, Study
from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.evaluation.score import fingerprint

OUTER_STEPS, EARLY = 4_000, 1_000
TASKS = 300
VALIDATION, TEST = 1_000, 1_001  # seeds of streams; trainings have streams 0..4 and 100
FACTORS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4)  # of the rate, on new tasks
LAYERS = {"layer 1": (1, 0, 0), "layer 2": (0, 1, 0), "head": (0, 0, 1)}


@dataclass
class Start:
    """What a learner of a start has learned: weights and rates at the end, weights early, and its number of steps."""

    name: str
    weights: list
    rates: list
    early: tuple
    steps: int


@dataclass
class Scratch:
    """A network as it is initialised, which learns each task alone: Adam with a rate, for a number of steps."""

    weights: list
    rate: float
    steps: int


def gathered(seed):
    """Inputs and query targets of `TASKS` new tasks."""
    (task, query_y) = ml.tasks.gather_tasks(ml.tasks.sinusoids(queries=50, seed=seed), TASKS)
    return [tf.constant(task[name]) for name in ("support_x", "support_y", "query_x")], np.asarray(query_y)


def network(weights, x):
    """The MLP of `ml.networks.mlp` for tasks with weights of their own: weights [T, ...], x [T, examples, 1]."""
    for k in range(0, len(weights), 2):
        x = x @ weights[k] + weights[k + 1][:, None]
        x = tf.nn.relu(x) if k + 2 < len(weights) else x
    return x


@tf.function(autograph=False)
def gradients(weights, x, y):
    """The gradient of each task's loss by its own weights."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = tf.reduce_sum(tf.reduce_mean((network(weights, x) - y) ** 2, axis=[1, 2]))
    return tape.gradient(loss, weights)


@tf.function(autograph=False)
def adam_step(weights, first, second, x, y, rate, number):
    """One step of Adam for each task (Kingma and Ba 2015)."""
    g = gradients(weights, x, y)
    first = [0.9 * m + 0.1 * a for m, a in zip(first, g, strict=True)]
    second = [0.999 * v + 0.001 * a * a for v, a in zip(second, g, strict=True)]
    size = rate * tf.sqrt(1 - 0.999**number) / (1 - 0.9**number)
    moved = [w - size * m / (tf.sqrt(v) + 1e-7) for w, m, v in zip(weights, first, second, strict=True)]
    return moved, first, second


def for_each_task(weights):
    """A copy of the weights for each task."""
    return [tf.repeat(tf.constant(w)[None], TASKS, axis=0) for w in weights]


def errors(predictions, query_y):
    """Root mean squared error of each task."""
    return np.sqrt(np.mean((np.asarray(predictions, np.float64) - query_y) ** 2, axis=(1, 2)))


def score(values, query_y):
    """The errors [T] as a score."""
    if not np.isfinite(values).all():
        raise DivergedError("predictions are no numbers")
    return ml.Score(values, "root mean squared error", fingerprint(query_y))


def after(weights, rates, steps, seed):
    """The error of each task of a stream after plain gradient steps on its support set."""
    (x, y, query_x), query_y = gathered(seed)
    weights = for_each_task(weights)
    for _ in range(steps):
        g = gradients(weights, x, y)
        weights = [w - rate * a for w, rate, a in zip(weights, rates, g, strict=True)]
    return errors(network(weights, query_x), query_y)


def at_best_rate(weights, rates, steps, seed):
    """The same, with the rates times the factor that is best on validation tasks."""

    def scaled(factor):
        return [factor * rate for rate in rates]

    def mean(factor):
        return np.nan_to_num(after(weights, scaled(factor), steps, VALIDATION).mean(), nan=np.inf)

    return score(after(weights, scaled(min(FACTORS, key=mean)), steps, seed), gathered(seed)[1])


def learned(name, learner, inner_lr, outer_lr, seed, adapted="all", outer_steps=OUTER_STEPS):
    """Train a learner, and keep its weights and rates, early and at the end."""
    early = []

    def snapshot(epoch, logs=None):
        if epoch == 0:
            early.append(weights_and_rates(learner, inner_lr, adapted))

    learner.compile(keras.optimizers.Adam(outer_lr), loss="mse", steps_per_execution=100, jit_compile=False)
    learner.fit(
        ml.tasks.sinusoids(seed=seed),
        steps_per_epoch=EARLY,
        epochs=outer_steps // EARLY,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=snapshot)],
    )
    return Start(name, *weights_and_rates(learner, inner_lr, adapted), early[0], learner.inner_steps)


def weights_and_rates(learner, inner_lr, adapted):
    """The start that a learner has found, and the rate of each weight."""
    weights = [w.numpy() for w in learner.initialization()]
    if getattr(learner, "learn_inner_lr", False):
        return weights, [rate.numpy() for rate in learner.inner_lrs()]
    moves = (0, 0, 1) if adapted == "head" else (1, 1, 1)
    return weights, [np.full(w.shape, inner_lr * on, np.float32) for w, on in zip(weights, np.repeat(moves, 2))]  # noqa: B905


def joint(seed, outer_lr):
    """Joint training; on new tasks it takes five steps."""
    learner = ml.JointTraining(ml.networks.mlp(), inner_steps=5)
    return learned("joint training", learner, 0.01, outer_lr, seed)


def reptile(steps, outer_steps=OUTER_STEPS):
    """Reptile with this number of inner steps."""

    def train(seed, inner_lr, outer_lr):
        learner = ml.Reptile(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=steps)
        return learned("Reptile", learner, inner_lr, outer_lr, seed, outer_steps=outer_steps)

    return train


def maml(name, steps=1, outer_steps=OUTER_STEPS, **options):
    """MAML and its variants."""

    def train(seed, inner_lr, outer_lr):
        learner = ml.MAML(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=steps, **options)
        return learned(name, learner, inner_lr, outer_lr, seed, options.get("adapted", "all"), outer_steps)

    return train


def scratch(steps):
    """Random weights, and Adam on each new task."""

    def train(seed, rate):
        return Scratch([w.numpy() for w in ml.networks.mlp().trainable_variables], rate, steps)

    return train


def by_adam(found, seed):
    """The error after Adam on the support set."""
    (x, y, query_x), query_y = gathered(seed)
    weights = for_each_task(found.weights)
    state = weights, [tf.zeros_like(w) for w in weights], [tf.zeros_like(w) for w in weights]
    for number in range(1, found.steps + 1):
        state = adam_step(*state, x, y, tf.constant(found.rate), tf.constant(float(number)))
    return score(errors(network(state[0], query_x), query_y), query_y)


def waves(x):
    """sin x and cos x."""
    return np.concatenate([np.sin(x), np.cos(x)], axis=-1)


def oracle(seed):
    """Knows that y = u sin x + v cos x, and solves for the two numbers."""
    (x, y, query_x), query_y = gathered(TEST)
    predictions = waves(query_x) @ (np.linalg.pinv(waves(np.asarray(x, np.float64))) @ y)
    return {"own steps": score(errors(predictions, query_y), query_y)}


def no_adaptation(seed):
    """The mean of all tasks, E[A] E[sin(x − φ)] = −2.55 · 2/π · cos x."""
    (_, _, query_x), query_y = gathered(TEST)
    predictions = -2.55 * 2 / np.pi * np.cos(query_x)
    return {"own steps": score(errors(predictions, query_y), query_y)}


def validate(found):
    """What a setting is chosen by."""
    if isinstance(found, Scratch):
        return by_adam(found, VALIDATION)
    return at_best_rate(found.weights, found.rates, found.steps, VALIDATION)


def measure(found):
    """What is stored of a training."""
    if isinstance(found, dict):
        return found
    if isinstance(found, Scratch):
        return {"own steps": by_adam(found, TEST)}
    scores = {
        "own steps": at_best_rate(found.weights, found.rates, found.steps, TEST),
        "own steps, early": at_best_rate(*found.early, found.steps, TEST),  # pyright: ignore[reportCallIssue]
        "after 1 step": at_best_rate(found.weights, found.rates, 1, TEST),
        "after 5 steps": at_best_rate(found.weights, found.rates, 5, TEST),
    }
    if found.steps == 1 and found.name in ("MAML", "Meta-SGD"):
        for layer, moves in LAYERS.items():
            rates = [rate * on for rate, on in zip(found.rates, np.repeat(moves, 2), strict=True)]
            scores[f"{layer} alone"] = at_best_rate(found.weights, rates, 1, TEST)
    return scores


STUDY = Study(
    name="initialisations",
    chapter="07",
    question="Which learned start adapts best to a new sinusoid, if every learner has its own best rates?",
    budget="4,000 outer steps of 25 tasks each (from scratch: steps of Adam on each new task)",
    rivals={
        "joint training": Rival(joint, {"outer_lr": [0.001, 0.003, 0.01, 0.03, 0.1]}),
        "Reptile, 2 steps": Rival(reptile(2), {"inner_lr": [0.005, 0.01, 0.02, 0.04], "outer_lr": [0.003, 0.01, 0.03]}),
        "Reptile, 5 steps": Rival(
            reptile(5),
            {
                "inner_lr": [0.0003, 0.0006, 0.00125, 0.0025, 0.005, 0.01, 0.02, 0.04],
                "outer_lr": [0.003, 0.01, 0.03, 0.1],
            },
        ),
        "Reptile, 5 steps, trained twice as long": Rival(
            reptile(5, 2 * OUTER_STEPS),
            {"inner_lr": [0.00125, 0.0025, 0.005, 0.01, 0.02, 0.04], "outer_lr": [0.003, 0.01, 0.03, 0.1]},
        ),
        "ANIL": Rival(
            maml("ANIL", adapted="head"),
            {"inner_lr": [0.0015, 0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.2], "outer_lr": [0.001, 0.003, 0.01, 0.03]},
        ),
        "FOMAML": Rival(
            maml("FOMAML", first_order=True),
            {"inner_lr": [0.0025, 0.005, 0.01, 0.02], "outer_lr": [0.001, 0.003, 0.01, 0.03]},
        ),
        "FOMAML, trained twice as long": Rival(
            maml("FOMAML", first_order=True, outer_steps=2 * OUTER_STEPS),
            {"inner_lr": [0.0006, 0.00125, 0.0025, 0.005, 0.01, 0.02], "outer_lr": [0.001, 0.003, 0.01, 0.03]},
        ),
        "MAML": Rival(maml("MAML"), {"inner_lr": [0.0025, 0.005, 0.01, 0.02], "outer_lr": [0.001, 0.003, 0.01, 0.03]}),
        "Meta-SGD": Rival(
            maml("Meta-SGD", learn_inner_lr=True),
            {"inner_lr": [0.0006, 0.00125, 0.0025, 0.005, 0.01, 0.02], "outer_lr": [0.0003, 0.001, 0.003, 0.01]},
        ),
        "FOMAML, 5 steps": Rival(
            maml("FOMAML", 5, first_order=True),
            {"inner_lr": [0.00125, 0.0025, 0.005, 0.01], "outer_lr": [0.003, 0.01, 0.03]},
        ),
        "MAML, 5 steps": Rival(
            maml("MAML", 5), {"inner_lr": [0.0025, 0.005, 0.01, 0.02], "outer_lr": [0.001, 0.003, 0.01]}
        ),
        "Meta-SGD, 5 steps": Rival(
            maml("Meta-SGD", 5, learn_inner_lr=True),
            {"inner_lr": [0.0006, 0.00125, 0.0025, 0.005], "outer_lr": [0.00003, 0.0001, 0.0003, 0.001, 0.003]},
        ),
        "from scratch, 10 steps": Rival(scratch(10), {"rate": [0.01, 0.03, 0.1, 0.3]}),
        "from scratch, 100 steps": Rival(scratch(100), {"rate": [0.01, 0.03, 0.1]}),
        "from scratch, 1,000 steps": Rival(scratch(1_000), {"rate": [0.003, 0.01, 0.03, 0.1]}),
        "no adaptation": Rival(no_adaptation, untuned="a formula", trained=False),
        "oracle": Rival(oracle, untuned="a formula", trained=False),
    },
    validate=validate,
    measure=measure,
)
