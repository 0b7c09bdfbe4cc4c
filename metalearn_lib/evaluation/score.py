"""How well learners do: means over tasks with 95 % confidence intervals, on the same tasks for all."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

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
    """

    values: np.ndarray
    measure: str
    tasks: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or len(self.values) < LEAST_TASKS:
            raise ValueError(f"values has shape {self.values.shape}, expected one number for each of at least 2 tasks")

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
            ValueError: if the other score is of other tasks or another measure.
        """
        if (self.tasks, self.measure) != (other.tasks, other.measure):
            raise ValueError(f"other is a {other.measure} of other tasks, expected a {self.measure} of the same ones")
        return Score(self.values - other.values, self.measure, self.tasks)

    def __str__(self) -> str:
        percent = self.measure == "accuracy"
        mean, half_width = (100 * v if percent else v for v in (self.mean, self.half_width))
        decimals = max(0, 1 - math.floor(math.log10(half_width))) if half_width > 0 else 2
        return f"{mean:.{decimals}f} ± {half_width:.{decimals}f}" + " %" * percent


def score_predictions(predictions: np.ndarray, query_y: np.ndarray, tasks: str = "") -> Score:
    """The score of predictions: accuracy for labels, else mean squared error.

    Args:
        predictions: [T, Q, N] class scores where `query_y` holds labels, else of its shape.
        query_y: labels [T, Q], or values [T, Q, ...].
        tasks: a fingerprint of the tasks, see `Score`.

    Returns:
        A `Score` with T values.

    Raises:
        ValueError: if the shapes do not fit, or a prediction is not finite.
    """
    query_y = np.asarray(query_y)
    predictions = np.asarray(predictions, np.float64)
    if np.isnan(predictions).any():
        bad = int(np.argmax(np.isnan(predictions).reshape(len(predictions), -1).any(axis=1)))
        raise ValueError(f"predictions of task {bad} are NaN, expected numbers: the learner diverged")
    labels = query_y.dtype.kind in "iu"
    expected = query_y.shape if not labels else (*query_y.shape, predictions.shape[-1])
    if predictions.shape != expected:
        raise ValueError(f"predictions has shape {predictions.shape}, expected {expected}")
    if labels:
        right = predictions.argmax(axis=-1) == query_y
        return Score(right.mean(axis=1), "accuracy", tasks)
    errors = (predictions - query_y).reshape(len(query_y), -1)
    return Score((errors**2).mean(axis=1), "mean squared error", tasks)


def fingerprint(query_y: np.ndarray) -> str:
    """What identifies tasks by their targets, for `Score.tasks`."""
    return hashlib.sha256(np.ascontiguousarray(query_y).tobytes()).hexdigest()
