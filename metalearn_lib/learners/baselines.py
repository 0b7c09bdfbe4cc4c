"""What a learner has to beat: no adaptation, learning from scratch, joint training, the nearest neighbour."""

import math
from collections.abc import Iterable
from typing import Any, cast

import keras
import tensorflow as tf

from metalearn_lib.core.classes import ABSENT, number_of_ways, squared_distances
from metalearn_lib.core.task import Task, unpack
from metalearn_lib.learners.gradient import GradientLearner, check_adapted
from metalearn_lib.learners.learner import Learner


@keras.saving.register_keras_serializable("metalearn_lib")
class JointTraining(GradientLearner):
    """One model trained on the examples of all tasks together, then fine-tuned on a new task's support set.

    With `inner_steps=0`, the default, it does not adapt: the model as trained predicts every task's queries.

    Args:
        model: any Keras model.
        inner_lr: rate of the fine-tuning.
        inner_steps: number of gradient steps of the fine-tuning; 0 for none.
        adapted: "all", or "head" to fine-tune the last layer alone.
        batch_norm: see `GradientLearner`.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.01,
        inner_steps: int = 0,
        adapted: str = "all",
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        self.adapted = check_adapted(adapted)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One gradient step on the support and query examples of all tasks of a meta-batch."""
        task, query_y = unpack(data)
        x = tf.concat([task["support_x"], task["query_x"]], axis=1)
        y = tf.concat([task["support_y"], query_y], axis=1)
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            predictions = self.model(tf.reshape(x, [-1, *x.shape[2:]]), training=True)
            loss = cast(tf.Tensor, self.compute_loss(y=tf.reshape(y, [-1, *y.shape[2:]]), y_pred=predictions))
            scaled = self.optimizer.scale_loss(loss)
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        self.track_loss(loss, tf.shape(x)[0])
        predictions = tf.reshape(predictions, [-1, x.shape[1], *predictions.shape[1:]])
        return self.compute_metrics(task, query_y, predictions[:, task["support_x"].shape[1] :])


@keras.saving.register_keras_serializable("metalearn_lib")
class FromScratch(GradientLearner):
    """Learns each task on its own, from the model's initial weights; `fit` changes nothing.

    Args:
        model: any Keras model, as initialised.
        inner_lr: rate of the gradient steps on the support set.
        inner_steps: number of gradient steps on the support set.
        batch_norm: see `GradientLearner`.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.01,
        inner_steps: int = 100,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        if batch_norm == "running":
            raise ValueError(
                "batch_norm is 'running', expected support or transductive: there is no training to gather them"
            )

    def fit(self, *args: Any, **options: Any) -> keras.callbacks.History:
        """There is nothing to train: returns at once."""
        return keras.callbacks.History()


@keras.saving.register_keras_serializable("metalearn_lib")
class NearestNeighbor(Learner):
    """Predicts the target of the nearest support example; `fit` changes nothing.

    For labels, predictions are scores [T, Q, N]: the negative squared distance to the nearest example of each class.
    For values, they are the values of the nearest example [T, Q, ...].

    Args:
        model: a Keras model whose outputs are compared; None compares the examples themselves.
        batch_norm: "support", "transductive" or "running", see `metalearn_lib.core.network`.
    """

    supports_xla = False  # the number of ways is known only when the labels are
    gives_logits = True
    ways_follow_the_task = True

    def __init__(self, model: keras.Model | None = None, *, batch_norm: str = "support", **options: Any):
        super().__init__(model, batch_norm=batch_norm, **options)

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Predictions of the queries, from the nearest support examples."""
        support, query = task["support_x"], task["query_x"]
        if self.model is not None:
            support, query = self.embed(task)
        distances = squared_distances(_flat(query), _flat(support))
        support_y = task["support_y"]
        if not support_y.dtype.is_integer:
            return tf.gather(support_y, tf.argmin(distances, axis=-1), batch_dims=1)
        of_other_class = tf.one_hot(
            support_y, number_of_ways(support_y), on_value=0.0, off_value=-ABSENT, dtype=distances.dtype
        )
        return -tf.reduce_min(tf.expand_dims(distances, -1) + of_other_class[:, None], axis=2)

    def fit(self, *args: Any, **options: Any) -> keras.callbacks.History:
        """There is nothing to train: returns at once."""
        return keras.callbacks.History()


def _flat(x: tf.Tensor) -> tf.Tensor:
    """Examples [T, B, ...] as vectors [T, B, D]."""
    return tf.reshape(x, [-1, tf.shape(x)[1], math.prod(cast(Iterable[int], x.shape[2:]))])
