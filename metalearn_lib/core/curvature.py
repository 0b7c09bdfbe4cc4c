"""Products with a Hessian, and a system of equations solved with nothing but such products."""

from collections.abc import Callable
from typing import cast

import tensorflow as tf

from metalearn_lib.core.update import Weights

LEAST_CURVATURE = 0.01  # I + ∇²L/λ has at least 1 where L is convex


def hessian_product(loss: Callable[[Weights], tf.Tensor], weights: Weights, vector: Weights) -> Weights:
    """∇²L(θ) v for a vector v in the shapes of θ, without the matrix ∇²L: the gradient of ∇L(θ)·v."""
    with tf.GradientTape() as outer:
        outer.watch(weights)
        with tf.GradientTape() as inner:
            inner.watch(weights)
            value = loss(weights)
        slope = cast(Weights, inner.gradient(value, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO))
    product = outer.gradient(slope, weights, vector, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return cast(Weights, product)


def conjugate_gradients(product: Callable[[Weights], Weights], target: Weights, steps: int) -> Weights:
    """An approximate solution x of A x = b for a symmetric positive definite A (Hestenes, Stiefel 1952).

    Starts from b, which is the solution for A = I. Where the curvature of A along a direction falls from twice
    `LEAST_CURVATURE` to that, as it can away from a minimum, steps shrink to nothing: without a sudden stop, so that
    rounding cannot decide on the result. `relative_residual` says how near the solution is.

    Args:
        product: from x to A x, lists of tensors in the shapes of `target`.
        target: b, a list of tensors.
        steps: number of steps; as many as b has numbers give the solution but for rounding.

    Returns:
        x, in the shapes of b.
    """

    def step(
        solution: Weights, residual: Weights, direction: Weights, squared: tf.Tensor, share: tf.Tensor
    ) -> tuple[Weights, Weights, Weights, tf.Tensor, tf.Tensor]:
        image = product(direction)
        curvature = _dot(direction, image)
        relative = tf.math.divide_no_nan(curvature, LEAST_CURVATURE * _dot(direction, direction))
        share *= tf.clip_by_value(relative - 1, 0, 1)
        length = tf.where(share > 0, share * tf.math.divide_no_nan(squared, curvature), 0)
        solution = [x + length * d for x, d in zip(solution, direction, strict=True)]
        residual = [r - length * i for r, i in zip(residual, image, strict=True)]
        following = _dot(residual, residual)
        turn = tf.math.divide_no_nan(following, squared)
        direction = [r + turn * d for r, d in zip(residual, direction, strict=True)]
        return solution, residual, direction, following, share

    residual = [b - i for b, i in zip(target, product(target), strict=True)]
    squared = _dot(residual, residual)
    start = (target, residual, residual, squared, tf.ones_like(squared))
    return tf.while_loop(lambda *_: True, step, start, maximum_iterations=steps)[0]


def relative_residual(product: Callable[[Weights], Weights], solution: Weights, target: Weights) -> tf.Tensor:
    """‖b − A x‖ / ‖b‖, a scalar: 0 for an exact solution x, 1 for none.

    Args:
        product: from x to A x, lists of tensors in the shapes of `target`.
        solution: x.
        target: b.
    """
    left = [b - i for b, i in zip(target, product(solution), strict=True)]
    return tf.sqrt(tf.math.divide_no_nan(_dot(left, left), _dot(target, target)))


def _dot(a: Weights, b: Weights) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(x * y) for x, y in zip(a, b, strict=True)])
