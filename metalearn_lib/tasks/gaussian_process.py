"""Gaussian processes: a family of tasks whose exact predictive distribution is known, which no learner can beat."""

import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least, numbers, positive
from metalearn_lib.core.task import MetaBatch, Task, check_task
from metalearn_lib.tasks.stream import split_seed, support_and_queries, task_stream


def gaussian_processes(
    shots: int = 10,
    queries: int = 10,
    meta_batch_size: int = 16,
    seed: int = 0,
    lengthscale: float = 0.4,
    noise: float = 0.1,
) -> tf.data.Dataset:
    """Regression tasks y = f(x) + noise, one function f per task, from a Gaussian process (Garnelo et al. 2018, 4.1).

    f has mean 0 and the covariance exp(−(x − x')² / 2ℓ²), with ℓ the length scale.

    Args:
        shots: number S of support examples per task.
        queries: number Q of query examples per task.
        meta_batch_size: number T of tasks in a meta-batch.
        seed: fixes the stream.
        lengthscale: ℓ, in units of x.
        noise: standard deviation of the noise of every y.

    Returns:
        A stream with x [T, S or Q, 1], uniform in [−2, 2], and y of the same shape.

    Raises:
        ValueError: for a number below 1, a length scale or a noise that is not positive.
    """
    at_least(1, shots=shots, queries=queries, meta_batch_size=meta_batch_size)
    positive(lengthscale=lengthscale, noise=noise)

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, values = split_seed(seed, 2)
        # In float64: the covariance of two examples that lie close together is nearly singular.
        shape = [tasks, shots + queries, 1]
        x = tf.random.stateless_uniform(shape, examples, -2.0, 2.0, tf.float64)
        covariance = tf.exp(-((x - tf.linalg.matrix_transpose(x)) ** 2) / (2 * lengthscale**2))
        covariance += noise**2 * tf.eye(shots + queries, dtype=tf.float64)
        y = tf.linalg.cholesky(covariance) @ tf.random.stateless_normal(shape, values, dtype=tf.float64)
        return support_and_queries(tf.cast(x, tf.float32), tf.cast(y, tf.float32), shots)

    return task_stream(draw, meta_batch_size, seed, block=32)


def gaussian_process_posterior(
    task: Task, lengthscale: float = 0.4, noise: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """The exact distribution of each query's target given the support set (Rasmussen and Williams 2006, 2.22–2.24).

    Args:
        task: tasks of `gaussian_processes`, with the same `lengthscale` and `noise`.
        lengthscale: ℓ, in units of x.
        noise: standard deviation of the noise of every y.

    Returns:
        Mean and standard deviation [T, Q, 1] of the query targets, noise included.

    Raises:
        TypeError: if `task` is not a dictionary of a task's three arrays.
        ValueError: for a length scale or a noise that is not positive, or arrays of other shapes.
    """
    positive(lengthscale=lengthscale, noise=noise)
    check_task(task)
    names = ("support_x", "support_y", "query_x")
    support_x, support_y, query_x = (numbers(name, task[name], "[T, examples, 1]").astype(float) for name in names)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(-((a - b.swapaxes(1, 2)) ** 2) / (2 * lengthscale**2))

    across = kernel(support_x, query_x)
    covariance = kernel(support_x, support_x) + noise**2 * np.eye(support_x.shape[1])
    weights = np.linalg.solve(covariance, across)
    mean = weights.swapaxes(1, 2) @ support_y
    explained = np.sum(weights * across, axis=1)[..., None]
    return mean, np.sqrt(1 + noise**2 - explained)
