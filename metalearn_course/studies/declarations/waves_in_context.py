"""Chapter 9: the transformer of that chapter on sinusoids, beside MAML."""

import keras

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

META_BATCHES = 1_000


def waves(seed, queries=8):
    """Sinusoids from eight examples."""
    return ml.tasks.sinusoids(8, queries, 25, seed)


VALIDATION = ml.tasks.gather_tasks(waves(2, 50), 600)
TEST = ml.tasks.gather_tasks(waves(1, 50), 400)


def fitted(learner, seed, rate):
    """The last quarter with a tenth of the rate."""
    learner.compile(keras.optimizers.Adam(rate), loss="mse", steps_per_execution=50)
    for part, (share, factor) in enumerate(((0.75, 1), (0.25, 0.1))):
        learner.optimizer.learning_rate = factor * rate
        learner.fit(waves(1_000 + 10 * seed + part), steps_per_epoch=int(share * META_BATCHES), verbose=0)
    return learner


def in_context(seed, rate):
    """The transformer with one block."""
    return fitted(ml.InContextLearner(ml.networks.mlp(1, 32, (32,)), width=32, depth=1, heads=4), seed, rate)


def maml(seed, rate, inner_lr, steps=1):
    """MAML, trained with one inner step and asked after `steps`."""
    learner = fitted(ml.MAML(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=1), seed, rate)
    asked = ml.MAML(learner.model, inner_lr=inner_lr, inner_steps=steps)
    asked.compile(loss="mse")
    return asked


def maml_ten_steps(seed, rate, inner_lr):
    """The same after ten steps."""
    return maml(seed, rate, inner_lr, steps=10)


def error(learner, tasks):
    """The mean squared error on the queries of each task."""
    return ml.compare({"it": learner}, tasks, len(tasks[1]))["it"]


STUDY = Study(
    name="waves_in_context",
    chapter="09",
    question="Does the transformer answer better than MAML on sinusoids from eight examples?",
    budget="1,000 meta-batches of 25 tasks for each training",
    rivals={
        "in context": Rival(in_context, {"rate": [0.001, 0.003, 0.01, 0.03]}),
        "MAML, 1 step": Rival(maml, {"rate": [0.001, 0.003, 0.01, 0.03], "inner_lr": [0.003, 0.01, 0.03, 0.1]}),
        "MAML, 10 steps": Rival(
            maml_ten_steps, {"rate": [0.001, 0.003, 0.01, 0.03], "inner_lr": [0.003, 0.01, 0.03, 0.1]}
        ),
    },
    validate=lambda learner: error(learner, VALIDATION),
    measure=lambda learner: {"error": error(learner, TEST)},
)
