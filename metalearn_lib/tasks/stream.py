"""Endless, seeded streams of meta-batches, and tasks gathered from them."""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least, fits_in_memory, functions, instances, seeds, shown, whole_in
from metalearn_lib.core.task import KEYS, MetaBatch, check_task

Stream = tf.data.Dataset
GatheredTasks = tuple[dict[str, np.ndarray], np.ndarray]
Array = TypeVar("Array", tf.Tensor, np.ndarray)

# How to draw a stream from one of its meta-batches on, for the streams of `task_stream`.
_starts: WeakKeyDictionary[Stream, Callable[[Any], Stream]] = WeakKeyDictionary()


def task_stream(
    draw: Callable[[tf.Tensor, int], Any], meta_batch_size: int, seed: int, block: int = 1
) -> tf.data.Dataset:
    """An endless, prefetched stream of meta-batches; the i-th one depends on `seed` and i alone.

    Args:
        draw: `draw(seed, tasks)` makes `tasks` tasks from a stateless int64 seed of shape [2].
        meta_batch_size: number T of tasks in a meta-batch.
        seed: fixes the whole stream; two streams with different seeds hold different tasks.
        block: number of meta-batches that are drawn at once; small tasks are cheaper in blocks.

    Returns:
        A dataset of `(task, query_y)`.

    Raises:
        TypeError: if `draw` is not a function.
        ValueError: if a number is not a whole one of at least 1, `seed` is no seed, or a block of meta-batches does not
            fit into memory.
    """
    functions("a function that draws tasks", draw=draw)
    at_least(1, meta_batch_size=meta_batch_size, block=block)
    seeds(seed=seed)

    def draw_block(index: tf.Tensor) -> Any:
        tasks = draw(tf.stack([tf.constant(seed, tf.int64), index]), block * meta_batch_size)
        return tf.nest.map_structure(lambda t: tf.reshape(t, [block, meta_batch_size, *t.shape[1:]]), tasks)

    def starting_at(index: Any) -> tf.data.Dataset:
        blocks = tf.data.Dataset.counter(index // block).map(draw_block, num_parallel_calls=2, deterministic=True)
        return blocks.unbatch().skip(index % block).prefetch(2 * block)

    stream = starting_at(0)
    arrays = tf.nest.flatten(stream.element_spec)
    nbytes = block * sum(array.dtype.size * (array.shape.num_elements() or 0) for array in arrays)
    fits_in_memory(nbytes, meta_batch_size=meta_batch_size, block=block)
    _starts[stream] = starting_at
    return stream


def starting_at(stream: tf.data.Dataset, index: tf.Tensor | int) -> tf.data.Dataset:
    """A stream from its meta-batch number `index` on.

    Of the streams of `task_stream`, nothing before it is drawn; any other dataset skips, which takes the time to draw.

    Args:
        stream: a stream of meta-batches.
        index: a whole number of at least 0, or a scalar tensor of an integer type.

    Returns:
        A dataset of the same elements.

    Raises:
        TypeError: if `stream` is not a dataset.
        ValueError: if `index` is not a whole number of at least 0.
    """
    instances(tf.data.Dataset, "a tf.data.Dataset", stream=stream)
    if not isinstance(index, tf.Tensor | tf.Variable):
        at_least(0, index=index)
    return _starts.get(stream, stream.skip)(index)


def gather_tasks(tasks: tf.data.Dataset, num_tasks: int) -> GatheredTasks:
    """The first `num_tasks` tasks of a stream, as one meta-batch of NumPy arrays.

    Args:
        tasks: a stream of meta-batches.
        num_tasks: number of tasks wanted.

    Returns:
        `(task, query_y)` with arrays whose first axis is `num_tasks` long.

    Raises:
        TypeError: if `tasks` is not a dataset of meta-batches.
        ValueError: if `num_tasks` is not a whole number of at least 1, or the stream ends before.
    """
    at_least(1, num_tasks=num_tasks)
    instances(tf.data.Dataset, "a tf.data.Dataset of meta-batches", tasks=tasks)
    spec: Any = tasks.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2 or not isinstance(spec[0], dict) or set(spec[0]) != set(KEYS):
        raise TypeError(f"tasks has elements {shown(spec)}, expected meta-batches (task, query_y)")
    batches, gathered = [], 0
    for batch in tasks.as_numpy_iterator():
        batches.append(batch)
        gathered += len(batch[1])
        if gathered >= num_tasks or not len(batch[1]):
            break
    if gathered < num_tasks:
        raise ValueError(
            f"num_tasks is {num_tasks} but tasks ended after {gathered} tasks, expected at least {num_tasks}"
        )
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts)[:num_tasks], *batches)


