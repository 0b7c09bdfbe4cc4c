"""How well learners do: means over tasks with 95 % confidence intervals, on the same tasks for all."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import instances, numbers, real_numbers, texts, whole_numbers
from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.evaluation.intervals import crossed, over_tasks

LEAST_TASKS = 2
LEAST_TRAININGS = 3  # an interval over two covers 86 % instead of 95 %
MORE_IS_BETTER = ("accuracy", "log-likelihood", "return")


@dataclass(frozen=True, eq=False)
class Score:
    """One number for each of T tasks, or for each of R trainings and T tasks, and what follows for new ones.

    The interval of one training is Student's, over tasks: 95 % of such intervals hold the mean over all tasks of the
    family, for this training. Of several trainings it is over trainings and tasks (`intervals.crossed`): 95 % hold the
    mean for a new training too. Two scores of the same tasks can be subtracted: the interval of the difference is then
    the paired one, which is much narrower.

    Args:
        values: [T], one for each task, or [R, T], as `over_trainings` makes them.
        measure: what they measure, e.g. "accuracy" or "mean squared error".
        tasks: a fingerprint of the tasks, so that scores of other tasks are not mixed up with these.

    Raises:
        TypeError: if `values` are no numbers, or a text is none.
        ValueError: if `values` are not finite, or not [T] or [R, T] with T of at least 2 and R of at least 3.
    """

    values: np.ndarray
    measure: str
    tasks: str = ""

    def __post_init__(self) -> None:
        values = numbers("values", self.values)
        texts(measure=self.measure, tasks=self.tasks)
        if values.ndim not in (1, 2) or values.shape[-1] < LEAST_TASKS:
            raise ValueError(f"values has shape {values.shape}, expected one number for each of at least 2 tasks")
        if values.ndim == 2 and len(values) < LEAST_TRAININGS:
            raise ValueError(f"values has shape {values.shape}, expected at least {LEAST_TRAININGS} trainings")
        object.__setattr__(self, "values", values)

    @property
    def trainings(self) -> int | None:
        """The number R of trainings; None for one training, or for what is not trained."""
        return len(self.values) if self.values.ndim == 2 else None

    @property
    def num_tasks(self) -> int:
        """The number T of tasks."""
        return self.values.shape[-1]

    @property
    def mean(self) -> float:
        """The mean over tasks, and over trainings."""
        return float(self.values.mean())

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % confidence interval of the mean."""
        return over_tasks(self.values) if self.values.ndim == 1 else crossed(self.values)

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width

    def is_of_same(self, other: "Score") -> bool:
        """Whether both are the same measure of the same tasks.

        Raises:
            TypeError: if `other` is no Score.
        """
        instances(Score, "a Score", other=other)
        return (self.tasks, self.measure, self.num_tasks) == (other.tasks, other.measure, other.num_tasks)

    def __sub__(self, other: "Score") -> "Score":
        """The paired difference, task by task, and training by training where both have several.

        Raises:
            TypeError: if `other` is no Score.
            ValueError: if it is of other tasks, another measure or another number of trainings.
        """
        if not self.is_of_same(other):
            raise ValueError(f"other is a {other.measure} of other tasks, expected a {self.measure} of the same ones")
        if None not in (self.trainings, other.trainings) and self.trainings != other.trainings:
            raise ValueError(f"other is of {other.trainings} trainings, expected {self.trainings} as here")
        return Score(self.values - other.values, self.measure, self.tasks)

    def __str__(self) -> str:
        percent = self.measure == "accuracy"
        mean, half_width = (100 * v if percent else v for v in (self.mean, self.half_width))
        tells = half_width > 1e-12 * abs(mean)  # else it is the rounding of equal values
        if tells:
            decimals = max(0, 1 - math.floor(math.log10(half_width)))
        else:
            decimals = max(2, 2 - math.floor(math.log10(abs(mean)))) if mean else 2
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
        ValueError: if the shapes do not fit, or a label is outside 0..N-1.
        DivergedError: if a prediction is NaN or an infinite value.
    """
    query_y = numbers("query_y", query_y, "[T, Q, ...]")
    predictions = real_numbers("predictions", predictions, "[T, Q, ...]").astype(np.float64)
    labels = query_y.dtype.kind in "iu"
    # Class scores may be infinite, as the logarithm of a probability of 0 is.
    wrong = np.isnan(predictions) if labels else ~np.isfinite(predictions)
    if wrong.any():
        bad = int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))
        what = "NaN" if np.isnan(predictions[bad]).any() else "infinite"
        raise DivergedError(f"predictions of task {bad} are {what}, expected numbers: the learner diverged")
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
