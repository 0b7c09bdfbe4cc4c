"""All that the library takes from the private parts of Keras and TensorFlow; nothing else touches them.

Each use says what is needed, why no public way serves, and what to do when Keras changes it; a test in
tests/core/test_keras_private.py fails then and repeats that sentence.
"""

import contextvars
from collections.abc import Sequence
from typing import Any, cast

import keras
import tensorflow as tf

exact_moments = contextvars.ContextVar("exact_moments", default=False)


def all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a model in order, those inside wrappers and nested models included.

    `Model.layers` does not see into wrappers such as Bidirectional. Plan B: recurse over `layers`, and over `layer`,
    `forward_layer` and `cell` of wrappers.
    """
    return list(model._flatten_layers(include_self=False, recursive=True))


def leaf_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a model that hold no other layers, in order."""
    return [layer for layer in all_layers(model) if not layer._layers]


def compiled_loss(learner: keras.Model, y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    """The loss that a model was compiled with, a scalar, without the penalties of its layers.

    `compute_loss` adds the penalties of the model's own weights, where an inner loop needs those of the weights it
    has come to. Plan B: `keras.losses.get(learner.loss)`, with the weights of several losses.
    """
    return learner._compile_loss(y, predictions)


def is_compiled_with_loss(learner: keras.Model) -> bool:
    """Whether a model was compiled, and with a loss."""
    return bool(learner.compiled) and learner.loss is not None


def install_exact_moments() -> None:
    """Let `tf.nn.moments` be differentiated exactly wherever the variable `exact_moments` is set.

    TensorFlow's takes the mean inside the variance as a constant. That leaves the first derivative as it is, since
    Σ(x − mean) = 0, but drops −2/n² from every second one, so that MAML's meta-gradient through a normalised network
    comes out wrong by a few per cent. Every normalisation layer of Keras calls it by this name; elsewhere and in other
    threads it stays what it was. Plan B: layers of our own in place of Keras's.

    Raises:
        RuntimeError: if Keras's normalisation does not call `tf.nn.moments` any more.
    """
    if getattr(tf.nn.moments, "of_metalearn_lib", False):
        return
    inexact, calls = tf.nn.moments, []

    def moments(x: tf.Tensor, axes: Sequence[int], *arguments: Any, **options: Any) -> tuple[tf.Tensor, tf.Tensor]:
        if not exact_moments.get():
            return inexact(x, axes, *arguments, **options)
        calls.append(None)
        return _moments(x, axes, *arguments, **options)

    moments.of_metalearn_lib = True  # pyright: ignore[reportFunctionMemberAccess] - marks what is installed
    tf.nn.moments = moments
    token = exact_moments.set(True)
    try:
        with tf.init_scope():
            keras.layers.BatchNormalization(dtype="float32")(tf.zeros([2, 1]), training=True)
    finally:
        exact_moments.reset(token)
    if not calls:
        tf.nn.moments = inexact
        raise RuntimeError(
            f"Keras {keras.__version__} normalises without tf.nn.moments, expected a version that calls it: "
            "second derivatives through batch normalisation would be wrong, see metalearn_lib/core/keras_private.py"
        )


def _moments(x: tf.Tensor, axes: Sequence[int], keepdims: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of `x` over `axes`."""
    if sorted(axis % len(x.shape) for axis in axes) == list(range(len(x.shape) - 1)) and None not in x.shape:
        # Over all but channels: products with ones, which take less time than XLA's sums over rows.
        rows = tf.reshape(x, [-1, x.shape[-1]])
        number = cast(int, rows.shape[0])
        average = tf.fill([1, number], tf.constant(1 / number, x.dtype))
        mean = average @ rows
        variance = average @ tf.math.squared_difference(rows, mean)
        shape = [1] * (len(x.shape) - 1) * keepdims + [x.shape[-1]]
        return tf.reshape(mean, shape), tf.reshape(variance, shape)
    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axes, keepdims=keepdims)
    return (mean if keepdims else tf.squeeze(mean, list(axes))), variance
