"""Chapter 1: what learning to learn gains on sinusoids, against rivals that are tuned too."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

OUTER_STEPS = 6_000
STEPS_FROM_SCRATCH = 1_000
VALIDATION = ml.tasks.sinusoids(shots=10, queries=50, seed=2)
SHIFTS = {
    "phase π to 2π": {"phase": (np.pi, 2 * np.pi)},
    "amplitude 5 to 8": {"amplitude": (5.0, 8.0)},
    "half the frequency": {"frequency": 0.5},
    "twice the frequency": {"frequency": 2.0},
    "straight lines": {"wave": lambda u: u / 3},
}


def family(
    amplitude: tuple[float, float] = (0.1, 5.0),
    phase: tuple[float, float] = (0.0, np.pi),
    frequency: float = 1.0,
    wave: Callable = np.sin,
):
    """600 tasks of another family, as the chapter draws them."""
    rng = np.random.default_rng(4)
    a, phi = rng.uniform(*amplitude, (600, 1, 1)), rng.uniform(*phase, (600, 1, 1))
    x = rng.uniform(-5, 5, (600, 110, 1)).astype(np.float32)
    y = a * wave(frequency * x - phi)
    task, query_y = ml.tasks.support_and_queries(x, y.astype(np.float32), 10)
    return task, query_y


class KernelRidge(ml.Learner):
    """Ridge regression with a Gaussian kernel of one width."""

    def __init__(self, width: float, penalty: float = 1e-3):
        super().__init__(model=None)
        self.width, self.penalty = width, penalty

    def call(self, task, training=False):
        x, y, query_x = task["support_x"], task["support_y"], task["query_x"]
        gram = self.kernel(x, x) + self.penalty * tf.eye(tf.shape(x)[1])
        return self.kernel(query_x, x) @ tf.linalg.solve(gram, y)

    def kernel(self, a, b):
        return tf.exp(-(((a - tf.linalg.matrix_transpose(b)) / self.width) ** 2) / 2)


class CarefulFromScratch(ml.FromScratch):
    """`FromScratch` as one would use it: where descent diverges on a task, it starts again with a quarter of the rate.

    It has diverged if it fits the support set less well than y = 0.
    """

    def call(self, task, training=False):
        both = {**task, "query_x": tf.concat([task["support_x"], task["query_x"]], axis=1)}
        rate, known = self.inner_lr, tf.shape(task["support_y"])[1]
        predictions = super().call(both)
        self.inner_lr = rate / 4
        slower = super().call(both)
        self.inner_lr = rate
        error = tf.reduce_mean((predictions[:, :known] - task["support_y"]) ** 2, axis=[1, 2], keepdims=True)
        fits = error < tf.reduce_mean(task["support_y"] ** 2, axis=[1, 2], keepdims=True)
        return tf.where(fits, predictions, slower)[:, known:]


class AdamFromScratch(ml.Learner):
    """The network of `FromScratch`, trained on each support set by Adam instead of plain gradient descent."""

    supports_xla = False

    def __init__(self, model, lr: float):
        super().__init__(model)
        self.lr = lr

    def call(self, task, training=False):
        x, y = task["support_x"], task["support_y"]
        start = [tf.repeat(w.value[None], tf.shape(x)[0], axis=0) for w in self.model.trainable_variables]
        weights = adam(start, x, y, tf.constant(self.lr))
        return forward(weights, task["query_x"])


def forward(weights, x):
    """The network of every task on its own inputs; weights [T, ...], x [T, S, 1]."""
    kernels, biases = weights[::2], weights[1::2]
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        x = tf.nn.relu(x @ kernel + bias[:, None])
    return x @ kernels[-1] + biases[-1][:, None]


@tf.function(jit_compile=True)
def adam(weights, x, y, lr):
    """Adam (Kingma and Ba 2015) on the mean squared error of each task, with its usual constants."""
    first = [tf.zeros_like(w) for w in weights]
    second = [tf.zeros_like(w) for w in weights]
    for step in tf.range(1, STEPS_FROM_SCRATCH + 1):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_sum(tf.reduce_mean((forward(weights, x) - y) ** 2, axis=[1, 2]))
        gradients: Any = tape.gradient(loss, weights)
        first = [0.9 * m + 0.1 * g for m, g in zip(first, gradients, strict=True)]
        second = [0.999 * v + 0.001 * g**2 for v, g in zip(second, gradients, strict=True)]
        t = tf.cast(step, tf.float32)
        scale = lr * tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weights = [w - scale * m / (tf.sqrt(v) + 1e-7) for w, m, v in zip(weights, first, second, strict=True)]
    return weights


def from_scratch(seed, inner_lr):
    """A random network and plain gradient descent on each task."""
    learner = CarefulFromScratch(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=STEPS_FROM_SCRATCH)
    learner.compile(loss="mse")
    return learner


def from_scratch_with_adam(seed, lr):
    """A random network and Adam on each task."""
    learner = AdamFromScratch(ml.networks.mlp(), lr)
    learner.compile(loss="mse", jit_compile=False)
    return learner


def joint_training(seed, inner_lr):
    """One network for all tasks, then ten steps on a new one."""
    learner = ml.JointTraining(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=10)
    return fitted(learner, seed)


def maml(seed, inner_lr):
    """Trained for one inner step, used with ten."""
    learner = fitted(ml.MAML(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=1), seed)
    of_ten_steps = ml.MAML(learner.model, inner_lr=inner_lr, inner_steps=10)
    of_ten_steps.compile(loss="mse")
    return of_ten_steps


def fitted(learner, seed):
    """A learner trained on this seed's own stream of tasks."""
    learner.compile(keras.optimizers.Adam(1e-3), loss="mse", steps_per_execution=100)
    learner.fit(ml.tasks.sinusoids(seed=1_000 + seed), steps_per_epoch=OUTER_STEPS, verbose=0)
    return learner


