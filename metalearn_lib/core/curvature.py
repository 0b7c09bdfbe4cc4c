"""Products with a Hessian, and a system of equations solved with nothing but such products."""

from collections.abc import Callable

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
        slope = inner.gradient(value, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return outer.gradient(slope, weights, vector, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def conjugate_gradients(product: Callable[[Weights], Weights], target: Weights, steps: int) -> Weights:
    """An approximate solution x of A x = b for a symmetric positive definite A (Hestenes, Stiefel 1952).

    Starts from b, which is the solution for A = I. Where the curvature of A along a direction is below
    `LEAST_CURVATURE`, as it can be away from a minimum, it stops with what it has.

    Args:
        product: from x to A x, lists of tensors in the shapes of `target`.
        target: b, a list of tensors.
        steps: number of steps; as many as b has numbers give the solution but for rounding.

    Returns:
        x, in the shapes of b.
    """

    def step(
        solution: Weights, residual: Weights, direction: Weights, squared: tf.Tensor, going: tf.Tensor
    ) -> tuple[Weights, Weights, Weights, tf.Tensor, tf.Tensor]:
        image = product(direction)
        curvature = _dot(direction, image)
        going = going & (curvature > LEAST_CURVATURE * _dot(direction, direction))
        length = tf.where(going, tf.math.divide_no_nan(squared, curvature), 0)
        solution = [x + length * d for x, d in zip(solution, direction, strict=True)]
        residual = [r - length * i for r, i in zip(residual, image, strict=True)]
        following = _dot(residual, residual)
        turn = tf.math.divide_no_nan(following, squared)
        direction = [r + turn * d for r, d in zip(residual, direction, strict=True)]
        return solution, residual, direction, following, going

    residual = [b - i for b, i in zip(target, product(target), strict=True)]
    start = (target, residual, residual, _dot(residual, residual), tf.constant(True))
    return tf.while_loop(lambda *_: True, step, start, maximum_iterations=steps)[0]


def _dot(a: Weights, b: Weights) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(x * y) for x, y in zip(a, b, strict=True)])
