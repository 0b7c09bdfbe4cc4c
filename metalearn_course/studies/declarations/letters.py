"""Chapter 6: letters of alphabets never seen, one example of each, script by script."""

import keras

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

TRAINING, VALIDATION, TEST = ml.images.glyph_splits()
SCRIPTS = sorted(set(TEST.alphabets))


def episodes(images, ways, queries, seed, tasks):
    """Episodes within one alphabet each, one example of each character."""
    stream = ml.tasks.episodes(images, ways, 1, queries, meta_batch_size=10, seed=seed, within_alphabet=True)
    return ml.tasks.gather_tasks(stream, tasks)


CHOOSING = episodes(VALIDATION, 5, 5, 1, 400)
TESTS = {
    "5-way": episodes(TEST, 5, 5, 1, 400),
    "20-way": episodes(TEST, 20, 2, 1, 400),
    **{f"20-way, {script}": episodes(TEST.subset([script]), 20, 2, 2, 300) for script in SCRIPTS},
}


def prototypes(seed, lr, steps=300):
    """Prototypes of an embedding trained on 20-way episodes that mix all training scripts."""
    learner = ml.PrototypicalNetwork(ml.networks.conv4(filters=32), batch_norm="running")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(lr), loss=loss)
    stream = ml.tasks.episodes(TRAINING, ways=20, queries=3, meta_batch_size=1, seed=1_000 + seed)
    if steps:
        learner.fit(stream, steps_per_epoch=steps, verbose=0)
    return learner


def untrained(seed):
    """Prototypes of a random embedding."""
    return prototypes(seed, 0.001, steps=0)


def nearest(seed):
    """The character whose pixels are nearest."""
    learner = ml.NearestNeighbor()
    learner.compile()
    return learner


def blurred(seed, sigma):
    """The same on images that are blurred by `sigma` pixels."""
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, keras.ops.image.gaussian_blur(image, (19, 19), (sigma, sigma)))
    learner = ml.NearestNeighbor(model)
    learner.compile()
    return learner


STUDY = Study(
    name="letters",
    chapter="06",
    question="How many letters of an alphabet never seen are recognised from one example of each?",
    budget="Networks: 300 episodes of 20 ways",
    rivals={
        "prototypical network": Rival(prototypes, {"lr": (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016)}),
        "the same, untrained": Rival(untrained, untuned="it is not trained"),
        "nearest neighbour": Rival(nearest, untuned="it has no settings", trained=False),
        "blurred nearest neighbour": Rival(blurred, {"sigma": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)}, trained=False),
    },
    validate=lambda learner: ml.score(learner, CHOOSING),
    measure=lambda learner: {name: ml.score(learner, tasks) for name, tasks in TESTS.items()},
)
