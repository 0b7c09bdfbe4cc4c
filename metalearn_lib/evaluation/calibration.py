"""How good predicted distributions are: their log-likelihood, and whether their intervals hold as much as they say."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from metalearn_lib.core.checks import numbers
from metalearn_lib.evaluation.score import Score, fingerprint

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def log_likelihood(mean: ArrayLike, deviation: ArrayLike, query_y: ArrayLike) -> Score:
    """The mean log-density of query targets under the normal distributions predicted for them, in nats.

    Args:
        mean: [T, Q, ...], as `NeuralProcess.predict_distribution` returns it.
        deviation: [T, Q, ...], standard deviations.
        query_y: [T, Q, ...], the targets.

    Returns:
        A `Score` with T values, one per task; higher is better.

    Raises:
        TypeError: if an array does not hold numbers.
        ValueError: if the shapes differ, a number is NaN or infinite, or a deviation is not positive.
    """
    density = stats.norm.logpdf(_standardized(mean, deviation, query_y)) - np.log(deviation)
    return Score(_task_means(density), "log-likelihood", fingerprint(query_y))


def calibration(
    mean: ArrayLike, deviation: ArrayLike, query_y: ArrayLike, levels: Sequence[float] = LEVELS
) -> dict[float, Score]:
    """The share of query targets that lie inside the central intervals of the normal distributions predicted for them.

    The central interval of level p is mean ± z·deviation, with probability p under the prediction. A calibrated
    prediction holds a share p of the targets in it, at every level; less is overconfident, more is too careful.

    Args:
        mean: [T, Q, ...], as `NeuralProcess.predict_distribution` returns it.
        deviation: [T, Q, ...], standard deviations.
        query_y: [T, Q, ...], the targets.
        levels: nominal levels p, between 0 and 1.

    Returns:
        For each level the share as a `Score` with T values, so with an interval over tasks.

    Raises:
        TypeError: if an array does not hold numbers.
        ValueError: if the shapes differ, a number is NaN or infinite, a deviation is not positive, or a level is not
            between 0 and 1.
    """
    numbers("levels", levels, "[n]")
    for level in levels:
        if not 0 < level < 1:
            raise ValueError(f"levels has {level!r}, expected numbers between 0 and 1")
    distance, tasks = np.abs(_standardized(mean, deviation, query_y)), fingerprint(query_y)
    inside = {level: distance <= stats.norm.ppf((1 + level) / 2) for level in levels}
    return {level: Score(_task_means(share), "coverage", tasks) for level, share in inside.items()}


def _standardized(mean: ArrayLike, deviation: ArrayLike, query_y: ArrayLike) -> np.ndarray:
    """(y − mean) / deviation in float64."""
    query_y = numbers("query_y", query_y, "[T, Q, ...]")
    mean, deviation = numbers("mean", mean), numbers("deviation", deviation)
    for name, array in (("mean", mean), ("deviation", deviation)):
        if array.shape != query_y.shape:
            raise ValueError(f"{name} has shape {array.shape}, expected that of query_y, {query_y.shape}")
    if not np.all(deviation > 0):
        raise ValueError(f"deviation has {np.min(deviation)}, expected positive numbers")
    return (query_y.astype(float) - mean) / deviation


def _task_means(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).mean(axis=1)
