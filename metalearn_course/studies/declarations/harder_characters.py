"""Why a network does worse on new scripts: it has memorised its characters, or the new ones are harder."""

import functools

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study


@functools.cache
def images():
    """Two halves of the training scripts, and the test scripts."""
    train, _, test = ml.images.glyph_splits()
    scripts = np.unique(train.alphabets)
    first = np.isin(train.alphabets, scripts[::2])
    return train.select(np.flatnonzero(first)), train.select(np.flatnonzero(~first)), test


@functools.cache
def episodes(index):
    """Test episodes of one half, or of the test scripts."""
    return ml.tasks.gather_tasks(ml.tasks.episodes(images()[index], ways=5, shots=1, queries=5, seed=1), 600)


def network(half, seed):
    """A prototypical network of one half."""
    learner = ml.PrototypicalNetwork(ml.networks.conv4(filters=32), batch_norm="running")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(1e-3), loss=loss, steps_per_execution=20)
    stream = ml.tasks.episodes(images()[half], 60, shots=1, queries=5, meta_batch_size=1, seed=1_000 + seed)
    learner.fit(stream, steps_per_epoch=200, verbose=0)
    return learner


def trained(seed):
    """One network for each half."""
    return [network(half, seed) for half in (0, 1)]


def blurred(seed):
    """The nearest neighbour on images that are blurred by 1.5 pixels; it has no weight that is trained."""
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, keras.ops.image.gaussian_blur(image, (13, 13), (1.5, 1.5)))
    learner = ml.NearestNeighbor(model)
    learner.compile()
    return [learner, learner]


def measure(networks):
    """Means over two networks, each trained on its half; "seen" and "unseen" are of the same episodes."""
    a, b = networks
    on = [[ml.score(one, episodes(index)).values for index in range(3)] for one in (a, b)]
    seen, unseen, test = (on[0][0] + on[1][1]) / 2, (on[0][1] + on[1][0]) / 2, (on[0][2] + on[1][2]) / 2
    found = {"seen": seen, "unseen": unseen, "test scripts": test, "unseen - test scripts": unseen - test}
    return {name: ml.Score(values, "accuracy", "both halves") for name, values in found.items()}


STUDY = Study(
    name="harder_characters",
    chapter="02",
    question="Is a network worse on new scripts since it has memorised its own, or since the new ones are harder?",
    budget="Two networks, each trained on one half of the training scripts: 200 steps of 60-way 1-shot episodes",
    rivals={
        "prototypical network": Rival(trained, untuned="it is compared with itself, on other characters"),
        "blurred nearest neighbour": Rival(blurred, untuned="nothing is trained", trained=False),
    },
    validate=lambda networks: measure(networks)["unseen"],
    measure=measure,
)
