"""Every learner with a small network, and tasks for it: what the tests of the contract share."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
VALUES = {
    "MAML": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2),
    "first-order MAML": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2, first_order=True),
    "Meta-SGD": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2, learn_inner_lr=True),
    "ANIL": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2, adapted="head"),
    "implicit MAML": lambda model: ml.ImplicitMAML(
        model, inner_lr=0.02, inner_steps=3, regularization=30.0, conjugate_steps=2
    ),
    "Reptile": lambda model: ml.Reptile(model, inner_lr=0.03, inner_steps=3),
    "joint training": lambda model: ml.JointTraining(model, inner_lr=0.02, inner_steps=1, adapted="head"),
    "from scratch": lambda model: ml.FromScratch(model, inner_lr=0.02, inner_steps=3),
    "learned optimizer": lambda model: ml.LearnedOptimizer(model, inner_lr=0.05, inner_steps=2, units=3),
    "sequential": lambda model: ml.SequentialLearner(model, inner_lr=0.02, inner_steps=2, neighbors=2),
    "in context": lambda model: ml.InContextLearner(model, num_outputs=1, width=8, depth=1, heads=2),
    "memory-augmented": lambda model: ml.MemoryAugmentedNetwork(
        model, num_outputs=1, units=4, slots=6, width=5, reads=2, decay=0.9
    ),
    "neural process": lambda model: ml.NeuralProcess(model, num_outputs=1, aggregation="attention", width=8),
    "matching values": lambda model: ml.MatchingNetwork(model, scale=3.0, context=1),
    "nearest neighbor": lambda model: ml.NearestNeighbor(model),
}
LABELS = {
    "prototypes": lambda model: ml.PrototypicalNetwork(model),
    "matching": lambda model: ml.MatchingNetwork(model, scale=3.0),
    "probe": lambda model: ml.PretrainedFeatures(model, num_classes=4, classifier="probe"),
    "centroids": lambda model: ml.PretrainedFeatures(model, num_classes=4),
    "neural process of classes": lambda model: ml.NeuralProcess(model, num_outputs=2, aggregation="classes", width=8),
    "nearest neighbor of labels": lambda model: ml.NearestNeighbor(model),
}
EVERY = VALUES | LABELS
BY_GRADIENT = ("MAML", "first-order MAML", "Meta-SGD", "ANIL", "implicit MAML", "Reptile")
UNTRAINED = ("from scratch", "nearest neighbor", "nearest neighbor of labels")
TRAINED = [name for name in EVERY if name not in UNTRAINED]
OF_BATCHES = ("probe", "centroids")  # `fit` takes labelled batches


def network(name: str, *layers: keras.layers.Layer) -> keras.Model:
    """A small network for a learner: with one output where it predicts by it, else with three features."""
    outputs = 1 if name in VALUES and isinstance(made(name, ml.networks.mlp()), ml.GradientLearner) else 3
    inputs = 1 if name in VALUES else 2
    return keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(5, "tanh"), *layers, keras.layers.Dense(outputs)]
    )


def made(name: str, model: keras.Model) -> ml.Learner:
    return EVERY[name](model)


def compiled(name: str, *layers: keras.layers.Layer, optimizer: Any = None, **options: Any) -> ml.Learner:
    """A learner with a small network, the same at every call."""
    keras.utils.set_random_seed(0)
    learner = made(name, network(name, *layers))
    loss = None if isinstance(learner, ml.NeuralProcess) else "mse" if name in VALUES else CROSS_ENTROPY
    learner.compile(optimizer or keras.optimizers.SGD(0.05), loss, jit_compile=False, **options)
    return learner


def tasks(name: str, seed: int = 0, meta_batch_size: int = 3) -> tf.data.Dataset:
    if name in OF_BATCHES:
        x = np.random.default_rng(seed).normal(size=(32, 2)).astype("float32")
        batches = tf.data.Dataset.from_tensor_slices((x, np.arange(32) % 4))
        return batches.batch(8, drop_remainder=True).repeat()
    if name in VALUES:
        return ml.tasks.sinusoids(4, 5, meta_batch_size, seed)
    return ml.tasks.linear_classification(3, 2, meta_batch_size, seed)


def met(name: str, num_tasks: int = 6) -> tuple:
    """Tasks to predict."""
    stream = ml.tasks.sinusoids(4, 5) if name in VALUES else ml.tasks.linear_classification(3, 2)
    return ml.tasks.gather_tasks(stream, num_tasks)


def fitted(learner: ml.Learner, name: str, steps: int = 3, seed: int = 0) -> ml.Learner:
    learner.fit(tasks(name, seed), steps_per_epoch=steps, verbose=0)
    return learner


def weights(learner: ml.Learner) -> list[np.ndarray]:
    return [variable.numpy() for variable in learner.trainable_variables]
