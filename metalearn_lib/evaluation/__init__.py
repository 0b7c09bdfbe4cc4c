"""How well learners do: scores with intervals over tasks and trainings, comparisons, tuning, claims, calibration."""

from metalearn_lib.evaluation.calibration import calibration, log_likelihood
from metalearn_lib.evaluation.claim import ClaimError, claim
from metalearn_lib.evaluation.compare import adaptation_curve, compare, score
from metalearn_lib.evaluation.score import Score, fingerprint, score_predictions
from metalearn_lib.evaluation.trainings import over_trainings
from metalearn_lib.evaluation.tuning import Tuned, tune

__all__ = [
    "ClaimError",
    "Score",
    "Tuned",
    "adaptation_curve",
    "calibration",
    "claim",
    "compare",
    "fingerprint",
    "log_likelihood",
    "over_trainings",
    "score",
    "score_predictions",
    "tune",
]
