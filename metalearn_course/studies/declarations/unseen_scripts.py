"""Chapter 5: characters of scripts never seen, by learning what to compare and by learning where to start."""

import keras

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
TRAINING, VALIDATION, TEST = ml.images.glyph_splits(size=20)
CHOOSING = ml.tasks.gather_tasks(ml.tasks.episodes(VALIDATION, ways=5, shots=1, queries=5, seed=1), 400)
EPISODES = ml.tasks.gather_tasks(ml.tasks.episodes(TEST, ways=5, shots=1, queries=5, seed=2), 500)


def conv4():
    """The network that embeds images for prototypes."""
    return ml.networks.conv4(input_shape=(20, 20, 1), filters=32, pooling=True)


def dense():
    """The network that MAML and learning from scratch adapt."""
    hidden = [keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu")]
    layers = [keras.layers.Flatten(), *hidden, keras.layers.Dense(5)]
    return keras.Sequential([keras.Input((20, 20, 1)), *layers])


def untrained_prototypes(seed):
    """Prototypes of a random embedding."""
    learner = ml.PrototypicalNetwork(conv4(), batch_norm="running")
    learner.compile(loss=LOGITS, jit_compile=False)
    return learner


def prototypes(seed, lr):
    """Prototypes of an embedding trained on 30-way episodes."""
    learner = ml.PrototypicalNetwork(conv4(), batch_norm="running")
    learner.compile(keras.optimizers.Adam(lr), LOGITS)
    thirty_way = ml.tasks.episodes(TRAINING, ways=30, meta_batch_size=1, seed=1_000 + seed)
    learner.fit(thirty_way, steps_per_epoch=120, verbose=0)
    return learner


def maml(seed, inner_lr, lr):
    """MAML, trained for three steps on 5-way episodes."""
    learner = ml.MAML(dense(), inner_lr=inner_lr, inner_steps=3)
    learner.compile(keras.optimizers.Adam(lr), LOGITS, steps_per_execution=50)
    five_way = ml.tasks.episodes(TRAINING, meta_batch_size=16, seed=1_000 + seed)
    learner.fit(five_way, steps_per_epoch=300, verbose=0)
    return learner


def from_scratch(seed, inner_lr):
    """A random network, then twenty steps on each episode."""
    learner = ml.FromScratch(dense(), inner_lr=inner_lr, inner_steps=20)
    learner.compile(loss=LOGITS, jit_compile=False)
    return learner


def nearest_neighbour(seed):
    """The class of the example whose pixels are nearest."""
    learner = ml.NearestNeighbor()
    learner.compile()
    return learner


STUDY = Study(
    name="unseen_scripts",
    chapter="05",
    question="How many characters of scripts never seen are recognised from one example of each of five?",
    budget="prototypes 120 episodes of 30 ways, MAML 300 steps of 16 episodes; from scratch 20 steps on each episode",
    rivals={
        "prototypical network": Rival(prototypes, {"lr": [0.0005, 0.0015, 0.005, 0.015, 0.05]}),
        "the same, untrained": Rival(untrained_prototypes, untuned="it is not trained"),
        "MAML": Rival(maml, {"inner_lr": [0.1, 0.2, 0.4, 0.8], "lr": [0.0025, 0.005, 0.01, 0.02, 0.04]}),
        "from scratch": Rival(from_scratch, {"inner_lr": [0.03, 0.1, 0.3, 1.0, 3.0, 10.0]}),
        "nearest neighbour": Rival(nearest_neighbour, untuned="it has no settings", trained=False),
    },
    validate=lambda learner: ml.score(learner, CHOOSING),
    measure=lambda learner: {"5-way 1-shot": ml.score(learner, EPISODES)},
)
