"""Wrong arguments of `ml.acting`."""

import numpy as np

import metalearn_lib as ml
from tests.bad_inputs.rows import (
    ARRAY,
    FROM_0,
    NAN,
    NOT_NEGATIVE,
    OBJECT,
    POSITIVE,
    SEED,
    TEXT,
    WHOLE,
    line,
    no_default,
)

BANDITS, MAZES = ml.acting.Bandits(3, steps=4), ml.acting.Mazes()
GYM = ml.acting.GymEnvironment(BANDITS)
POLICY = ml.acting.RecurrentPolicy(BANDITS, units=2)
SIZES = {"actions": 1, "observations": 1, "steps": 1}
PAYS = np.ones((2, 3))
REGRET = {"tasks": PAYS, "actions": [[0], [1]]}
PLAY = {"environments": BANDITS, "player": ml.acting.RandomPolicy(3), "tasks": PAYS}
NO_TASKS = (*ARRAY, 3, PAYS[0], PAYS[:, :2], NAN * PAYS)
NO_CELLS = (*ARRAY, 0, [0.5], [-1], [25])
NO_ACTIONS = (*ARRAY, [0], [[0]], [[0.5], [1]], [[-1], [0]], [[0], [3]])
OPTIONS = ("text", 3, [1], {"task": "text"}, {"task": [1.0]}, {"task": [NAN] * 3})

TABLE = [
    line(ml.acting.Environments, SIZES, actions=WHOLE, observations=WHOLE, steps=WHOLE),
    line(BANDITS.stream, meta_batch_size=WHOLE, seed=SEED),
    line(BANDITS.sample, {"num_tasks": 1}, num_tasks=WHOLE, seed=SEED),
    line(ml.acting.Bandits, arms=WHOLE, steps=WHOLE),
    line(ml.acting.Mazes, drawing=(*TEXT, "", "S.\nG", "..\n.G", "S.\n..", "SG\n?."), steps=WHOLE),
    line(MAZES.distances, goal=(*FROM_0, 25)),
    line(BANDITS.regret, REGRET, tasks=NO_TASKS, actions=NO_ACTIONS),
    line(ml.acting.roll_out, PLAY, environments=(*OBJECT, ml.acting.Bandits), tasks=(*NO_TASKS, PAYS[:0]), seed=SEED),
    line(ml.acting.roll_out, PLAY, player=(*OBJECT, BANDITS, ml.acting.RandomPolicy(30))),
    line(ml.acting.towards, {"mazes": MAZES, "state": [0], "goal": [1]}, mazes=(*OBJECT, BANDITS), state=NO_CELLS),
    line(ml.acting.towards, {"mazes": MAZES, "state": [0]}, goal=(*NO_CELLS, [0, 1])),
    line(ml.acting.RandomPolicy, actions=WHOLE),
    line(ml.acting.Thompson, arms=WHOLE),
    line(ml.acting.UpperBound, arms=WHOLE),
    line(ml.acting.PosteriorMean, arms=WHOLE),
    line(ml.acting.OraclePolicy, environments=OBJECT),
    line(ml.acting.FixedTour, mazes=(*OBJECT, BANDITS)),
    line(ml.acting.GymEnvironment, environments=OBJECT),
    line(GYM.reset, seed=no_default(SEED), options=OPTIONS),
    line(GYM.step, action=(*FROM_0, 3)),
    line(ml.acting.RecurrentPolicy, environments=OBJECT),
    line(ml.acting.RecurrentPolicy, {"environments": BANDITS}, units=WHOLE, trials=(*WHOLE, 1), entropy_steps=WHOLE),
    line(ml.acting.RecurrentPolicy, {"environments": BANDITS}, discount=(*POSITIVE, 1.1), entropy=NOT_NEGATIVE),
    line(POLICY.fit, tasks=(*OBJECT, PAYS)),
]
