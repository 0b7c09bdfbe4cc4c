"""How well learners do: scores with intervals, comparisons on the same tasks, calibration."""

from metalearn_lib.evaluation.calibration import calibration, log_likelihood
from metalearn_lib.evaluation.compare import adaptation_curve, compare, score
from metalearn_lib.evaluation.score import Score, fingerprint, score_predictions

__all__ = [
    "Score",
    "adaptation_curve",
    "calibration",
    "compare",
    "fingerprint",
    "log_likelihood",
    "score",
    "score_predictions",
]
