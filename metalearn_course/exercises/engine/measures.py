"""Measures of results that are no plain predictions: how probable what came was said to be."""

from typing import TYPE_CHECKING

import numpy as np

import metalearn_lib as ml

if TYPE_CHECKING:
    from metalearn_lib import Score

LOWEST = -50.0  # of one target: one that was thought impossible does not decide alone


def log_likelihood_of_classes(found: np.ndarray, labels: np.ndarray) -> "Score":
    """The mean log-probability of the right classes, a `Score` over tasks, in nats.

    Args:
        found: log-probabilities [T, Q, N].
        labels: [T, Q].

    Raises:
        ValueError: if the shapes do not fit, or the probabilities of a query do not sum to 1.
    """
    if found.ndim != 3 or found.shape[:2] != labels.shape or found.shape[2] <= labels.max():
        raise ValueError(f"expected ({labels.shape[0]}, {labels.shape[1]}, N), a log-probability of each of N classes")
    if np.abs(np.exp(np.minimum(found, 1.0)).sum(axis=-1) - 1).max() > 1e-3:
        raise ValueError("expected log-probabilities: their exponentials must sum to 1 over the classes")
    values = np.take_along_axis(found, labels[..., None], axis=-1)[..., 0]
    return ml.Score(np.maximum(values, LOWEST).mean(axis=1), "log-likelihood")


def log_likelihood_of_values(found: np.ndarray, targets: np.ndarray) -> "Score":
    """The mean log-density of targets under normal distributions, a `Score` over tasks, in nats.

    Args:
        found: means and standard deviations [T, Q, 2].
        targets: [T, Q, 1].

    Raises:
        ValueError: if the shapes do not fit, or a deviation is not above 0.
    """
    if found.shape != (*targets.shape[:2], 2):
        raise ValueError(f"expected {(*targets.shape[:2], 2)}: a mean and a standard deviation for each query")
    mean, deviation = found[..., 0], found[..., 1]
    if not (deviation > 0).all():
        raise ValueError("expected standard deviations above 0 in the last column")
    values = -0.5 * ((targets[..., 0] - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)
    return ml.Score(np.maximum(values, LOWEST).mean(axis=1), "log-likelihood")
