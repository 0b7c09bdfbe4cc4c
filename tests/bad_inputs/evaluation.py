"""Wrong arguments of `ml.evaluation` and of `ml.audit`."""

import numpy as np

import metalearn_lib as ml
from metalearn_lib.auditing.report import Report
from tests.bad_inputs.right import ENDED, GRADIENT, LEARNER, LIKE_QUERY_Y, NO_TASKS, PLANE_Y, QUERY_Y, TASK, WAVES
from tests.bad_inputs.rows import ARRAY, BY_NAME, FROM_0, INF, NAN, OBJECT, TEXT, WHOLE, Named, line, no_default, put

SCORE = ml.Score(np.array([1.0, 2.0]), "accuracy")
OTHERS = (ml.Score(SCORE.values, "regret"), ml.Score(np.ones(3), "accuracy"), ml.Score(SCORE.values, "accuracy", "x"))
NUMBER = (*no_default(WHOLE), 1, 7)  # of six tasks
NORMAL = {"mean": QUERY_Y, "deviation": QUERY_Y**2 + 1, "query_y": QUERY_Y}
NO_TARGETS = (*ARRAY, 3.0, QUERY_Y[0, 0], put(QUERY_Y, NAN))
CLASSES = {"predictions": np.zeros((6, 6, 2)), "query_y": PLANE_Y}
OTHER_LABELS = (PLANE_Y + 1, PLANE_Y - 1, Named("predictions", PLANE_Y[..., None]))

TRAINED = ml.Score(np.arange(6.0).reshape(3, 2), "accuracy")
GRIDS = ("text", {}, [0.1], {"inner_lr": 0.1}, {"inner_lr": [0.1]}, {"inner_lr": [0.2, 0.1]}, {"inner_lr": "ab"})

TABLE = [
    line(
        ml.over_trainings, scores=(*OBJECT, {}, [], [SCORE] * 2, [SCORE, None, SCORE], [TRAINED] * 3, [SCORE, *OTHERS])
    ),
    line(TRAINED.is_of_same, other=OBJECT),
    line(ml.claim, {"score": SCORE, "above": 0}, text=TEXT),
    line(ml.claim, {"text": "a", "above": 0}, score=OBJECT),
    line(ml.claim, {"text": "a", "score": SCORE}, above=("text", [1], {}), below=("text", [1], {})),
    line(ml.tune, {"make": lambda inner_lr: GRADIENT, "tasks": WAVES}, grid=GRIDS),
    line(ml.tune, {"grid": {"inner_lr": [0.1, 0.2]}, "tasks": WAVES}, make=(*OBJECT, lambda inner_lr: inner_lr)),
    line(
        ml.tune,
        {"make": lambda inner_lr: GRADIENT, "grid": {"inner_lr": [0.1, 0.2]}},
        tasks=NO_TASKS,
    ),
    line(
        ml.tune,
        {"make": lambda inner_lr: GRADIENT, "grid": {"inner_lr": [0.1, 0.2]}, "tasks": WAVES},
        num_tasks=no_default(WHOLE),
    ),
    line(ml.Score, {"measure": "accuracy"}, values=(*ARRAY, 1.0, [1.0], [[1.0, 2.0]], [1.0, NAN], [1.0, INF])),
    line(ml.Score, {"values": SCORE.values, "measure": "accuracy"}, measure=TEXT, tasks=TEXT),
    line(SCORE.__sub__, other=(*OBJECT, *OTHERS)),
    line(ml.score, {"learner": LEARNER, "tasks": WAVES}, learner=OBJECT, tasks=NO_TASKS, num_tasks=NUMBER),
    line(ml.score, {"learner": LEARNER, "tasks": ENDED}, num_tasks=(*no_default(WHOLE), 26)),
    line(ml.compare, {"learners": {"a": LEARNER}, "tasks": WAVES}, learners=BY_NAME, tasks=NO_TASKS, num_tasks=NUMBER),
    line(ml.adaptation_curve, {"learner": GRADIENT, "tasks": WAVES}, learner=(*OBJECT, LEARNER), steps=FROM_0),
    line(ml.adaptation_curve, {"learner": GRADIENT, "tasks": WAVES}, tasks=NO_TASKS, num_tasks=NUMBER),
    line(ml.score_predictions, {"query_y": QUERY_Y}, predictions=LIKE_QUERY_Y),
    line(ml.score_predictions, {"predictions": QUERY_Y, "query_y": QUERY_Y}, query_y=NO_TARGETS, tasks=TEXT),
    line(ml.score_predictions, CLASSES, query_y=OTHER_LABELS, predictions=(np.zeros((6, 6)), np.full((6, 6, 2), NAN))),
    line(ml.evaluation.fingerprint, query_y=NO_TARGETS),
    line(ml.evaluation.log_likelihood, NORMAL, mean=LIKE_QUERY_Y, query_y=NO_TARGETS),
    line(ml.evaluation.log_likelihood, NORMAL, deviation=(*LIKE_QUERY_Y, 0 * QUERY_Y, -(QUERY_Y**2) - 1)),
    line(ml.evaluation.calibration, NORMAL, mean=LIKE_QUERY_Y, query_y=NO_TARGETS),
    line(
        ml.evaluation.calibration, NORMAL, deviation=(*LIKE_QUERY_Y, 0 * QUERY_Y), levels=(*ARRAY, 0.5, [0], [1], [NAN])
    ),
    line(
        ml.audit,
        {"learner": LEARNER, "tasks": WAVES},
        learner=OBJECT,
        tasks=NO_TASKS,
        num_tasks=(*no_default(WHOLE), 7),
    ),
    line(ml.audit, {"learner": LEARNER, "tasks": WAVES}, step=no_default(OBJECT)),
    line(ml.audit, {"learner": LEARNER, "tasks": WAVES}, training=("text", 3, (TASK,), {})),
    line(ml.audit, {"learner": LEARNER, "tasks": WAVES}, baselines=("text", 3, [LEARNER], {"a": 3}, {"a": None})),
    line(Report("an audit", ()).__getitem__, name=("leakage", 3, None)),
]
