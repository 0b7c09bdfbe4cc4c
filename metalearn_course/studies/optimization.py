"""What an optimiser is given in a study: tasks on which weights are sought, and the path that an update takes there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml

LARGEST = 1e30  # what a diverged task counts, so that it has a number

State = Any
# From the gradients [T, P], the state so far (None at first) and the number of the step, from 1 on.
Update = Callable[[np.ndarray, State, int], tuple[np.ndarray, State]]


@dataclass(frozen=True)
class Problem:
    """Tasks for which weights [T, P] are sought: where they start, their gradients, and their errors on the queries."""

    start: np.ndarray
    gradient: Callable[[np.ndarray], np.ndarray]
    errors: Callable[[np.ndarray], np.ndarray]
    query_y: np.ndarray
    curvature: np.ndarray | None = None  # of the family, [P]
    hessian: np.ndarray | None = None  # of each task's support set, [T, P, P]


@dataclass(frozen=True)
class Walker:
    """A rival after training or tuning: its update on a problem, None where it does not exist."""

    update_on: Callable[[Problem], Update | None]


def family(seed: int, scales: tuple[float, ...], target: float = 1.0, meta_batch_size: int = 32) -> tf.data.Dataset:
    """Linear regression whose inputs are multiplied by `scales`, and whose targets by `target`."""
    size = tf.constant(scales)

    def scaled(task: Any, query_y: tf.Tensor) -> Any:
        x, query_x = size * task["support_x"], size * task["query_x"]
        return {"support_x": x, "support_y": target * task["support_y"], "query_x": query_x}, target * query_y

    sizes = {"shots": 20, "queries": 20, "meta_batch_size": meta_batch_size}
    return ml.tasks.linear_regression(len(scales), **sizes, seed=seed).map(scaled)


def linear(seed: int, num_tasks: int, **settings: Any) -> Problem:
    """Linear regression from zero weights."""
    task, query_y = ml.tasks.gather_tasks(family(seed, **settings), num_tasks)
    x, y, query_x, targets = (
        a.astype(np.float64) for a in (task["support_x"], task["support_y"], task["query_x"], query_y)
    )
    scales = np.array(settings["scales"])
    return Problem(
        np.zeros((num_tasks, len(scales))),
        lambda w: 2 * ((x @ w[..., None] - y) * x).mean(axis=1),
        lambda w: ((query_x @ w[..., None] - targets) ** 2).mean(axis=(1, 2)),
        query_y,
        2 * scales**2,
        2 * x.swapaxes(1, 2) @ x / x.shape[1],
    )


def sinusoids(seed: int, num_tasks: int) -> Problem:
    """Sinusoids for a perceptron with two hidden layers of 20 units, from the same random weights for all."""
    keras.utils.set_random_seed(1)
    network = ml.networks.mlp(1, 1, (20, 20))
    shapes = [w.shape for w in network.trainable_variables]
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(seed=seed), num_tasks)
    start = np.concatenate([w.numpy().ravel() for w in network.trainable_variables])

    def called(flat: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        parts = tf.split(flat, [int(np.prod(s)) for s in shapes])
        return network.stateless_call([tf.reshape(p, s) for p, s in zip(parts, shapes, strict=True)], [], x)[0]

    def slope(arguments: Any) -> tf.Tensor:
        flat, x, y = arguments
        with tf.GradientTape() as tape:
            tape.watch(flat)
            loss = tf.reduce_mean((called(flat, x) - y) ** 2)
        return tape.gradient(loss, flat)

    slopes = tf.function(lambda w: tf.vectorized_map(slope, (w, task["support_x"], task["support_y"])))
    predict = tf.function(lambda w: tf.vectorized_map(lambda a: called(*a), (w, task["query_x"])))
    return Problem(
        np.tile(start, (num_tasks, 1)),
        lambda w: slopes(tf.constant(w, tf.float32)).numpy(),
        lambda w: ((predict(tf.constant(w, tf.float32)).numpy().astype(np.float64) - query_y) ** 2).mean(axis=(1, 2)),
        query_y,
    )


def path(update: Update, problem: Problem, steps: int, factor: float = 1.0) -> list[np.ndarray]:
    """Errors [T] after 0, 1, ..., `steps` steps, each step multiplied by `factor`."""
    w, state, errors = problem.start, None, [problem.errors(problem.start)]
    with np.errstate(all="ignore"):
        for number in range(1, steps + 1):
            step, state = update(problem.gradient(w), state, number)
            w = np.nan_to_num(w + factor * step, nan=1e15, posinf=1e15, neginf=-1e15).clip(-1e15, 1e15)
            errors.append(np.nan_to_num(problem.errors(w), nan=LARGEST, posinf=LARGEST).clip(None, LARGEST))
    return errors
