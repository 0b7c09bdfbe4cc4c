"""One function for each task of a meta-batch, run for all tasks at once."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import tensorflow as tf

_own_weights = False


def over_tasks(function: Callable[..., Any], *stacked: Any, own_weights: bool = True) -> Any:
    """Apply `function` to each task of a meta-batch, vectorised: every argument and result has a leading axis T.

    Args:
        function: what to do for one task.
        stacked: its arguments, nested structures of tensors [T, ...].
        own_weights: whether layers are called with weights that differ from task to task.

    Returns:
        What `function` returns, every tensor with a leading axis T.
    """
    with each_task_has_its_own_weights() if own_weights else contextlib.nullcontext():
        return tf.vectorized_map(lambda arguments: function(*arguments), stacked)


@contextlib.contextmanager
def each_task_has_its_own_weights() -> Iterator[None]:
    """While it lasts, layers are traced for a body that is vectorised over tasks and differentiated twice.

    Two things change: `TaskConv2D` multiplies patches, and mean and variance are differentiated exactly.
    """
    global _own_weights
    before, _own_weights = _own_weights, True
    try:
        with mock.patch.object(tf.nn, "moments", _moments):
            yield
    finally:
        _own_weights = before


def has_its_own_weights() -> bool:
    """Whether layers are traced inside `each_task_has_its_own_weights()`."""
    return _own_weights


def _moments(x: tf.Tensor, axes: Sequence[int], keepdims: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance, in place of `tf.nn.moments`, which every normalisation layer of Keras calls.

    TensorFlow's takes the mean inside the variance as a constant. That leaves the first derivative as it is, since
    Σ(x − mean) = 0, but drops −2/n² from every second one, so that MAML's meta-gradient through a normalised network
    comes out wrong by a few per cent.
    """
    if sorted(axis % len(x.shape) for axis in axes) == list(range(len(x.shape) - 1)) and None not in x.shape:
        # Over all but channels: products with ones, which take less time than XLA's sums over rows.
        rows = tf.reshape(x, [-1, x.shape[-1]])
        average = tf.fill([1, rows.shape[0]], tf.constant(1 / rows.shape[0], x.dtype))
        mean = average @ rows
        variance = average @ tf.math.squared_difference(rows, mean)
        shape = [1] * (len(x.shape) - 1) * keepdims + [x.shape[-1]]
        return tf.reshape(mean, shape), tf.reshape(variance, shape)
    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axes, keepdims=keepdims)
    return (mean if keepdims else tf.squeeze(mean, axes)), variance
