"""What a task is, and the check that a meta-batch of tasks can be learned from.

A meta-batch is a pair `(task, query_y)`, the `(x, y)` that Keras trains on. `task` is a dictionary with

- `support_x` [T, S, ...]: the examples to learn from, float32
- `support_y` [T, S, ...]: their targets; float32 values or int32 labels 0..N-1
- `query_x` [T, Q, ...]: the examples to predict, float32

and `query_y` [T, Q, ...] holds the targets of the queries. T is the number of tasks in the meta-batch.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

SUPPORT_X, SUPPORT_Y, QUERY_X = KEYS = ("support_x", "support_y", "query_x")

Task = dict[str, tf.Tensor]
MetaBatch = tuple[Task, tf.Tensor]


def check_task(
    task: Task, query_y: Any = None, model: keras.Model | None = None, num_outputs: int | None = None
) -> None:
    """Raise one clear sentence if a meta-batch cannot be learned from.

    Args:
        task: `support_x` [T, S, ...], `support_y` [T, S, ...], `query_x` [T, Q, ...].
        query_y: targets [T, Q, ...], or None.
        model: the network that will see the examples, or None.
        num_outputs: number of classes that the model can tell apart, or None.

    Raises:
        TypeError: if `task` is not a dictionary with the three keys.
        ValueError: for shapes that do not fit, an empty support set, values that are not finite, labels outside
            0..num_outputs-1.
    """
    if not isinstance(task, dict) or set(task) != set(KEYS):
        came = sorted(task) if isinstance(task, dict) else type(task).__name__
        raise TypeError(f"task is {came}, expected a dictionary with {', '.join(KEYS)}")
    arrays = {name: np.asarray(value) for name, value in task.items()}
    if query_y is not None:
        arrays["query_y"] = np.asarray(query_y)
    for name, array in arrays.items():
        if array.ndim < 2:
            raise ValueError(f"{name} has shape {array.shape}, expected [tasks, examples, ...]")
        if array.shape[0] != len(arrays[SUPPORT_X]):
            raise ValueError(f"{name} has {array.shape[0]} tasks but support_x has {len(arrays[SUPPORT_X])}")
        if array.shape[1] == 0:
            raise ValueError(f"{name} is empty, expected at least one example a task")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} of task {_first_bad_task(array)} has NaN or infinite values")
    for x, y in ((SUPPORT_X, SUPPORT_Y), (QUERY_X, "query_y")):
        if y in arrays and arrays[x].shape[1] != arrays[y].shape[1]:
            raise ValueError(f"{y} has {arrays[y].shape[1]} examples a task but {x} has {arrays[x].shape[1]}")
    if arrays[SUPPORT_X].shape[2:] != arrays[QUERY_X].shape[2:]:
        raise ValueError(
            f"query_x has examples of shape {arrays[QUERY_X].shape[2:]} but support_x of {arrays[SUPPORT_X].shape[2:]}"
        )
    for name in (SUPPORT_X, QUERY_X):
        wanted = None if model is None else tuple(model.input_shape[1:])
        came = arrays[name].shape[2:]
        if wanted is not None and (
            len(wanted) != len(came) or any(w not in (None, c) for w, c in zip(wanted, came, strict=True))
        ):
            raise ValueError(f"{name} has examples of shape {came} but the model takes {wanted}")
    for name in (SUPPORT_Y, "query_y"):
        labels = arrays.get(name)
        if num_outputs is not None and labels is not None and labels.dtype.kind in "iu":
            low, high = labels.min(), labels.max()
            if low < 0 or high >= num_outputs:
                raise ValueError(f"{name} has labels {low}..{high} but the model has {num_outputs} outputs")


def unpack(data: tuple) -> MetaBatch:
    """The `(task, query_y)` in what Keras hands to `train_step`; `train_on_batch` adds an empty third part.

    Raises:
        ValueError: if there are sample weights.
    """
    task, query_y, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError("sample_weight is given, expected none: all tasks of a meta-batch weigh the same")
    return task, query_y


def _first_bad_task(array: np.ndarray) -> int:
    return int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
