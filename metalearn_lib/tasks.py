"""What a task is, and families of tasks as endless, seeded streams of meta-batches.

A meta-batch is a pair `(task, query_y)`, the `(x, y)` that Keras trains on. `task` is a dictionary with

- `support_x` [T, S, ...]: the examples to learn from, float32
- `support_y` [T, S, ...]: their targets; float32 values or int32 labels 0..N-1
- `query_x` [T, Q, ...]: the examples to predict, float32

and `query_y` [T, Q, ...] holds the targets of the queries. T is the number of tasks in the meta-batch.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

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
    _at_least("meta_batch", meta_batch, 1)

    def draw_block(index: tf.Tensor) -> MetaBatch:
        tasks = draw(tf.stack([tf.constant(seed, tf.int64), index]), block * meta_batch)
        return tf.nest.map_structure(lambda t: tf.reshape(t, [block, meta_batch, *t.shape[1:]]), tasks)

    stream = tf.data.Dataset.counter().map(draw_block, num_parallel_calls=2, deterministic=True)
    return stream.unbatch().prefetch(2 * block)


def _at_least(name: str, value: int, least: int) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least {least}")
