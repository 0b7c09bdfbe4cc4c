"""Chapter 11: how many inner steps a rate for each weight should be trained through, to be used for ten."""

from functools import partial

import keras

import metalearn_lib as ml
from metalearn_course.studies.declarations.learned_updates import (
    OUTER_STEPS,
    Problem,
    Update,
    Walker,
    family,
    measure,
    validate,
)
from metalearn_course.studies.study import Rival, Study

BEGIN = 0.005  # where all rates begin; they are learned from there


def meta_sgd(seed: int, outer_lr: float, inner_steps: int) -> Walker:
    """Meta-SGD as in `learned_updates`, but trained through another number of inner steps, from small rates."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    learner = ml.MAML(
        keras.Sequential([keras.Input((3,)), dense]), inner_lr=BEGIN, inner_steps=inner_steps, learn_inner_lr=True
    )
    schedule = keras.optimizers.schedules.CosineDecay(outer_lr, OUTER_STEPS)
    learner.compile(keras.optimizers.Adam(schedule), loss="mse", steps_per_execution=100)  # pyright: ignore[reportArgumentType]
    learner.fit(family(1_000 + seed), steps_per_epoch=OUTER_STEPS, verbose=0)
    rates = learner.inner_lrs()[0].numpy()[:, 0]  # pyright: ignore[reportIndexIssue]
    start = learner.initialization()[0].numpy()[:, 0]

    def update_on(problem: Problem) -> Update | None:
        if problem.hessian is None or problem.start.shape[1] != len(rates):
            return None
        there = problem.hessian @ start
        return lambda g, state, number: (-rates * g if number > 1 else start - rates * (g + there), None)

    return Walker(update_on)


GRID = {"outer_lr": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3]}
STUDY = Study(
    name="learned_rates",
    chapter="11",
    question="Through how many inner steps is Meta-SGD best trained, to be used for ten?",
    budget="4,000 outer steps of 32 tasks each, as in learned_updates",
    rivals={f"Meta-SGD, {steps} steps": Rival(partial(meta_sgd, inner_steps=steps), GRID) for steps in (2, 3, 5, 10)},
    validate=validate,
    measure=measure,
)
