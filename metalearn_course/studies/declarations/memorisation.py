"""MAML on glyphs whose labels are shuffled from task to task, or always the same."""

import functools

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

STEPS, WAYS, AT_ONCE = 1_000, 5, 16
GRID = {"outer_lr": [0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03]}


@functools.cache
def splits():
    """Characters to train on, to choose by, and to test."""
    return ml.images.glyph_splits()


def characters(seed):
    """A hundred of the training characters, others for each training."""
    train = splits()[0]
    return train.select(np.random.default_rng([2, seed]).permutation(len(train.classes))[:100])


def shuffled(images, seed):
    """Episodes as always: labels are drawn anew in every task."""
    return ml.tasks.episodes(images, WAYS, shots=1, queries=3, meta_batch_size=AT_ONCE, seed=seed)


def fixed(images, seed):
    """A character has the same label in every task: a fifth of them has label 0, a fifth label 1, and so on."""
    groups = [images.select(range(g, len(images.classes), WAYS)) for g in range(WAYS)]
    one_way = [ml.tasks.episodes(group, 1, 1, 3, AT_ONCE, seed=WAYS * seed + g) for g, group in enumerate(groups)]

    def join(*parts):
        def together(name):
            return tf.concat([part[0][name] for part in parts], axis=1)

        def labels(shots):
            return tf.repeat(tf.tile(tf.range(WAYS)[None], [AT_ONCE, 1]), shots, axis=1)

        return {"support_x": together("support_x"), "support_y": labels(1), "query_x": together("query_x")}, labels(3)

    return tf.data.Dataset.zip(tuple(one_way)).map(join)


def network():
    """Two hidden layers on images of 14 × 14 pixels."""
    layers = keras.layers
    inside = [layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(64, "relu")]
    return keras.Sequential([keras.Input((28, 28, 1)), *inside, layers.Dense(WAYS)])


def train(seed, outer_lr, labelled):
    """MAML, and 400 new tasks of its own characters."""
    images = characters(seed)
    learner = ml.MAML(network(), inner_lr=0.1, inner_steps=3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(outer_lr), loss=loss, steps_per_execution=50)
    learner.fit(labelled(images, 2 * seed), steps_per_epoch=STEPS, verbose=0)
    return learner, ml.tasks.gather_tasks(labelled(images, 2 * seed + 1), 400)


def new_characters(split, number):
    """Tasks of scripts that were not trained on, with shuffled labels."""
    return ml.tasks.gather_tasks(shuffled(splits()[split], 1), number)


def measure(trained):
    """Accuracy on training characters before and after the inner loop, and on new ones after it."""
    learner, known = trained
    before, *_, after = ml.adaptation_curve(learner, known, 3)
    new = ml.score(learner, new_characters(2, 400))
    return {"training characters, support set ignored": before, "training characters": after, "new characters": new}


STUDY = Study(
    name="memorisation",
    chapter="02",
    question="Does MAML learn from support sets that it can do without?",
    budget="1,000 outer steps of 16 5-way 1-shot tasks from 100 characters; three inner steps of 0.1",
    rivals={
        "labels shuffled": Rival(functools.partial(train, labelled=shuffled), GRID),
        "labels always the same": Rival(functools.partial(train, labelled=fixed), GRID),
    },
    validate=lambda trained: ml.score(trained[0], new_characters(1, 300)),
    measure=measure,
)
