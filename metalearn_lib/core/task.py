"""What a task is, and the check that a meta-batch of tasks can be learned from.

A meta-batch is a pair `(task, query_y)`, the `(x, y)` that Keras trains on. `task` is a dictionary with

- `support_x` [T, S, ...]: the examples to learn from, float32
- `support_y` [T, S, ...]: their targets; float32 values or int32 labels 0..N-1
- `query_x` [T, Q, ...]: the examples to predict, float32

and `query_y` [T, Q, ...] holds the targets of the queries. T is the number of tasks in the meta-batch.
"""

from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

SUPPORT_X, SUPPORT_Y, QUERY_X = KEYS = ("support_x", "support_y", "query_x")

Task = dict[str, tf.Tensor]
MetaBatch = tuple[Task, tf.Tensor]


def check_task(
    task: Any,
    query_y: Any = None,
    input_shape: tuple[int | None, ...] | None = None,
    num_classes: int | None = None,
) -> None:
    """Raise one clear sentence if a meta-batch cannot be learned from.

    Args:
        task: `support_x` [T, S, ...], `support_y` [T, S, ...], `query_x` [T, Q, ...].
        query_y: targets [T, Q, ...], or None.
        input_shape: shape of the batches of examples [None, ...] that the network takes, or None.
        num_classes: number of classes that the learner can tell apart, or None.

    Raises:
        TypeError: if `task` is not a dictionary with the three keys, or an array holds no numbers.
        ValueError: for shapes that do not fit, an empty support set, values that are not finite, labels outside
            0..num_classes-1.
    """
    if not isinstance(task, dict) or set(task) != set(KEYS):
        given = sorted(task) if isinstance(task, dict) else type(task).__name__
        raise TypeError(f"task is {given}, expected a dictionary with {', '.join(KEYS)}")
    arrays = {name: _numbers(name, value) for name, value in task.items()}
    if query_y is not None:
        arrays["query_y"] = _numbers("query_y", query_y)
    for name, array in arrays.items():
        if array.ndim < 2:
            raise ValueError(f"{name} has shape {array.shape}, expected [tasks, examples, ...]")
        if array.shape[0] != len(arrays[SUPPORT_X]):
            raise ValueError(f"{name} has {array.shape[0]} tasks but support_x has {len(arrays[SUPPORT_X])}")
        if 0 in array.shape:
            raise ValueError(f"{name} is empty, expected at least one task, and one example per task")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} of task {_first_bad_task(array)} has NaN or infinite values")
    for x, y in ((SUPPORT_X, SUPPORT_Y), (QUERY_X, "query_y")):
        if y in arrays and arrays[x].shape[1] != arrays[y].shape[1]:
            raise ValueError(f"{y} has {arrays[y].shape[1]} examples per task but {x} has {arrays[x].shape[1]}")
    if arrays[SUPPORT_X].shape[2:] != arrays[QUERY_X].shape[2:]:
        raise ValueError(
            f"query_x has examples of shape {arrays[QUERY_X].shape[2:]} but support_x of {arrays[SUPPORT_X].shape[2:]}"
        )
    if query_y is not None:
        _check_kinds(arrays[SUPPORT_Y], arrays["query_y"])
    for name in (SUPPORT_X, QUERY_X):
        wanted = None if input_shape is None else tuple(input_shape[1:])
        given = arrays[name].shape[2:]
        if wanted is not None and (
            len(wanted) != len(given) or any(w not in (None, g) for w, g in zip(wanted, given, strict=True))
        ):
            raise ValueError(f"{name} has examples of shape {given} but the model takes {wanted}")
    for name in (SUPPORT_Y, "query_y"):
        labels = arrays.get(name)
        if labels is not None and labels.dtype.kind in "iub":
            low, high = labels.min(), labels.max()
            if num_classes is not None and (low < 0 or high >= num_classes):
                raise ValueError(f"{name} has labels {low}..{high} but the model has {num_classes} outputs")
            if low < 0:
                raise ValueError(f"{name} has labels {low}..{high}, expected labels 0..N-1")


def check_query_labels(task: Task, query_y: Any) -> None:
    """Raise a ValueError if a query has a label that the support set of its task has not.

    Args:
        task: a meta-batch that `check_task` has passed, with labels `support_y` [T, S].
        query_y: labels [T, Q].
    """
    support_y, query_y = np.asarray(task[SUPPORT_Y]), np.asarray(query_y)
    unknown = ~(query_y[:, :, None] == support_y[:, None]).any(axis=-1)
    if unknown.any():
        number, place = np.argwhere(unknown)[0]
        raise ValueError(
            f"query_y of task {number} has label {query_y[number, place]}, expected one of its support set, "
            f"{', '.join(map(str, np.unique(support_y[number])))}"
        )


def unpack(data: tuple) -> MetaBatch:
    """The `(task, query_y)` in what Keras hands to `train_step`; `train_on_batch` adds an empty third part.

    Raises:
        ValueError: if there are sample weights.
    """
    task, query_y, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError("sample_weight is given, expected none: all tasks of a meta-batch weigh the same")
    return cast(MetaBatch, (task, query_y))


def _numbers(name: str, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" and "float" not in array.dtype.name:
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    return array


def _check_kinds(support_y: np.ndarray, query_y: np.ndarray) -> None:
    whole = support_y.dtype.kind in "iub", query_y.dtype.kind in "iub"
    if whole[0] != whole[1]:
        kinds = ["labels" if w else "values" for w in whole]
        raise ValueError(f"query_y holds {kinds[1]} ({query_y.dtype}) but support_y {kinds[0]} ({support_y.dtype})")
    if support_y.shape[2:] != query_y.shape[2:]:
        raise ValueError(f"query_y has targets of shape {query_y.shape[2:]} but support_y of {support_y.shape[2:]}")


def _first_bad_task(array: np.ndarray) -> int:
    return int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
