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
    trained on 60 ways is tested on 5 as it is. Batch normalisation works as in any Keras model: statistics of the
    batch in training, running averages in prediction.

    Args:
        model: a Keras model that embeds examples [B, ...] as vectors [B, D].
    """

    def __init__(self, model: keras.Model, **kwargs: Any):
        super().__init__(model, **kwargs)
        self.supports_jit = False  # the number of ways is known only when the labels are

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Logits [T, Q, N] of the queries."""
        support_x, support_y, query_x = task["support_x"], task["support_y"], task["query_x"]
        examples = tf.concat([support_x, query_x], axis=1)
        embedded = self.model(tf.reshape(examples, [-1, *examples.shape[2:]]), training=training)
        # The numbers of examples may be unknown while tracing: Keras traces `predict` anew, and more
        # generally, for a second size of support set.
        embedded = tf.reshape(embedded, [-1, tf.shape(examples)[1], embedded.shape[-1]])
        shots, queries = tf.shape(support_x)[1], tf.shape(query_x)[1]
        members = tf.one_hot(support_y, number_of_ways(support_y), dtype=embedded.dtype)
        prototypes = tf.einsum("tsn,tsd->tnd", members, embedded[:, :shots])
        prototypes = tf.math.divide_no_nan(prototypes, tf.reduce_sum(members, axis=1)[..., None])
        return -squared_distances(embedded[:, shots : shots + queries], prototypes)


def squared_distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean distances [T, A, B] between the rows of `a` [T, A, D] and of `b` [T, B, D]."""
    lengths = tf.reduce_sum(a**2, axis=-1)[..., None] + tf.reduce_sum(b**2, axis=-1)[:, None]
    return lengths - 2 * tf.matmul(a, b, transpose_b=True)


def number_of_ways(labels: tf.Tensor) -> tf.Tensor:
    """N, where labels are 0..N-1: a scalar int32."""
    return tf.cast(tf.reduce_max(labels), tf.int32) + 1