def kernel_ridge(seed, width, penalty):
    """The kernel method."""
    learner = KernelRidge(width, penalty)
    learner.compile(loss="mse", jit_compile=False)
    return learner


def nearest_neighbour(seed):
    """The answer of the nearest support point."""
    learner = ml.NearestNeighbor()
    learner.compile(loss="mse")
    return learner


def measure(learner):
    """Errors with 5, 10 and 20 support points and on shifted families; of what takes steps, also their direction."""
    at_home = ml.tasks.gather_tasks(ml.tasks.sinusoids(shots=10, queries=100, seed=1), 600)
    scores = {"10 points": ml.score(learner, at_home)}
    if not isinstance(learner, CarefulFromScratch | ml.JointTraining):  # Adam stands for the one, MAML for the other
        for points in (5, 20):
            scores[f"{points} points"] = ml.score(learner, ml.tasks.sinusoids(shots=points, queries=50, seed=3), 300)
        for name, shift in SHIFTS.items():
            scores[name] = ml.score(learner, family(**shift))
    if isinstance(learner, ml.GradientLearner):
        curve = ml.adaptation_curve(learner, at_home, steps=10)
        scores |= {f"after {steps} steps": curve[steps] for steps in (0, 1, 10)}
        scores["share of the motion"] = share_of_motion(learner, at_home)
    return scores


def share_of_motion(learner, tasks):
    """How much of the first step's motion lies in the plane of sin x and cos x."""
    grid = np.linspace(-5, 5, 100, dtype=np.float32)[:, None]
    plane, _ = np.linalg.qr(np.concatenate([np.sin(grid), np.cos(grid)], axis=-1).astype(float))
    task, query_y = tasks
    before, after = learner.predict_path({**task, "query_x": np.tile(grid, (len(query_y), 1, 1))}, steps=1)
    motion = (after - before)[..., 0]
    shares = ((motion @ plane) ** 2).sum(axis=1) / (motion**2).sum(axis=1)
    return ml.Score(shares, "share of the motion in the plane", ml.evaluation.fingerprint(query_y))


STUDY = Study(
    name="background",
    chapter="01",
    question="What is gained on new sinusoids by learning from other sinusoids?",
    budget="6,000 outer steps of 25 tasks each; from scratch 1,000 steps on each new task, all others 10",
    rivals={
        "from scratch": Rival(from_scratch, {"inner_lr": [0.01, 0.02, 0.03, 0.05, 0.07, 0.1]}),
        "from scratch, Adam": Rival(from_scratch_with_adam, {"lr": [0.003, 0.01, 0.02, 0.03, 0.05, 0.1]}),
        "joint training, fine-tuned": Rival(joint_training, {"inner_lr": [0.0003, 0.001, 0.003, 0.01, 0.03]}),
        "nearest neighbour": Rival(nearest_neighbour, untuned="it has no settings", trained=False),
        "kernel ridge": Rival(
            lambda seed, width: kernel_ridge(seed, width, 1e-5),
            {"width": [1.0, 1.5, 2.0, 2.5, 3.0, 4.0]},
            trained=False,
        ),
        "MAML": Rival(maml, {"inner_lr": [0.003, 0.005, 0.01, 0.02, 0.03]}),
    },
    validate=lambda learner: ml.score(learner, VALIDATION, 300),
    measure=measure,
)
