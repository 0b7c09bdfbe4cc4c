"""Prototypical networks (Snell, Swersky, Zemel 2017)."""

from typing import Any

from metalearn_lib._tensorflow import keras, tf
from metalearn_lib.learners.base import Learner
from metalearn_lib.tasks import Task


@keras.saving.register_keras_serializable("metalearn_lib")
class PrototypicalNetwork(Learner):
    """Classifies a query by the nearest class mean, in a space that is learned.

    The mean of a class's embedded support examples is its prototype; logits are the negative squared Euclidean
    distances to the prototypes (equations 1 and 2 of the paper). Compile with
    `SparseCategoricalCrossentropy(from_logits=True)`. The number of ways is that of the task's labels, so a network
    trained on 60 ways is tested on 5 as it is.

    Args:
        model: a Keras model that embeds examples [B, ...] as vectors [B, D].
        statistics: "support", "transductive" or "running" (as published), see
            `metalearn_lib.learners.normalisation`.
    """

    def __init__(self, model: keras.Model, statistics: str = "support", **kwargs: Any):
        super().__init__(model, statistics, **kwargs)
        self.supports_jit = False  # the number of ways is known only when the labels are

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Logits [T, Q, N] of the queries."""
        support, query = self.normalisation.embed(task["support_x"], task["query_x"], training)
        members = tf.one_hot(task["support_y"], number_of_ways(task["support_y"]), dtype=support.dtype)
        prototypes = tf.einsum("tsn,tsd->tnd", members, support)
        prototypes = tf.math.divide_no_nan(prototypes, tf.reduce_sum(members, axis=1)[..., None])
        return -squared_distances(query, prototypes)


def squared_distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean distances [T, A, B] between the rows of `a` [T, A, D] and of `b` [T, B, D]."""
    lengths = tf.reduce_sum(a**2, axis=-1)[..., None] + tf.reduce_sum(b**2, axis=-1)[:, None]
    return lengths - 2 * tf.matmul(a, b, transpose_b=True)


def number_of_ways(labels: tf.Tensor) -> tf.Tensor:
    """N, where labels are 0..N-1: a scalar int32.

    Raises:
        ValueError: if they are no whole numbers.
    """
    if not labels.dtype.is_integer:
        raise ValueError(f"support_y has dtype {labels.dtype.name}, expected integer labels 0..N-1")
    return tf.cast(tf.reduce_max(labels), tf.int32) + 1
