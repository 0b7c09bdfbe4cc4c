"""Endless, seeded streams of meta-batches, and tasks gathered from them."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least
from metalearn_lib.core.task import MetaBatch


def task_stream(
    draw: Callable[[tf.Tensor, int], MetaBatch], meta_batch_size: int, seed: int, block: int = 1
) -> tf.data.Dataset:
    """An endless, prefetched stream of meta-batches; the i-th one depends on `seed` and i alone.

    Args:
        draw: `draw(seed, tasks)` makes `tasks` tasks from a stateless int64 seed of shape [2].
        meta_batch_size: number T of tasks in a meta-batch.
        seed: fixes the whole stream; two streams with different seeds hold different tasks.
        block: number of meta-batches that are drawn at once; small tasks are cheaper in blocks.

    Returns:
        A dataset of `(task, query_y)`.
    """
    at_least(1, meta_batch_size=meta_batch_size, block=block)

    def draw_block(index: tf.Tensor) -> MetaBatch:
        tasks = draw(tf.stack([tf.constant(seed, tf.int64), index]), block * meta_batch_size)
        return tf.nest.map_structure(lambda t: tf.reshape(t, [block, meta_batch_size, *t.shape[1:]]), tasks)

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


def gather_tasks(tasks: tf.data.Dataset, num_tasks: int) -> MetaBatch:
    """The first `num_tasks` tasks of a stream, as one meta-batch of NumPy arrays.

    Args:
        tasks: a stream of meta-batches.
        num_tasks: number of tasks wanted.

    Returns:
        `(task, query_y)` with arrays whose first axis is `num_tasks` long.

    Raises:
        ValueError: if the stream ends before.
    """
    at_least(1, num_tasks=num_tasks)
    batches, gathered = [], 0
    for batch in tasks.as_numpy_iterator():
        batches.append(batch)
        gathered += len(batch[1])
        if gathered >= num_tasks:
            break
    if gathered < num_tasks:
        raise ValueError(f"tasks ended after {gathered} tasks, expected at least {num_tasks}")
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts)[:num_tasks], *batches)


def support_and_queries(x: tf.Tensor, y: tf.Tensor, support: int) -> MetaBatch:
    """Split the examples [T, S + Q, ...] of each task: the first `support` are its support set."""
    task = {"support_x": x[:, :support], "support_y": y[:, :support], "query_x": x[:, support:]}
    return task, y[:, support:]
