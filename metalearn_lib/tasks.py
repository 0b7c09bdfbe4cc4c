"""What a task is, and families of tasks as endless, seeded streams of meta-batches.

A meta-batch is a pair `(task, query_y)`, the `(x, y)` that Keras trains on. `task` is a dictionary with

- `support_x` [T, S, ...]: the examples to learn from, float32
- `support_y` [T, S, ...]: their targets; float32 values or int32 labels 0..N-1
- `query_x` [T, Q, ...]: the examples to predict, float32

and `query_y` [T, Q, ...] holds the targets of the queries. T is the number of tasks in the meta-batch.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from metalearn_lib._tensorflow import tf

Task = dict[str, tf.Tensor]
MetaBatch = tuple[Task, tf.Tensor]


def task_stream(
    draw: Callable[[tf.Tensor, int], MetaBatch], meta_batch: int, seed: int, block: int = 1
) -> tf.data.Dataset:
    """An endless, prefetched stream of meta-batches; the i-th one depends on `seed` and i alone.

    Args:
        draw: `draw(seed, tasks)` makes `tasks` tasks from a stateless int64 seed of shape [2].
        meta_batch: number T of tasks in a meta-batch.
        seed: fixes the whole stream; two streams with different seeds hold different tasks.
        block: number of meta-batches that are drawn at once; small tasks are cheaper in blocks.

    Returns:
        A dataset of `(task, query_y)`.
    """
    at_least(1, meta_batch=meta_batch, block=block)

    def draw_block(index: tf.Tensor) -> MetaBatch:
        tasks = draw(tf.stack([tf.constant(seed, tf.int64), index]), block * meta_batch)
        return tf.nest.map_structure(lambda t: tf.reshape(t, [block, meta_batch, *t.shape[1:]]), tasks)

    def starting_at(index: tf.Tensor | int) -> tf.data.Dataset:
        blocks = tf.data.Dataset.counter(index // block).map(draw_block, num_parallel_calls=2, deterministic=True)
        return blocks.unbatch().skip(index % block).prefetch(2 * block)

    stream = starting_at(0)
    stream.starting_at = starting_at
    return stream


def starting_at(stream: tf.data.Dataset, index: tf.Tensor | int) -> tf.data.Dataset:
    """A stream from its meta-batch number `index` on.

    What `task_stream` made draws nothing before it; anything else skips, which takes the time to draw.
    """
    return getattr(stream, "starting_at", stream.skip)(index)


def sinusoids(
    shots: int = 10,
    queries: int = 10,
    meta_batch: int = 25,
    seed: int = 0,
    amplitude: tuple[float, float] = (0.1, 5.0),
    phase: tuple[float, float] = (0.0, math.pi),
) -> tf.data.Dataset:
    """Regression tasks y = A sin(x − φ), one amplitude A and one phase φ a task (Finn et al. 2017, section 5.1).

    Args:
        shots: number S of support examples a task.
        queries: number Q of query examples a task.
        meta_batch: number T of tasks in a meta-batch.
        seed: fixes the stream.
        amplitude: range of A, uniform.
        phase: range of φ in radians, uniform.

    Returns:
        A stream with x [T, S or Q, 1], uniform in [−5, 5], and y of the same shape.
    """
    at_least(1, shots=shots, queries=queries, meta_batch=meta_batch)
    low, high = zip(amplitude, phase, strict=True)

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, parameters = _split(seed, 2)
        a, phi = tf.split(_uniform(parameters, [tasks, 1, 2], low, high), 2, axis=-1)
        x = _uniform(examples, [tasks, shots + queries, 1], -5.0, 5.0)
        return support_and_queries(x, a * tf.sin(x - phi), shots)

    return task_stream(draw, meta_batch, seed, block=32)


def linear_classification(shots: int = 5, queries: int = 10, meta_batch: int = 25, seed: int = 0) -> tf.data.Dataset:
    """Two classes in the plane, on either side of a line of its own in each task.

    What the article set out to learn: here the labels follow from the inputs. The line passes through a point
    that is uniform in [−½, ½]², at an angle that is uniform in [0, 2π).

    Args:
        shots: number of support examples a class, so S = 2 * shots.
        queries: number of query examples a class, so Q = 2 * queries.
        meta_batch: number T of tasks in a meta-batch.
        seed: fixes the stream.

    Returns:
        A stream with x [T, S or Q, 2] in [−1, 1]² and labels 0 or 1 [T, S or Q], as many of one as of the other.
    """
    at_least(1, shots=shots, queries=queries, meta_batch=meta_batch)
    each = shots + queries

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, angles, points, order = _split(seed, 4)
        angle = _uniform(angles, [tasks, 1], 0.0, 2 * math.pi)
        normal = tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
        point = _uniform(points, [tasks, 1, 2], -0.5, 0.5)
        # The smaller side of the line holds at least an eighth of the square, so that 16 candidates for each
        # example leave a negligible chance of too few.
        candidates = _uniform(examples, [tasks, 16 * each + 64, 2], -1.0, 1.0)
        side = tf.reduce_sum((candidates - point) * normal, axis=-1) > 0
        classes = [tf.math.top_k(tf.cast(side == label, tf.float32), each).indices for label in (False, True)]
        parts = [tf.concat([c[:, part] for c in classes], axis=1) for part in (slice(shots), slice(shots, each))]
        chosen = tf.concat([_shuffle(seed, part) for seed, part in zip(_split(order, 2), parts, strict=True)], axis=1)
        x = tf.gather(candidates, chosen, batch_dims=1)
        y = tf.gather(tf.cast(side, tf.int32), chosen, batch_dims=1)
        return support_and_queries(x, y, 2 * shots)

    return task_stream(draw, meta_batch, seed, block=32)


def linear_regression(
    dimensions: int = 5,
    shots: int = 10,
    queries: int = 10,
    meta_batch: int = 64,
    noise: float = 0.0,
    seed: int = 0,
) -> tf.data.Dataset:
    """Regression tasks y = w·x + ε, one weight vector w a task (Garg et al. 2022, section 3.1).

    Args:
        dimensions: number d of inputs.
        shots: number S of support examples a task.
        queries: number Q of query examples a task.
        meta_batch: number T of tasks in a meta-batch.
        noise: standard deviation of ε, at least 0; in the support set and in the queries alike.
        seed: fixes the stream.

    Returns:
        A stream with x [T, S or Q, d] and y [T, S or Q, 1]; x, w and ε / noise are normal with mean 0, variance 1.

    Raises:
        ValueError: if a number is not a whole one of at least 1, or `noise` is negative.
    """
    at_least(1, dimensions=dimensions, shots=shots, queries=queries, meta_batch=meta_batch)
    if not noise >= 0:
        raise ValueError(f"noise is {noise!r}, expected a standard deviation of at least 0")

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        examples, parameters, errors = _split(seed, 3)
        x = tf.random.stateless_normal([tasks, shots + queries, dimensions], examples)
        w = tf.random.stateless_normal([tasks, dimensions, 1], parameters)
        y = x @ w + noise * tf.random.stateless_normal([tasks, shots + queries, 1], errors)
        return support_and_queries(x, y, shots)

    return task_stream(draw, meta_batch, seed, block=32)


def gather_tasks(tasks: tf.data.Dataset, count: int) -> MetaBatch:
    """The first `count` tasks of a stream, as one meta-batch of NumPy arrays.

    Args:
        tasks: a stream of meta-batches.
        count: number of tasks wanted.

    Returns:
        `(task, query_y)` with arrays whose first axis is `count` long.

    Raises:
        ValueError: if the stream ends before.
    """
    at_least(1, count=count)
    batches, gathered = [], 0
    for batch in tasks.as_numpy_iterator():
        batches.append(batch)
        gathered += len(batch[1])
        if gathered >= count:
            break
    if gathered < count:
        raise ValueError(f"tasks ended after {gathered} tasks, expected at least {count}")
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts)[:count], *batches)


def support_and_queries(x: tf.Tensor, y: tf.Tensor, support: int) -> MetaBatch:
    """Split the examples [T, S + Q, ...] of each task: the first `support` are its support set."""
    task = {"support_x": x[:, :support], "support_y": y[:, :support], "query_x": x[:, support:]}
    return task, y[:, support:]


def at_least(least: int, **arguments: int) -> None:
    """Raise a ValueError that names the first of `arguments` that is not a whole number of at least `least`."""
    for name, value in arguments.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is {value!r}, expected a whole number of at least {least}")


def _split(seed: tf.Tensor, number: int) -> list[tf.Tensor]:
    """`number` independent seeds made of one."""
    return [tf.random.fold_in(seed, i) for i in range(number)]


def _uniform(
    seed: tf.Tensor, shape: Sequence[int], low: Sequence[float] | float, high: Sequence[float] | float
) -> tf.Tensor:
    low, high = tf.constant(low, tf.float32), tf.constant(high, tf.float32)
    return low + (high - low) * tf.random.stateless_uniform(shape, seed)


def _shuffle(seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Each row of a matrix in a random order of its own."""
    return tf.gather(rows, tf.argsort(_uniform(seed, rows.shape, 0.0, 1.0)), batch_dims=1)
