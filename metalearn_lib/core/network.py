"""Batch normalisation: where its mean and variance come from, one policy for every learner.

- "support", the default: from the support set of the task alone. No query's prediction depends on another query.
  Each channel needs more than a handful of numbers: five images and a last map of 1x1 leave five, whose deviation is
  too uncertain to divide by, and prototypes then learn almost nothing; twenty, a map of 2x2, are enough.
- "transductive": from the batch of queries itself, and from support set and queries together where a learner embeds
  both at once. A query's prediction then depends on the others. Published figures of MAML, first-order MAML, ANIL and
  Meta-SGD are of this kind, and so is Reptile's row of that name.
- "running": from running averages over training, as in any Keras model: `fit` normalises by its batches and gathers
  the averages, predictions use them. Published figures of prototypical and matching networks are of this kind.

The gradient steps of an inner loop normalise by the support set under every policy. Without batch normalisation in
the network all policies are the same.
"""

import keras
import tensorflow as tf

from metalearn_lib.core.update import Weights
from metalearn_lib.core.vectorize import over_tasks

POLICIES = ("support", "transductive", "running")


class Network:
    """A network under one of the policies.

    Args:
        model: any built Keras model.
        batch_norm: one of `POLICIES`.

    Raises:
        ValueError: for an unknown policy.
    """

    def __init__(self, model: keras.Model, batch_norm: str):
        if batch_norm not in POLICIES:
            raise ValueError(f"batch_norm is {batch_norm!r}, expected one of {', '.join(POLICIES)}")
        self.model = model
        self.batch_norm = batch_norm
        momentum = {}
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                momentum |= {id(layer.moving_mean): layer.momentum, id(layer.moving_variance): layer.momentum}
        # Of each running average among the non-trainable variables; None for a variable that is none.
        self._momentum = [momentum.get(id(variable)) for variable in model.non_trainable_variables]

    def state(self) -> Weights:
        """The non-trainable variables as values."""
        return [tf.convert_to_tensor(variable) for variable in self.model.non_trainable_variables]

    def predict(self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Outputs for the queries [Q, ...] of one task, of the network with `weights`."""
        if self.batch_norm == "support":
            return self.model.stateless_call(weights, self._state_of(weights, support_x)[1], query_x, training=False)[0]
        by_batch = training or self.batch_norm == "transductive"
        return self.model.stateless_call(weights, self.state(), query_x, training=by_batch)[0]

    def embed(self, support_x: tf.Tensor, query_x: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Outputs for the support sets [T, S, ...] and the queries [T, Q, ...] of T tasks, of the network as it is."""
        if self.batch_norm == "running" or not self._has_batch_normalisation:
            return self._embed_together(support_x, query_x, training)
        weights = [tf.convert_to_tensor(variable) for variable in self.model.trainable_variables]

        def of_one_task(support_x: tf.Tensor, query_x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if self.batch_norm == "support":
                support, state = self._state_of(weights, support_x)
                return support, self.model.stateless_call(weights, state, query_x, training=False)[0]
            examples = tf.concat([support_x, query_x], axis=0)
            embedded, _ = self.model.stateless_call(weights, self.state(), examples, training=True)
            number = tf.shape(support_x)[0]
            return embedded[:number], embedded[number:]

        return over_tasks(of_one_task, support_x, query_x, own_weights=False)

    def gather(self, weights: Weights, x: tf.Tensor) -> Weights:
        """The running averages after a batch x [B, ...], a value for each; none unless the policy is "running"."""
        if self.batch_norm != "running":
            return []
        _, state = self.model.stateless_call(weights, self.state(), x, training=True)
        return [s for s, momentum in zip(state, self._momentum, strict=True) if momentum is not None]

    def keep(self, gathered: Weights) -> None:
        """Assign the mean over tasks of what `gather` returned for each, [T, ...]."""
        if gathered:
            running = [
                variable
                for variable, momentum in zip(self.model.non_trainable_variables, self._momentum, strict=True)
                if momentum is not None
            ]
            for variable, values in zip(running, gathered, strict=True):
                variable.assign(tf.reduce_mean(values, axis=0))

    @property
    def _has_batch_normalisation(self) -> bool:
        return any(momentum is not None for momentum in self._momentum)

    def _embed_together(self, support_x: tf.Tensor, query_x: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """All examples of all tasks as one batch."""
        examples = tf.concat([support_x, query_x], axis=1)
        embedded = self.model(tf.reshape(examples, [-1, *examples.shape[2:]]), training=training)
        # The numbers of examples may be unknown while tracing: Keras traces `predict` anew, and more generally, for
        # a second size of support set.
        embedded = tf.reshape(embedded, [-1, tf.shape(examples)[1], *embedded.shape[1:]])
        number = tf.shape(support_x)[1]
        return embedded[:, :number], embedded[:, number:]

    def _state_of(self, weights: Weights, support_x: tf.Tensor) -> tuple[tf.Tensor | None, Weights]:
        """Outputs for the support set, normalised by itself, and the state with its statistics as running averages.

        A running average that starts from zero holds (1 − momentum) times the statistics of the batch.
        """
        state = self.state()
        if not self._has_batch_normalisation:
            return None, state
        state = [s if m is None else tf.zeros_like(s) for s, m in zip(state, self._momentum, strict=True)]
        outputs, state = self.model.stateless_call(weights, state, support_x, training=True)
        return outputs, [s if m is None else s / (1 - m) for s, m in zip(state, self._momentum, strict=True)]
