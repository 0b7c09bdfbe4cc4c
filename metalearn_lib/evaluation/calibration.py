"""How good predicted distributions are: their log-likelihood, and whether their intervals hold as much as they say."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from metalearn_lib.evaluation.score import Score, fingerprint

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def log_likelihood(mean: np.ndarray, deviation: np.ndarray, query_y: np.ndarray) -> Score:
    """The mean log-density of a query target under the normal distribution predicted for it, in nats, a number a task.

    Args:
        mean: [T, Q, ...], as `NeuralProcess.predict_distribution` returns it.
        deviation: [T, Q, ...], standard deviations.
        query_y: [T, Q, ...], the targets.

    Returns:
        A `Score` with T values; higher is better.

    Raises:
        ValueError: if the shapes differ, or a deviation is not positive.
    """
    density = stats.norm.logpdf(_standardised(mean, deviation, query_y)) - np.log(deviation)
    return Score(_task_means(density), "log-likelihood", fingerprint(query_y))


def calibration(
    mean: np.ndarray, deviation: np.ndarray, query_y: np.ndarray, levels: Sequence[float] = LEVELS
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
        ValueError: if the shapes differ, a deviation is not positive, or a level is not between 0 and 1.
    """
    for level in levels:
        if not 0 < level < 1:
            raise ValueError(f"levels has {level!r}, expected numbers between 0 and 1")
    distance, tasks = np.abs(_standardised(mean, deviation, query_y)), fingerprint(query_y)
    inside = {level: distance <= stats.norm.ppf((1 + level) / 2) for level in levels}
    return {level: Score(_task_means(share), "coverage", tasks) for level, share in inside.items()}


def _standardised(mean: np.ndarray, deviation: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """(y − mean) / deviation in float64."""
    for name, array in (("mean", mean), ("deviation", deviation)):
        if np.shape(array) != np.shape(query_y):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected that of query_y, {np.shape(query_y)}")
    if not np.all(np.asarray(deviation) > 0):
        raise ValueError(f"deviation has {np.min(deviation)}, expected positive numbers")
    return (np.asarray(query_y, float) - mean) / deviation


def _task_means(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).mean(axis=1)
