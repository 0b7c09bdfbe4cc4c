"""Wrong arguments of `ml.memory`."""

import numpy as np

import metalearn_lib as ml
from tests.bad_inputs.images import FILE, PICTURES
from tests.bad_inputs.rows import ARRAY, INF, LARGE, NAN, PATH, POSITIVE, SEED, WHOLE, line, no_default, put

THETA, X, Y = [np.zeros((2, 2))], np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])
ONE = {"support_x": X, "support_y": Y}
MANY = {"support_x": X[None], "support_y": Y[None]}
MEMORY, EMBED = ml.Memory(), ml.memory.TaskEmbedding(1.0)
MEMORY.store(THETA, X, Y)

URLS = ("s3://bucket/memory", "gs://bucket", "az://container/memory", "file:///memory")
NO_SCALE = (*no_default(ARRAY), 0, -1.0, NAN, INF, [], [[1.0]], [1.0, 0.0])
NO_EXAMPLES = (*ARRAY, X[0, 0], X[:, :0], put(X, NAN), put(X, INF))
# Wrong for any memory, and of another model or kind of task than the entry above.
NEVER_X, OTHER_X = (*NO_EXAMPLES, X[:2]), (X[:, :1],)
NEVER_Y, OTHER_Y = (*ARRAY, Y - 1, Y + 5_000, Y[:1], put(Y, NAN), np.eye(3, dtype=int)), (Y + 0.5,)
NEVER_THETA = ("text", None, THETA[0], [], {"a": 1}, [None], ["a"], [put(THETA[0], NAN)])
OTHER_THETA = ([np.zeros(3)], [*THETA, *THETA])
NO_X, NO_Y, NO_THETA = (*NEVER_X, *OTHER_X), (*NEVER_Y, *OTHER_Y), (*NEVER_THETA, *OTHER_THETA)
MANY_X = (*NO_X, X[None, :, :1], X[None, :2], put(X[None], NAN))
MANY_Y = (*NO_Y, Y[None] - 1, Y[None, :1], Y[None] + 0.5)
K = (*WHOLE, 2, LARGE)

FIRST = line(MEMORY.store, {"weights": THETA} | ONE, weights=NEVER_THETA, support_x=NEVER_X, support_y=NEVER_Y)
LATER = [
    line(MEMORY.store, {"weights": THETA} | ONE, weights=NO_THETA, support_x=NO_X, support_y=NO_Y),
    line(MEMORY.store_many, {"weights": [THETA]} | MANY, weights=NO_THETA, support_x=MANY_X, support_y=MANY_Y),
    line(MEMORY.recall, ONE, support_x=NO_X, support_y=NO_Y, k=K),
    line(MEMORY.transfer, ONE, support_x=NO_X, support_y=NO_Y, k=K),
    line(MEMORY.recall_many, MANY, support_x=MANY_X, support_y=MANY_Y, k=K),
    line(MEMORY.transfer_many, MANY, support_x=MANY_X, support_y=MANY_Y, k=K),
    line(MEMORY.truncate, num_entries=("0", None, 0.5, [0], NAN, -1, 2, LARGE)),
    line(MEMORY.load_state, state=(None, 1, [X], {"weights": X})),
    line(MEMORY.__getitem__, index=("0", None, 0.0, [0], NAN, 1, -2, LARGE)),
]
TABLE = [
    *LATER,
    line(ml.Memory, path=(*no_default(PATH), FILE, PICTURES, *URLS), x_scale=NO_SCALE),
    line(ml.memory.median_scale, support_x=NO_EXAMPLES),
    line(ml.memory.TaskEmbedding.of, x_scale=(*NO_SCALE, None)),
    line(ml.memory.TaskEmbedding, x_scale=(*NO_SCALE, None)),
    line(ml.memory.TaskEmbedding, {"x_scale": 1.0}, features=(*WHOLE, 3), ridge=POSITIVE, seed=SEED),
    line(EMBED.map, x=(*ARRAY, 1.0, put(X, NAN))),
    line(EMBED.__call__, MANY, support_x=(*NO_EXAMPLES, X[None, :2], put(X[None], NAN)), support_y=NEVER_Y),
]
