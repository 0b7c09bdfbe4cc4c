"""Slopes of a loss by finite differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MOST_PARTS = 6
CHANGE = 5e-4  # of the loss: above rounding, and small enough for the loss to be straight
STRAIGHT = 0.01  # what counts: where two sizes of steps agree so far; a ReLU that switches in between makes a jump
TINY = 1e-30  # instead of a division by zero


def difference(
    variables: Sequence[Any],
    gradients: Sequence[np.ndarray],
    outer_loss: Callable[[], float],
    any_scale: bool = False,
) -> tuple[float, float]:
    """How far slopes along a gradient, part by part, are from its lengths, and on what share of it they tell.

    Args:
        variables: the weights that the loss depends on; they are left as they were.
        gradients: what is claimed, an array for each weight.
        outer_loss: the loss with the weights as they are.
        any_scale: whether a gradient of a multiple of the loss is right too. Each weight is then halved at random,
            so that there are enough parts to compare.

    Returns:
        The relative difference, 0 for equal, and a share of 0 to 1.
    """
    most = sorted(zip(variables, gradients, strict=True), key=lambda pair: -(pair[1] ** 2).sum())[:MOST_PARTS]
    if any_scale:
        most = [half for pair in most[: MOST_PARTS // 2] for half in _halves(*pair)]
    lengths = np.array([np.linalg.norm(gradient) for _, gradient in most])
    size = float(np.linalg.norm(lengths))
    change = CHANGE * abs(outer_loss())
    measured, rough = np.array([_slope(outer_loss, *pair, change, size) for pair in most]).T
    if any_scale:
        scale = max(float(measured @ lengths), 0.0) / max(size**2, TINY)
        lengths, size = scale * lengths, scale * size
    tells = rough <= STRAIGHT * size
    scale = max(np.linalg.norm(measured[tells]), np.linalg.norm(lengths[tells]), TINY)
    share = np.linalg.norm(lengths[tells]) / size if size else 1.0
    return float(np.linalg.norm((measured - lengths)[tells]) / scale), float(share)


def _halves(variable: Any, gradient: np.ndarray) -> list[tuple[Any, np.ndarray]]:
    if gradient.size == 1:
        return [(variable, gradient)]
    some = np.random.default_rng(0).permutation(gradient.size).reshape(gradient.shape) % 2
    return [(variable, gradient * some), (variable, gradient * (1 - some))]


def _slope(
    outer_loss: Callable[[], float], variable: Any, gradient: np.ndarray, change: float, size: float
) -> tuple[float, float]:
    """The slope of the loss along the gradient in one weight by finite differences, and how uncertain it is."""
    length = float(np.linalg.norm(gradient))
    # A gradient of zero claims that the loss does not depend on the weight: then all of it is moved.
    direction = gradient / length if length else np.full(gradient.shape, gradient.size**-0.5)
    value = variable.numpy()
    step = min(change / max(length, 0.1 * size, TINY), 0.05 * float(np.sqrt(gradient.size)))

    def central(step: float) -> float:
        losses = []
        for signed in (step, -step):
            variable.assign(value + signed * direction)
            losses.append(outer_loss())
        return (losses[0] - losses[1]) / (2 * step)

    try:
        whole, half = central(step), central(step / 2)
    finally:
        variable.assign(value)
    return (4 * half - whole) / 3, abs(half - whole)
