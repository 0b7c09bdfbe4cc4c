"""Right tasks and learners, which wrong arguments stand beside, and wrong tasks."""

import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from tests.bad_inputs.rows import ARRAY, INF, NAN, OBJECT, Named, put

STREAM = ml.tasks.sinusoids(shots=3, queries=4)
ENDED = STREAM.take(1)  # 25 tasks
OTHER_STREAM = tf.data.Dataset.range(3)
TASK, QUERY_Y = WAVES = ml.tasks.gather_tasks(STREAM, 6)
PLANE, PLANE_Y = ml.tasks.gather_tasks(ml.tasks.linear_classification(shots=2, queries=3), 6)
IMAGES = ml.images.load_glyphs(drawers=3, size=8, scripts=["Hebrew", "Greek"])
EPISODE, EPISODE_Y = ml.tasks.gather_tasks(ml.tasks.episodes(IMAGES, ways=2, queries=1), 2)

LEARNER, GRADIENT = ml.NearestNeighbor(), ml.FromScratch(ml.networks.mlp(), inner_steps=1)
for learner in (LEARNER, GRADIENT):
    learner.compile(loss="mse")

LIKE_QUERY_Y = (*ARRAY, QUERY_Y[0], QUERY_Y[:, :1], put(QUERY_Y, NAN), put(QUERY_Y, INF))
NO_TASKS = (*OBJECT, OTHER_STREAM, (TASK,), Named("support_x", (TASK | {"support_x": NAN * TASK["query_x"]}, QUERY_Y)))


def wrong_tasks(task: dict, query_y: np.ndarray) -> tuple:
    """Wrong values of an argument that holds tasks."""
    parts = [Named(name, task | {name: put(task[name], NAN)}) for name in ("support_x", "query_x")]
    shorter = Named("support_y", task | {"support_y": task["support_y"][:, :1]})
    return (*OBJECT, {"support_x": task["support_x"]}, shorter, *parts)
