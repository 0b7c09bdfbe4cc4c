"""Conditional neural processes (Garnelo et al. 2018) and, with attention, attentive ones (Kim et al. 2019)."""

import math
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least
from metalearn_lib.core.classes import class_means, features_of
from metalearn_lib.core.task import KEYS, Task, unpack
from metalearn_lib.learners.learner import Learner

AGGREGATIONS = ("mean", "attention", "classes")
HEADS = 8


@keras.saving.register_keras_serializable("metalearn_lib")
class NeuralProcess(Learner):
    """Predicts a distribution for every query from an aggregate of the encoded support set, with no gradient steps.

    Each support example is encoded as r_i = h(x_i, y_i); the r_i are aggregated to r, and g(x, r) gives the
    distribution of the target of a query x (equations 2 to 4 of Garnelo et al.). Here h and g are perceptrons with
    three layers that see x through `model`.

    For values the distribution is normal, with the deviation 0.1 + 0.9 softplus(·) as published: predictions are its
    means, and `predict_distribution` returns the deviations too. For labels it is categorical and predictions are its
    logits. `fit` maximises the mean log-likelihood of all targets of a task, those of the support set included; with
    values it gives only the first n support examples away, n uniform in 1..S for every task, so that smaller support
    sets are learned too. `compile` takes no loss.

    Args:
        model: any Keras model from examples [B, ...] to features [B, F].
        num_outputs: number D of values of a target, or number N of classes.
        aggregation: for values the "mean" of all r_i or, different for each query, their mean by "attention" from
            the query's features to those of the support set, with 8 heads (the deterministic path of Kim et al.);
            "classes" for labels, where r holds the mean of each class's features (Garnelo et al., section 4.3).
        width: of the layers of h and g, and of r.
        batch_norm: "support", "transductive" or "running", see `metalearn_lib.core.network`.

    Raises:
        ValueError: for an unknown `aggregation`, a number below 1, a width that 8 heads cannot share.
    """

    supports_xla = False  # compiling takes longer than it saves

    def __init__(
        self,
        model: keras.Model,
        *,
        num_outputs: int = 1,
        aggregation: str = "mean",
        width: int = 128,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, batch_norm=batch_norm, **options)
        at_least(1, num_outputs=num_outputs, width=width)
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"aggregation is {aggregation!r}, expected one of {', '.join(AGGREGATIONS)}")
        if aggregation == "attention" and width % HEADS:
            raise ValueError(f"width is {width}, expected a multiple of {HEADS}, the number of heads")
        self.num_outputs, self.aggregation, self.width = num_outputs, aggregation, width
        features = features_of(self.network)
        if aggregation == "classes":
            self.decoder = _perceptron(features + num_outputs * features, width, num_outputs)
        else:
            self.encoder = _perceptron(features + num_outputs, width, width)
            self.decoder = _perceptron(features + width, width, 2 * num_outputs)
        if aggregation == "attention":
            self.attention = keras.layers.MultiHeadAttention(HEADS, width // HEADS, output_shape=width)
            self.attention.build((None, None, features), (None, None, width), (None, None, features))

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Means [T, Q, D] of the queries' targets, or logits [T, Q, N] of their classes."""
        return self._point(self._distribution(task, training)[0])

    def predict_distribution(self, task: Task) -> tuple[np.ndarray, np.ndarray]:
        """The normal distributions of the queries' targets.

        Args:
            task: `support_x` [T, S, ...], `support_y` [T, S, D], `query_x` [T, Q, ...].

        Returns:
            Means and standard deviations, [T, Q, D] each.

        Raises:
            ValueError: if targets are labels, or the task does not fit (see `check_task`).
        """
        if self.aggregation == "classes":
            raise ValueError("aggregation is 'classes', expected mean or attention: classes have no mean")
        self._door.check(task)
        parameters, _ = self._distribution({name: tf.convert_to_tensor(task[name]) for name in KEYS})
        mean, deviation = _normal(parameters)
        return mean.numpy(), deviation.numpy()

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, **options: Any) -> None:
        """`keras.Model.compile`, without a loss.

        Raises:
            ValueError: if there is one.
        """
        if loss is not None:
            raise ValueError(f"loss is {loss!r}, expected none: NeuralProcess maximises the likelihood it predicts")
        super().compile(optimizer, **options)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of gradient ascent on the log-likelihood; `loss` is its negative, in nats a target."""
        task, query_y = unpack(data)
        y = tf.concat([task["support_y"], query_y], axis=1)
        with tf.GradientTape() as tape:
            parameters, penalty = self._distribution(task, training=True)
            loss = self._negative_log_likelihood(y, parameters) + penalty
            scaled = self.optimizer.scale_loss(loss)
        self.optimizer.apply(tape.gradient(scaled, self.trainable_variables), self.trainable_variables)
        self.track_loss(loss, tf.shape(y)[0])
        return self.compute_metrics(task, query_y, self._point(parameters)[:, task["support_y"].shape[1] :])

    def test_step(self, data: Any) -> dict[str, Any]:
        """The negative log-likelihood of the queries given the whole support set, in nats a target."""
        task, query_y = unpack(data)
        parameters, _ = self._distribution(task)
        self.track_loss(self._negative_log_likelihood(query_y, parameters), tf.shape(query_y)[0])
        return self.compute_metrics(task, query_y, self._point(parameters))

    def _distribution(self, task: Task, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """What the decoder gives for each query [T, Q, ·], in training for the support examples too [T, S + Q, ·]; and
        the penalty of the network's layers, a scalar."""
        support, targets, penalty = self.network.embed(task["support_x"], task["query_x"], training)
        penalties = [*self.model.losses, *([] if penalty is None else [penalty])]
        if training:
            targets = tf.concat([support, targets], axis=1)
        aggregate = self._class_means if self.aggregation == "classes" else self._aggregate
        r = aggregate(support, task["support_y"], targets, training)
        r = tf.broadcast_to(tf.cast(r, targets.dtype), [tf.shape(targets)[0], tf.shape(targets)[1], r.shape[-1]])
        penalty = tf.add_n([tf.zeros([], keras.config.floatx()), *penalties])
        return tf.cast(self.decoder(tf.concat([targets, r], axis=-1)), keras.config.floatx()), penalty

    def _aggregate(self, support: tf.Tensor, support_y: tf.Tensor, targets: tf.Tensor, training: bool) -> tf.Tensor:
        """r for each target [T, B, R], or for all of them [T, 1, R]."""
        encoded = self.encoder(tf.concat([support, tf.cast(support_y, support.dtype)], axis=-1))
        known = (self._random_context(support_y) if training else tf.ones_like(support_y[:, :, 0], tf.bool))[:, None]
        if self.aggregation == "attention":
            return self.attention(targets, encoded, support, attention_mask=known)
        known = tf.cast(known, encoded.dtype)
        return known @ encoded / tf.reduce_sum(known, axis=-1, keepdims=True)

    def _class_means(self, support: tf.Tensor, support_y: tf.Tensor, targets: tf.Tensor, training: bool) -> tf.Tensor:
        """The mean features of all classes, one beside the other [T, 1, N * F]."""
        means, _ = class_means(support, support_y, self.num_outputs)
        return tf.reshape(means, [-1, 1, self.num_outputs * cast(int, support.shape[-1])])

    def _random_context(self, support_y: tf.Tensor) -> tf.Tensor:
        """Which support examples are given [T, S]: the first n, at random in each task.

        The number of the step is the seed: training that was interrupted goes on with the same contexts.
        """
        tasks, shots = tf.shape(support_y)[0], tf.shape(support_y)[1]
        seed = tf.stack([0, tf.cast(self.optimizer.iterations, tf.int32)])
        n = tf.random.stateless_uniform(tf.stack([tasks, 1]), seed, 1, shots + 1, tf.int32)
        return tf.range(shots) < n

    def _point(self, parameters: tf.Tensor) -> tf.Tensor:
        return parameters if self.aggregation == "classes" else _normal(parameters)[0]

    def _negative_log_likelihood(self, y: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """The mean over tasks, examples and values of a target, a scalar in nats."""
        if self.aggregation == "classes":
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, parameters))
        mean, deviation = _normal(parameters)
        squares = ((tf.cast(y, mean.dtype) - mean) / deviation) ** 2
        return tf.reduce_mean(squares / 2 + tf.math.log(deviation)) + math.log(2 * math.pi) / 2

    def check_targets(self, task: Task, query_y: Any) -> None:
        """Raise a ValueError if targets are not of the kind that `aggregation` is for."""
        support_y = np.asarray(task["support_y"])
        labels = support_y.dtype.kind in "iub"
        if labels != (self.aggregation == "classes"):
            kind, expected = ("labels", "classes") if labels else ("values", "mean or attention")
            raise ValueError(f"aggregation is {self.aggregation!r}, expected {expected}: support_y holds {kind}")
        if not labels and support_y.shape[2:] != (self.num_outputs,):
            raise ValueError(f"support_y has shape {support_y.shape}, expected [tasks, examples, {self.num_outputs}]")

    def num_classes_known(self) -> int | None:
        """The number of outputs, for labels."""
        return self.num_outputs if self.aggregation == "classes" else None


def _normal(parameters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and deviation [..., D] from the decoder's outputs [..., 2 * D]."""
    mean, deviation = tf.split(parameters, 2, axis=-1)
    return mean, 0.1 + 0.9 * tf.nn.softplus(deviation)


def _perceptron(inputs: int, width: int, num_outputs: int) -> keras.Model:
    """Three layers, from [T, B, inputs] to [T, B, num_outputs]."""
    hidden = [keras.layers.Dense(width, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((None, inputs)), *hidden, keras.layers.Dense(num_outputs)])
