"""What is audited: a learner of any kind, together with the tasks it is audited on."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
from scipy import stats

from metalearn_lib.auditing.reach import Reach
from metalearn_lib.evaluation.score import Score, score_predictions

Arrays = Mapping[str, np.ndarray]

# Of the spread of predictions: a larger change is more than rounding.
SAME = 1e-3


class Subject:
    """A learner and tasks.

    Args:
        learner: a Keras model whose input is a task, or a function from a task to predictions of its queries.
        task: `support_x` [T, S, ...], `support_y` [T, S, ...], `query_x` [T, Q, ...], NumPy arrays.
        query_y: labels [T, Q] or values [T, Q, ...].
        batch: number of tasks that a Keras model sees at once.
    """

    def __init__(self, learner: keras.Model | Callable, task: Arrays, query_y: np.ndarray, batch: int) -> None:
        self.learner, self.task, self.query_y, self.batch = learner, dict(task), query_y, batch
        self.labels = query_y.dtype.kind in "iu"
        self._sets_back = False
        self.trains_by_optimizer = True  # until its training step is seen to do without
        self.classes = int(max(task["support_y"].max(), query_y.max())) + 1 if self.labels else 0

    def predict(self, **changed: np.ndarray) -> np.ndarray:
        """Predictions of the queries, with some arrays of the task changed.

        Returns:
            Scores of classes [T, Q, N or more] or values [T, Q, ...].

        Raises:
            ValueError: if their shape is another.
        """
        task = self.task | changed
        if self._sets_back:
            self.reach.restore()
        if isinstance(self.learner, keras.Model):
            keras_model: Any = self.learner  # its stubs take no number for `verbose`
            predictions = keras_model.predict(task, batch_size=self.batch, verbose=0)
        else:
            predictions = np.asarray(self.learner(task))
        expected = self.query_y.shape
        if self.labels and predictions.shape == expected and predictions.dtype.kind in "iu":
            return np.eye(max(self.classes, int(predictions.max()) + 1))[predictions]
        fits = predictions.shape[:-1] == expected if self.labels else predictions.shape == expected
        if not fits or (self.labels and predictions.shape[-1] < self.classes):
            wanted = f"{(*expected, self.classes)} scores or {expected} whole labels" if self.labels else f"{expected}"
            raise ValueError(f"learner gave predictions of shape {predictions.shape}, expected {wanted}")
        return predictions

    @cached_property
    def reach(self) -> Reach:
        """What the learner reaches, as it was before its first prediction."""
        return Reach(self.learner)

    @cached_property
    def predictions(self) -> np.ndarray:
        """Predictions for the tasks as they are."""
        _ = self.reach
        return self.predict()

    @cached_property
    def again(self) -> float:
        """How far predictions of the same tasks are apart, with other tasks in between; 0 if they are the same."""
        before = self.predictions
        self._predict_others()
        return self.change(self.predict(), before)

    @cached_property
    def remembers(self) -> bool:
        """Whether they are apart although all random generators start from the same state: something else is kept."""
        if not self.again:
            return False
        with self.reach.seeded():
            before = self.predict()
        self._predict_others()
        with self.reach.seeded():
            return bool(self.change(self.predict(), before))

    @cached_property
    def comparable(self) -> bool:
        """Whether predictions can be compared, from now on with all that the learner reaches set back before each."""
        if self.again and self.remembers:
            self._sets_back = True
            self._sets_back = not self.change(self.predict())
        return not self.again or self._sets_back

    def _predict_others(self) -> None:
        """The tasks in reverse order, and their targets belong to other examples."""
        changed = {name: array[::-1] for name, array in self.task.items()}
        self.predict(**{**changed, "support_y": np.roll(changed["support_y"], 1, axis=1)})

    def change(self, predictions: np.ndarray, before: np.ndarray | None = None) -> float:
        """The largest difference to the predictions as they are, in their standard deviations; 0 if rounding."""
        before = self.predictions if before is None else before
        spread = float(np.std(before[np.isfinite(before)])) or 1.0
        with np.errstate(invalid="ignore"):
            same = (before == predictions) | (np.isnan(before) & np.isnan(predictions))
            differences = np.where(same, 0.0, np.abs(predictions - before))
        largest = float(differences.max()) / spread
        return 0.0 if largest < SAME else largest

    def score(self, predictions: np.ndarray, query_y: np.ndarray | None = None) -> Score:
        """One number per task: accuracy, or mean squared error."""
        return score_predictions(predictions, self.query_y if query_y is None else query_y)

    def gain(self, mine: Score, other: Score) -> Score:
        """By how much `mine` is better, task by task: more accuracy or less error."""
        return mine - other if self.labels else other - mine


def surely_positive(values: Score) -> bool:
    """Whether the 99.9 % interval of the mean lies above zero: the threshold for reporting a failure."""
    n, deviation = len(values.values), float(values.values.std(ddof=1))
    return bool(values.mean > stats.t.ppf(0.9995, n - 1) * deviation / np.sqrt(n))


def deviations(change: float) -> str:
    """A change of predictions in words."""
    number = f"{change:.2g}"
    return f"{number} standard deviation{'s' * (number != '1')}"


def name_of(learner: Any) -> str:
    """What a learner is called."""
    return getattr(learner, "__name__", type(learner).__name__)
