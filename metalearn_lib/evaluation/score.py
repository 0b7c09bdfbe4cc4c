"""How well learners do: means over tasks with 95 % confidence intervals, on the same tasks for all."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from metalearn_lib.core.checks import instances, numbers, real_numbers, texts, whole_numbers

LEAST_TASKS = 2


@dataclass(frozen=True, eq=False)
class Score:
    """One number for each of n tasks, and what follows for the family of tasks.

    The interval is Student's, mean ± t₀.₉₇₅(n − 1) · s/√n with the sample deviation s: over many samples of n tasks,
    95 % of such intervals hold the mean over all tasks of the family. Two scores of the same tasks can be
    subtracted: the interval of the difference is then the paired one, which is much narrower.

    Args:
        values: [n], one for each task.
        measure: what they measure, e.g. "accuracy" or "mean squared error".
        tasks: a fingerprint of the tasks, so that scores of other tasks are not mixed up with these.

    Raises:
        TypeError: if `values` are no numbers, or a text is none.
        ValueError: if `values` are not [n] with n of at least 2, or not finite.
    """

    values: np.ndarray
    measure: str
    tasks: str = ""

    def __post_init__(self) -> None:
        values = numbers("values", self.values)
        texts(measure=self.measure, tasks=self.tasks)
        if values.ndim != 1 or len(values) < LEAST_TASKS:
            raise ValueError(f"values has shape {values.shape}, expected one number for each of at least 2 tasks")
        object.__setattr__(self, "values", values)

    @property
    def mean(self) -> float:
        """The mean over tasks."""
        return float(self.values.mean())

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % confidence interval of the mean."""
        n = len(self.values)
        return float(stats.t.ppf(0.975, n - 1) * self.values.std(ddof=1) / np.sqrt(n))

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width

    def __sub__(self, other: "Score") -> "Score":
        """The paired difference, task by task.

        Raises:
            TypeError: if `other` is no Score.
            ValueError: if it is of other tasks or another measure.
        """
        instances(Score, "a Score", other=other)
        if (self.tasks, self.measure, len(self.values)) != (other.tasks, other.measure, len(other.values)):
            raise ValueError(f"other is a {other.measure} of other tasks, expected a {self.measure} of the same ones")
        return Score(self.values - other.values, self.measure, self.tasks)

    def __str__(self) -> str:
        percent = self.measure == "accuracy"
        mean, half_width = (100 * v if percent else v for v in (self.mean, self.half_width))
        decimals = max(0, 1 - math.floor(math.log10(half_width))) if half_width > 0 else 2
        return f"{mean:.{decimals}f} ± {half_width:.{decimals}f}" + " %" * percent


def score_predictions(predictions: ArrayLike, query_y: ArrayLike, tasks: str = "") -> Score:
    """The score of predictions: accuracy for labels, else mean squared error.

    Args:
        predictions: [T, Q, N] class scores where `query_y` holds labels, else of its shape.
        query_y: labels [T, Q], or values [T, Q, ...].
        tasks: a fingerprint of the tasks, see `Score`.

    Returns:
        A `Score` with T values.

    Raises:
        TypeError: if an array does not hold numbers.
        ValueError: if the shapes do not fit, a label is outside 0..N-1, or a prediction is NaN or an infinite value.
    """
    query_y = numbers("query_y", query_y, "[T, Q, ...]")
    predictions = real_numbers("predictions", predictions, "[T, Q, ...]").astype(np.float64)
    labels = query_y.dtype.kind in "iu"
    # Class scores may be infinite, as the logarithm of a probability of 0 is.
    wrong = np.isnan(predictions) if labels else ~np.isfinite(predictions)
    if wrong.any():
        bad = int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))
        what = "NaN" if np.isnan(predictions[bad]).any() else "infinite"
        raise ValueError(f"predictions of task {bad} are {what}, expected numbers: the learner diverged")
    expected = query_y.shape if not labels else (*query_y.shape, *predictions.shape[-1:])
    if predictions.shape != expected:
        raise ValueError(f"predictions has shape {predictions.shape}, expected {expected}")
    if labels:
        whole_numbers("query_y", query_y, "[T, Q]", 0, predictions.shape[-1] - 1)
        right = predictions.argmax(axis=-1) == query_y
        return Score(right.mean(axis=1), "accuracy", tasks)
    errors = (predictions - query_y).reshape(len(query_y), -1)
    return Score((errors**2).mean(axis=1), "mean squared error", tasks)


def fingerprint(query_y: ArrayLike) -> str:
    """What identifies tasks by their targets, for `Score.tasks`.

    Args:
        query_y: [T, Q, ...].

    Raises:
        TypeError: if `query_y` does not hold numbers.
        ValueError: if one is NaN or infinite, or there are fewer than two axes.
    """
    return hashlib.sha256(np.ascontiguousarray(numbers("query_y", query_y, "[T, Q, ...]")).tobytes()).hexdigest()
