"""The update rule θ ← θ − α∇L(θ, D), and the inner loop made of it.

Both work on values, not on variables: they take the weights as a list of tensors and return new ones, so a
tape outside can differentiate through them.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import tensorflow as tf

from metalearn_lib.core.vectorize import inner_step

Weights = list[tf.Tensor]

# A few steps written out run faster; many take too long to compile.
MOST_UNROLLED = 10


def gradient_step(
    loss: Callable[[Weights], tf.Tensor],
    weights: Sequence[tf.Tensor],
    lr: float | tf.Tensor | Sequence[tf.Tensor],
    first_order: bool = False,
) -> Weights:
    """One step of gradient descent, θ ← θ − α∇L(θ, D).

    Args:
        loss: L(·, D), from weights to a scalar.
        weights: θ, a list of tensors of any shapes.
        lr: α, one number for all weights or one tensor for each.
        first_order: take the gradient as a constant, so that a tape outside sees dθ'/dθ = 1 and no Hessian.

    Returns:
        The new weights, of the same shapes.
    """
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(list(weights))
    slope = tape.gradient(value, list(weights), unconnected_gradients=tf.UnconnectedGradients.ZERO)
    gradients = cast(Weights, slope)
    if first_order:
        gradients = [tf.stop_gradient(gradient) for gradient in gradients]
    rates = cast(Sequence[float | tf.Tensor], lr if isinstance(lr, list | tuple) else [lr] * len(gradients))
    return [w - _as(w.dtype, a) * g for w, g, a in zip(weights, gradients, rates, strict=True)]


def inner_loop(
    loss: Callable[[Weights], tf.Tensor],
    weights: Sequence[tf.Tensor],
    lr: float | tf.Tensor | Sequence[tf.Tensor],
    steps: int,
    first_order: bool = False,
    unrolled: bool = False,
) -> Weights:
    """`steps` gradient steps on one task: θ after the inner loop, differentiable with respect to θ before it.

    Args:
        loss: L(·, D), from weights to a scalar.
        weights: θ, a list of tensors of any shapes.
        lr: α, one number for all weights or one tensor for each.
        steps: number of gradient steps.
        first_order: see `gradient_step`.
        unrolled: write out every step, however many: XLA cannot compile a tape outside of a loop.

    Returns:
        The new weights, of the same shapes.
    """

    def step(number: tf.Tensor | int, *weights: tf.Tensor) -> list[Any]:
        with inner_step(number + 1):
            return [number + 1, *gradient_step(loss, weights, lr, first_order)]

    state: list[Any] = [0, *weights]
    if steps > MOST_UNROLLED and not unrolled:
        start = [tf.constant(0, tf.int64), *weights]
        return list(tf.while_loop(lambda *_: True, step, start, maximum_iterations=steps))[1:]
    for _ in range(steps):
        state = step(*state)
    return state[1:]


def _as(dtype: tf.DType, rate: float | tf.Tensor) -> tf.Tensor:
    """A rate in the dtype of its weights, without a detour of Python numbers through float32."""
    return tf.cast(rate, dtype) if tf.is_tensor(rate) else tf.convert_to_tensor(rate, dtype)
