"""Wrong arguments of `ml.plots`."""

import matplotlib.pyplot as plt
import numpy as np

import metalearn_lib as ml
from tests.bad_inputs.evaluation import SCORE
from tests.bad_inputs.right import EPISODE, EPISODE_Y, LIKE_QUERY_Y, PLANE, PLANE_Y, QUERY_Y, TASK, WAVES, wrong_tasks
from tests.bad_inputs.rows import (
    ARRAY,
    BY_NAME,
    FLAG,
    FROM_0,
    FUNCTION,
    NAN,
    OBJECT,
    POSITIVE,
    STRINGS,
    TEXT,
    WHOLE,
    Named,
    line,
    no_default,
    put,
)

FIGURE, AXES = plt.subplots()
plt.close(FIGURE)
AX = no_default(OBJECT)
INDEX = (*FROM_0, 6)
CURVE = {"task": TASK, "query_y": QUERY_Y, "predictions": {}}
IN_PLANE = {"task": PLANE, "query_y": PLANE_Y}
SHOWN = {"task": EPISODE, "query_y": EPISODE_Y}
NO_PREDICTIONS = (None, "text", [QUERY_Y], *({"a": value} for value in LIKE_QUERY_Y))
GRIDS = (*no_default(ARRAY), np.zeros(3), np.full((3, 3), NAN), np.zeros((2, 3)), np.zeros((1, 1)))
PROBABILITIES = (*GRIDS, np.full((3, 3), -0.1), np.full((3, 3), 1.1))
NEGATIVE = ml.Score(np.array([-2.0, 1.0]), "gain")

TABLE = [
    line(ml.plot_scores, scores=(*BY_NAME, {"a": SCORE, "b": ml.Score(np.ones(2), "regret")})),
    line(ml.plot_scores, {"log": True}, scores=({"a": SCORE, "b": NEGATIVE}, {"a": NEGATIVE})),
    line(ml.plot_scores, {"scores": {"a": SCORE}}, ax=AX, log=FLAG),
    line(ml.plot_curves, {"curves": {"a": [SCORE]}}, curves=(*BY_NAME, {"a": []}, {"a": [3]}), ax=AX, log=FLAG),
    line(ml.plot_curves, {"log": True}, curves=({"a": [NEGATIVE]},)),
    line(ml.plot_regression, CURVE, task=(*wrong_tasks(*WAVES), Named("query_y", PLANE)), index=INDEX, ax=AX),
    line(ml.plot_regression, CURVE, query_y=(*LIKE_QUERY_Y, QUERY_Y[..., 0]), predictions=NO_PREDICTIONS),
    line(ml.plot_plane, IN_PLANE, task=wrong_tasks(PLANE, PLANE_Y), probabilities=PROBABILITIES, index=INDEX),
    line(ml.plot_plane, IN_PLANE, truth=GRIDS, ax=AX),
    line(ml.plot_plane, IN_PLANE, query_y=(*ARRAY, PLANE_Y[:1], PLANE_Y[..., None], put(PLANE_Y, NAN))),
    line(ml.plot_episode, SHOWN, task=(*wrong_tasks(EPISODE, EPISODE_Y), Named("query_y", PLANE)), index=(*FROM_0, 2)),
    line(ml.plot_episode, SHOWN, query_y=(*ARRAY, EPISODE_Y[:1], EPISODE_Y[..., None]), queries=WHOLE),
    line(ml.plots.color_of, name=TEXT),
    line(ml.plots.curve_styles, names=(*STRINGS, None)),
    line(ml.plots.animation, {"draw": print, "frames": 1}, figure=(*OBJECT, AXES)),
    line(
        ml.plots.animation,
        {"figure": FIGURE, "draw": print, "frames": 1},
        draw=FUNCTION,
        frames=WHOLE,
        seconds=POSITIVE,
    ),
]
