"""Prototypical networks (Snell, Swersky, Zemel 2017)."""

from typing import Any

import keras
import tensorflow as tf

from metalearn_lib.core.classes import number_of_ways, squared_distances
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
    """

    def __init__(self, model: keras.Model, batch_norm: str = "support", **kwargs: Any):
        super().__init__(model, batch_norm, **kwargs)
        self.supports_jit = False  # the number of ways is known only when the labels are

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Logits [T, Q, N] of the queries."""
        support, query = self.network.embed(task["support_x"], task["query_x"], training)
        members = tf.one_hot(task["support_y"], number_of_ways(task["support_y"]), dtype=support.dtype)
        prototypes = tf.einsum("tsn,tsd->tnd", members, support)
        prototypes = tf.math.divide_no_nan(prototypes, tf.reduce_sum(members, axis=1)[..., None])
        return -squared_distances(query, prototypes)