def first_tasks(
    tasks: tf.data.Dataset | MetaBatch | GatheredTasks, num_tasks: int | None, of_stream: int, name: str = "tasks"
) -> tuple[GatheredTasks, int]:
    """The first tasks of a stream or of gathered tasks, and how many of them a learner should see at once.

    Args:
        tasks: a stream of meta-batches, or tasks gathered by `gather_tasks`.
        num_tasks: number of tasks; None for `of_stream` of a stream and for all of gathered tasks.
        of_stream: number of tasks to take from a stream if `num_tasks` is None.
        name: the argument that `tasks` are.

    Returns:
        `(task, query_y)` as NumPy arrays, and the size of the stream's meta-batches, or of all that was gathered.

    Raises:
        TypeError: if `tasks` is neither.
        ValueError: if `num_tasks` is not a whole number of at least 1, there are not so many tasks, or nothing can be
            learned from them (see `check_task`).
    """
    task: Any
    if isinstance(tasks, tf.data.Dataset):
        task, query_y = gather_tasks(tasks, of_stream if num_tasks is None else num_tasks)
        check_task(task, query_y)
        spec: Any = tasks.element_spec
        return (task, query_y), spec[1].shape[0] or len(query_y)
    if not isinstance(tasks, tuple | list) or len(tasks) != 2:
        raise TypeError(f"{name} is {shown(tasks)}, expected a stream of meta-batches or gathered (task, query_y)")
    task, query_y = tasks
    check_task(task, query_y)
    count = len(query_y)
    if num_tasks is not None:
        whole_in(1, count, num_tasks=num_tasks)
        count = num_tasks
    return ({key: np.asarray(array)[:count] for key, array in task.items()}, np.asarray(query_y)[:count]), count


def support_and_queries(x: Array, y: Array, support: int) -> tuple[dict[str, Array], Array]:
    """Split the examples of each task in two: the first `support` are its support set.

    Args:
        x: inputs [T, S + Q, ...], tensors or NumPy arrays.
        y: their targets [T, S + Q, ...], of the same kind.
        support: number S of support examples.

    Returns:
        `(task, query_y)`.

    Raises:
        ValueError: if `x` and `y` do not start with the same two axes, or no query is left.
    """
    for name, array in (("x", x), ("y", y)):
        if len(getattr(array, "shape", ())) < 2:
            raise ValueError(f"{name} is {shown(array)}, expected an array [T, S + Q, ...]")
    if x.shape[:2] != y.shape[:2]:
        raise ValueError(f"y has shape {tuple(y.shape)}, expected {tuple(x.shape[:2])} tasks and examples as x")
    whole_in(1, cast(int, x.shape[1]) - 1, support=support)
    task = {"support_x": x[:, :support], "support_y": y[:, :support], "query_x": x[:, support:]}
    return task, y[:, support:]


def split_seed(seed: tf.Tensor, number: int) -> list[tf.Tensor]:
    """`number` independent stateless seeds [2] made of one."""
    return [cast(tf.Tensor, tf.random.fold_in(seed, i)) for i in range(number)]


def static_shape(tensor: tf.Tensor) -> list[int]:
    """The shape of a tensor that has no unknown axis."""
    return cast(list[int], tensor.shape.as_list())
