"""MAML that was trained on 2, 10 or 100 sinusoids: on new examples of those tasks, and on new tasks."""

import functools

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

STEPS, AT_ONCE, SHOTS = 2_000, 25, 10
GRID = {"outer_lr": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]}


@functools.cache
def new_tasks(seed, number):
    """Seed 1 for the test, 2 to choose by."""
    return ml.tasks.gather_tasks(ml.tasks.sinusoids(seed=seed), number)


def known_tasks(number, batches, seed):
    """Meta-batches of the `number` training tasks of this training, with examples by `seed`."""
    rng = np.random.default_rng([2, *seed])
    parameters = np.random.default_rng([1, seed[0]]).uniform([0.1, 0], [5, np.pi], (100, 2))[:number]
    a, phi = parameters[rng.integers(number, size=AT_ONCE * batches)].T[..., None, None]
    x = rng.uniform(-5, 5, (AT_ONCE * batches, 2 * SHOTS, 1))
    tasks = ml.tasks.support_and_queries(x.astype(np.float32), (a * np.sin(x - phi)).astype(np.float32), SHOTS)
    return tf.data.Dataset.from_tensor_slices(tasks).batch(AT_ONCE, drop_remainder=True)  # pyright: ignore[reportArgumentType]


def train(seed, outer_lr, number):
    """MAML of `number` tasks, and 600 of these tasks with new examples."""
    learner = ml.MAML(ml.networks.mlp(), inner_lr=0.01)
    learner.compile(keras.optimizers.Adam(outer_lr), loss="mse", steps_per_execution=100)
    learner.fit(known_tasks(number, STEPS, [seed, 0]).repeat(), steps_per_epoch=STEPS, verbose=0)
    return learner, ml.tasks.gather_tasks(known_tasks(number, 24, [seed, 1]), 600)


def measure(trained):
    """Each new task also stands beside a known one, for the interval of the difference."""
    learner, known = trained
    on_known, on_new = ml.score(learner, known), ml.score(learner, new_tasks(1, 600))
    more = ml.Score(on_new.values - on_known.values, on_new.measure, "new tasks minus known ones")
    return {"known tasks": on_known, "new tasks": on_new, "new - known": more}


STUDY = Study(
    name="known_tasks",
    chapter="02",
    question="How much does MAML lose on new tasks, after training on 2, 10 or 100 of them?",
    budget="2,000 outer steps of 25 tasks with 20 examples; one inner step of 0.01",
    rivals={f"{n} tasks": Rival(functools.partial(train, number=n), GRID) for n in (2, 10, 100)},
    validate=lambda trained: ml.score(trained[0], new_tasks(2, 300)),
    measure=measure,
)
