"""Chapter 13: Reptile with one inner step, on tasks whose labels are permuted anew each time."""

import keras

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
RATES = {"inner_lr": [0.05, 0.1, 0.3, 1.0, 3.0]}


def taking_five_steps(kind):
    """A training of one kind of learner; all take five steps on a new task."""

    def train(seed, inner_lr):
        learner = kind(ml.networks.mlp(num_inputs=2, num_outputs=2), inner_lr=inner_lr, inner_steps=5)
        learner.compile(keras.optimizers.Adam(3e-3), LOGITS, steps_per_execution=50, jit_compile=False)
        if kind is not ml.FromScratch:
            learner.fit(ml.tasks.linear_classification(seed=1_000 + seed), steps_per_epoch=600, verbose=0)
        return learner

    return train


STUDY = Study(
    name="one_inner_step",
    chapter="13",
    question="What does Reptile with one inner step learn where labels mean something else in every task?",
    budget="600 outer steps of 25 tasks; five steps on a new task",
    rivals={
        "untrained": Rival(taking_five_steps(ml.FromScratch), RATES),
        "one inner step": Rival(taking_five_steps(ml.JointTraining), RATES),
        "Reptile, five inner steps": Rival(taking_five_steps(ml.Reptile), RATES),
    },
    validate=lambda learner: ml.score(learner, ml.tasks.linear_classification(seed=1), 600),
    measure=lambda learner: {"two classes": ml.score(learner, ml.tasks.linear_classification(seed=2), 500)},
)
