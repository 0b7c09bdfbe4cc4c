"""Wrong arguments of `ml.tasks`."""

import metalearn_lib as ml
from tests.bad_inputs.right import ENDED, IMAGES, OTHER_STREAM, PLANE, QUERY_Y, STREAM, TASK, WAVES, wrong_tasks
from tests.bad_inputs.rows import (
    FLAG,
    FROM_0,
    FUNCTION,
    LARGE,
    NAN,
    NOT_NEGATIVE,
    OBJECT,
    POSITIVE,
    RANGE,
    SEED,
    WHOLE,
    Named,
    line,
    put,
)

COUNTS = {"shots": WHOLE, "queries": WHOLE, "meta_batch_size": (*WHOLE, LARGE), "seed": SEED}
EPISODES = {"images": IMAGES, "queries": 1}
STREAMED = {"tasks": STREAM, "num_tasks": 3}
DRAW = {"draw": ml.acting.Bandits().draw, "meta_batch_size": 1, "seed": 0}
SPLIT = {"x": TASK["query_x"], "y": QUERY_Y, "support": 2}

TABLE = [
    line(ml.tasks.sinusoids, **COUNTS, amplitude=RANGE, phase=RANGE),
    line(ml.tasks.linear_classification, **COUNTS),
    line(ml.tasks.linear_regression, **COUNTS, dimensions=WHOLE, noise=NOT_NEGATIVE),
    line(ml.tasks.gaussian_processes, **COUNTS, lengthscale=POSITIVE, noise=POSITIVE),
    line(ml.tasks.gaussian_process_posterior, {"task": TASK}, lengthscale=POSITIVE, noise=POSITIVE),
    line(ml.tasks.gaussian_process_posterior, task=(*wrong_tasks(*WAVES), Named("support_x", PLANE))),
    line(ml.tasks.episodes, EPISODES, **COUNTS, ways=(*WHOLE, 100), within_alphabet=FLAG),
    line(ml.tasks.episodes, EPISODES, shots=(3, LARGE), queries=(3, LARGE), images=(*OBJECT, IMAGES.images)),
    line(ml.tasks.labelled_batches, {"images": IMAGES}, batch=WHOLE, seed=SEED, images=OBJECT),
    line(
        ml.tasks.gather_tasks, {"tasks": STREAM, "num_tasks": 3}, num_tasks=WHOLE, tasks=(*OBJECT, WAVES, OTHER_STREAM)
    ),
    line(ml.tasks.gather_tasks, {"tasks": ENDED}, num_tasks=(26, LARGE)),
    line(ml.tasks.starting_at, {"stream": STREAM, "index": 0}, stream=(*OBJECT, WAVES), index=FROM_0),
    line(ml.tasks.task_stream, DRAW, draw=FUNCTION, meta_batch_size=(*WHOLE, LARGE), seed=SEED, block=(*WHOLE, LARGE)),
    line(ml.tasks.support_and_queries, SPLIT, x=("text", None, QUERY_Y[0, 0]), support=(*WHOLE, 4)),
    line(ml.tasks.support_and_queries, SPLIT, y=("text", None, QUERY_Y[0, 0], QUERY_Y[:, :1], QUERY_Y[:1])),
    line(ml.tasks.check_task, {"query_y": QUERY_Y}, task=wrong_tasks(*WAVES)),
    line(ml.tasks.check_task, {"task": TASK}, query_y=(3.0, QUERY_Y[:1], QUERY_Y[:, :1], put(QUERY_Y, NAN))),
]
