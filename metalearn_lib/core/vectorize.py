"""One function for each task of a meta-batch, run for all tasks at once."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from metalearn_lib.core.keras_private import exact_moments, install_exact_moments

_task = contextvars.ContextVar[tf.Tensor | None]("task", default=None)
_step = contextvars.ContextVar[tf.Tensor | int]("step", default=0)


def over_tasks(function: Callable[..., Any], *stacked: Any, own_weights: bool = True) -> Any:
    """Apply `function` to each task of a meta-batch, vectorised: every argument and result has a leading axis T.

    Args:
        function: what to do for one task.
        stacked: its arguments, nested structures of tensors [T, ...].
        own_weights: whether layers are called with weights that differ from task to task.

    Returns:
        What `function` returns, every tensor with a leading axis T.
    """

    def one(arguments: tuple) -> Any:
        token = _task.set(arguments[0])
        try:
            return function(*arguments[1])
        finally:
            _task.reset(token)

    numbers = tf.range(tf.shape(tf.nest.flatten(stacked)[0], out_type=tf.int64)[0])
    with each_task_has_its_own_weights() if own_weights else contextlib.nullcontext():
        return tf.vectorized_map(one, (numbers, stacked))


def current_task() -> tf.Tensor | None:
    """The number of the task that an `over_tasks` around is at, a scalar int64; None outside of one."""
    return _task.get()


@contextlib.contextmanager
def inner_step(number: tf.Tensor | int) -> Iterator[None]:
    """While it lasts, layers are called in step `number` of an inner loop."""
    token = _step.set(number)
    try:
        yield
    finally:
        _step.reset(token)


def current_step() -> tf.Tensor | int:
    """The number of the inner step that an `inner_step` around is at, from 1; 0 outside of one."""
    return _step.get()


@contextlib.contextmanager
def each_task_has_its_own_weights() -> Iterator[None]:
    """While it lasts, layers are traced for a body that is vectorised over tasks and differentiated twice.

    Two things change in this thread: `TaskConv2D` multiplies patches, and mean and variance are differentiated exactly.
    """
    install_exact_moments()
    token = exact_moments.set(True)
    try:
        yield
    finally:
        exact_moments.reset(token)


def has_its_own_weights() -> bool:
    """Whether layers are traced inside `each_task_has_its_own_weights()`."""
    return exact_moments.get()
