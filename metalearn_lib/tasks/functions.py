"""Families of functions as tasks: sinusoids, lines that separate two classes, linear regression."""

import math
from collections.abc import Sequence

import tensorflow as tf

from metalearn_lib.core.checks import at_least, low_to_high, number_in
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.tasks.stream import split_seed, static_shape, support_and_queries, task_stream


def sinusoids(
    shots: int = 10,
    queries: int = 10,
    meta_batch_size: int = 25,
    seed: int = 0,
    amplitude: tuple[float, float] = (0.1, 5.0),
    phase: tuple[float, float] = (0.0, math.pi),
) -> tf.data.Dataset:
    """Regression tasks y = A sin(x − φ), one amplitude A and one phase φ per task (Finn et al. 2017, section 5.1).

    Args:
        shots: number S of support examples per task.
        queries: number Q of query examples per task.
        meta_batch_size: number T of tasks in a meta-batch.
        seed: fixes the stream.
        amplitude: range of A, uniform.
        phase: range of φ in radians, uniform.

    Returns:
        A stream with x [T, S or Q, 1], uniform in [−5, 5], and y of the same shape.

    Raises:
        ValueError: if a number is not a whole one of at least 1, or a range not one of finite numbers.
    """
    at_least(1, shots=shots, queries=queries, meta_batch_size=meta_batch_size)
    low_to_high(amplitude=amplitude, phase=phase)
    low, high = zip(amplitude, phase, strict=True)

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, parameters = split_seed(seed, 2)
        a, phi = tf.split(_uniform(parameters, [tasks, 1, 2], low, high), 2, axis=-1)
        x = _uniform(examples, [tasks, shots + queries, 1], -5.0, 5.0)
        return support_and_queries(x, a * tf.sin(x - phi), shots)

    return task_stream(draw, meta_batch_size, seed, block=32)


def linear_classification(
    shots: int = 5, queries: int = 10, meta_batch_size: int = 25, seed: int = 0
) -> tf.data.Dataset:
    """Two classes in the plane, on either side of a line of its own in each task.

    What the article set out to learn: here the labels follow from the inputs. The line passes through a point
    that is uniform in [−½, ½]², at an angle that is uniform in [0, 2π).

    Args:
        shots: number of support examples per class, so S = 2 * shots.
        queries: number of query examples per class, so Q = 2 * queries.
        meta_batch_size: number T of tasks in a meta-batch.
        seed: fixes the stream.

    Returns:
        A stream with x [T, S or Q, 2] in [−1, 1]² and labels 0 or 1 [T, S or Q], as many of one as of the other.

    Raises:
        ValueError: if a number is not a whole one of at least 1.
    """
    at_least(1, shots=shots, queries=queries, meta_batch_size=meta_batch_size)
    each = shots + queries

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, angles, points, order = split_seed(seed, 4)
        angle = _uniform(angles, [tasks, 1], 0.0, 2 * math.pi)
        normal = tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
        point = _uniform(points, [tasks, 1, 2], -0.5, 0.5)
        # The smaller side of the line holds at least an eighth of the square, so that 16 candidates for each
        # example leave a negligible chance of too few.
        candidates = _uniform(examples, [tasks, 16 * each + 64, 2], -1.0, 1.0)
        side = tf.reduce_sum((candidates - point) * normal, axis=-1) > 0
        classes = [tf.math.top_k(tf.cast(side == label, tf.float32), each).indices for label in (False, True)]
        parts = [tf.concat([c[:, part] for c in classes], axis=1) for part in (slice(shots), slice(shots, each))]
        chosen = tf.concat(
            [_shuffle(seed, part) for seed, part in zip(split_seed(order, 2), parts, strict=True)], axis=1
        )
        x = tf.gather(candidates, chosen, batch_dims=1)
        y = tf.gather(tf.cast(side, tf.int32), chosen, batch_dims=1)
        return support_and_queries(x, y, 2 * shots)

    return task_stream(draw, meta_batch_size, seed, block=32)


def linear_regression(
    dimensions: int = 5,
    shots: int = 10,
    queries: int = 10,
    meta_batch_size: int = 64,
    noise: float = 0.0,
    seed: int = 0,
) -> tf.data.Dataset:
    """Regression tasks y = w·x + ε, one weight vector w per task (Garg et al. 2022, section 3.1).

    Args:
        dimensions: number d of inputs.
        shots: number S of support examples per task.
        queries: number Q of query examples per task.
        meta_batch_size: number T of tasks in a meta-batch.
        noise: standard deviation of ε, at least 0; in the support set and in the queries alike.
        seed: fixes the stream.

    Returns:
        A stream with x [T, S or Q, d] and y [T, S or Q, 1]; x, w and ε / noise are normal with mean 0, variance 1.

    Raises:
        ValueError: if a number is not a whole one of at least 1, or `noise` is negative.
    """
    at_least(1, dimensions=dimensions, shots=shots, queries=queries, meta_batch_size=meta_batch_size)
    number_in("[0, inf)", noise=noise)

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, parameters, errors = split_seed(seed, 3)
        x = tf.random.stateless_normal([tasks, shots + queries, dimensions], examples)
        w = tf.random.stateless_normal([tasks, dimensions, 1], parameters)
        y = x @ w + noise * tf.random.stateless_normal([tasks, shots + queries, 1], errors)
        return support_and_queries(x, y, shots)

    return task_stream(draw, meta_batch_size, seed, block=32)


def _uniform(
    seed: tf.Tensor, shape: Sequence[int], low: Sequence[float] | float, high: Sequence[float] | float
) -> tf.Tensor:
    least, most = tf.constant(low, tf.float32), tf.constant(high, tf.float32)
    return least + (most - least) * tf.random.stateless_uniform(shape, seed)


def _shuffle(seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Each row of a matrix in a random order of its own."""
    return tf.gather(rows, tf.argsort(_uniform(seed, static_shape(rows), 0.0, 1.0)), batch_dims=1)
