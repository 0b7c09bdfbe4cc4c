"""Prototypical networks (Snell, Swersky, Zemel 2017)."""

from typing import Any

import keras
import tensorflow as tf

from metalearn_lib.core.classes import class_means, features_of, squared_distances, without_absent
from metalearn_lib.core.task import Task
from metalearn_lib.learners.learner import Learner


@keras.saving.register_keras_serializable("metalearn_lib")
class PrototypicalNetwork(Learner):
    """Classifies a query by the nearest class mean, in a space that is learned.

    The mean of a class's embedded support examples is its prototype; logits are the negative squared Euclidean
    distances to the prototypes (equations 1 and 2 of the paper). Compile with
    `SparseCategoricalCrossentropy(from_logits=True)`. The number of ways is that of the task's labels, so a network
    trained on 60 ways is tested on 5 as it is.

    Args:
        model: a Keras model that embeds examples [B, ...] as vectors [B, D].
        batch_norm: "support", "transductive" or "running" (as published), see
            `metalearn_lib.core.network`.

    Raises:
        ValueError: if the model's outputs are no vectors.
    """

    supports_jit = False  # the number of ways is known only when the labels are
    gives_logits = True
    ways_follow_the_task = True

    def __init__(self, model: keras.Model, *, batch_norm: str = "support", **options: Any):
        super().__init__(model, batch_norm=batch_norm, **options)
        features_of(self.network)

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Logits [T, Q, N] of the queries."""
        support, query = self.embed(task, training)
        prototypes, there = class_means(support, task["support_y"])
        return without_absent(-squared_distances(query, prototypes), there)
