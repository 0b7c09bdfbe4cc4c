"""Chapter 13: is a distance without its square a mistake, or a temperature that nobody set?"""

import keras
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
TRAINING, VALIDATION, TEST = ml.images.glyph_splits(size=14)
CHOOSING = ml.tasks.gather_tasks(ml.tasks.episodes(VALIDATION, ways=5, shots=5, seed=1), 600)
TESTS = {
    f"{shots} shot{'s' * (shots > 1)}": ml.tasks.gather_tasks(ml.tasks.episodes(TEST, ways=5, shots=shots, seed=2), 500)
    for shots in (1, 5)
}


class Unsquared(ml.PrototypicalNetwork):
    """Prototypes compared by the distance instead of its square."""

    def call(self, task, training=False):
        """Minus the distance to each prototype."""
        return -tf.sqrt(1e-6 - tf.minimum(super().call(task, training), 0))


def trained(kind):
    """A training of one kind of prototypical network, its embedding multiplied by `scale`."""

    def train(seed, scale=1.0):
        layers = [keras.Input((14, 14, 1)), keras.layers.Flatten(), keras.layers.Dense(64), keras.layers.ReLU()]
        layers += [keras.layers.Dense(64), keras.layers.Rescaling(scale)]
        learner = kind(keras.Sequential(layers))
        learner.compile(keras.optimizers.Adam(1e-3), LOGITS, steps_per_execution=20)
        stream = ml.tasks.episodes(TRAINING, ways=20, shots=5, meta_batch_size=1, seed=1_000 + seed)
        learner.fit(stream, steps_per_epoch=300, verbose=0)
        return learner

    return train


STUDY = Study(
    name="temperature",
    chapter="13",
    question="Is a prototypical network worse without the square of its distance?",
    budget="300 episodes of 20 ways and 5 shots",
    rivals={
        "squared, scale 1": Rival(trained(ml.PrototypicalNetwork), untuned="as public code has it"),
        "unsquared, scale 1": Rival(trained(Unsquared), untuned="as public code has it"),
        "squared, scale chosen": Rival(
            trained(ml.PrototypicalNetwork), {"scale": [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0]}
        ),
        "unsquared, scale chosen": Rival(trained(Unsquared), {"scale": [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]}),
    },
    validate=lambda learner: ml.score(learner, CHOOSING),
    measure=lambda learner: {name: ml.score(learner, tasks) for name, tasks in TESTS.items()},
)
