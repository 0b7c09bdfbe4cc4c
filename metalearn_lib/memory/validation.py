"""Validation of what a memory is given: weights and support sets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import numbers

MAX_CLASSES = 1_000


def checked_weights(weights: Sequence[ArrayLike]) -> list[np.ndarray]:
    """The arrays of θ, each finite.

    Raises:
        TypeError: if `weights` is no sequence of numeric arrays.
        ValueError: if it is empty or holds NaN or infinity.
    """
    if isinstance(weights, str | bytes) or hasattr(weights, "shape") or not hasattr(weights, "__len__"):
        raise TypeError(f"weights is {type(weights).__name__}, expected a list of arrays, as get_weights() gives")
    if not len(weights):
        raise ValueError("weights is an empty list, expected at least one array")
    return [numbers(f"weights[{i}]", w) for i, w in enumerate(weights)]


def checked_support(support_x: ArrayLike, support_y: ArrayLike, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """A support set (axes = 1) or T of them (axes = 2), finite, with a target for each example.

    Raises:
        TypeError: if they are not numeric.
        ValueError: if they are empty, not finite, of unequal lengths, or with labels outside 0..MAX_CLASSES − 1.
    """
    x, y = numbers("support_x", support_x), numbers("support_y", support_y)
    lead = ["[S, ...]", "[T, S, ...]"][axes - 1]
    for name, array in ("support_x", x), ("support_y", y):
        if array.ndim < axes:
            raise ValueError(f"{name} has shape {list(array.shape)}, expected {lead}")
    if x.shape[:axes] != y.shape[:axes]:
        raise ValueError(
            f"support_x has shape {list(x.shape)}, support_y {list(y.shape)}, expected a target for each example"
        )
    if 0 in x.shape or 0 in y.shape:
        raise ValueError(f"support_x has shape {list(x.shape)} and is empty, expected at least one example")
    if y.dtype.kind in "iub":
        if np.prod(y.shape[axes:]) != 1:
            raise ValueError(f"support_y has integer shape {list(y.shape)}, expected one label for each example")
        if y.min() < 0 or y.max() >= MAX_CLASSES:
            raise ValueError(f"support_y has labels {y.min()}..{y.max()}, expected 0..{MAX_CLASSES - 1} at most")
    return x, y
