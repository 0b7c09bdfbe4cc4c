"""A network as a function of its weights, under one policy for batch normalisation.

Where batch normalisation takes its mean and variance:

- "support", the default: from the support set of the task alone. No query's prediction depends on another query.
  Each channel needs more than a handful of numbers: five images and a last map of 1x1 leave five, whose deviation is
  too uncertain to divide by, and prototypes then learn almost nothing; twenty, a map of 2x2, are enough.
- "transductive": from the batch of queries itself, and from support set and queries together where a learner embeds
  both at once. A query's prediction then depends on the others. Published figures of MAML, first-order MAML, ANIL and
  Meta-SGD are of this kind, and so is Reptile's row of that name.
- "running": from running averages over training, as in any Keras model: `fit` normalises by its batches and gathers
  the averages, predictions use them. Published figures of prototypical and matching networks are of this kind.

The gradient steps of an inner loop normalise by the support set under every policy. Without batch normalisation in
the network all policies are the same. A batch normalisation that is frozen (`trainable = False`) uses its running
averages under every policy, as in Keras.

Layers that draw random numbers draw fresh ones in every training step, task and inner step; a seed fixes them all.
"""

from typing import NamedTuple, cast

import keras
import tensorflow as tf

from metalearn_lib.core.keras_private import all_layers, leaf_layers
from metalearn_lib.core.update import Weights
from metalearn_lib.core.vectorize import current_step, current_task, over_tasks

State = dict[int, tf.Tensor]  # values of some non-trainable variables, by their index

POLICIES = ("support", "transductive", "running")

# How far the counters of random generators lie apart: a layer may draw 2**20 times in a call, an inner loop have
# 2**14 steps, and training 2**29. Seeds of Keras are below 2**32.
BETWEEN_INNER_STEPS = 2**20
BETWEEN_STEPS = 2**34
BETWEEN_TASKS = 2**32


class Called(NamedTuple):
    """What a call of the network gives.

    Args:
        outputs: [B, ...].
        state: the non-trainable variables after the call.
        penalty: the sum of what regularisers and `add_loss` ask for, a float32 scalar.
    """

    outputs: tf.Tensor
    state: Weights
    penalty: tf.Tensor


class Network:
    """A Keras model as a function of its weights.

    Args:
        model: any built Keras model with one input and one output.
        batch_norm: one of `POLICIES`.

    Raises:
        TypeError: if `model` is not a Keras model.
        ValueError: for an unknown policy, a model that is not built or has several inputs or outputs, or that draws
            random numbers beside a batch normalisation that is not "running".
    """

    def __init__(self, model: keras.Model, batch_norm: str):
        if not isinstance(model, keras.Model):
            raise TypeError(f"model is a {type(model).__name__}, expected a keras.Model")
        if not model.built:
            raise ValueError("model is not built, expected one that starts with keras.Input(shape) or was called")
        if batch_norm not in POLICIES:
            raise ValueError(f"batch_norm is {batch_norm!r}, expected one of {', '.join(POLICIES)}")
        self.model = model
        self.batch_norm = batch_norm
        self.input_shape, self.output_shape = _shapes(model)
        if batch_norm != "running" and self._averages() and self._generators():
            raise ValueError(
                f"batch_norm is {batch_norm!r}, expected 'running': the model has layers that draw random numbers, and "
                "Keras cannot normalise by a batch without drawing them"
            )

    def computes_in(self, dtype: str) -> bool:
        """Whether a layer computes in `dtype`."""
        return any(layer.compute_dtype == dtype for layer in all_layers(self.model))

    def weights(self) -> Weights:
        """The trainable variables as values, read once so that a vectorised body captures no variables."""
        return [tf.convert_to_tensor(variable) for variable in self.model.trainable_variables]

    def state(self) -> Weights:
        """The non-trainable variables as values."""
        return [tf.convert_to_tensor(variable) for variable in self.model.non_trainable_variables]

    def call(self, weights: Weights, state: Weights, x: tf.Tensor, training: bool) -> Called:
        """The outputs for a batch x [B, ...], of the network with these weights and this state."""
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        values = zip(variables, [*weights, *self._drawing(state)], strict=True)
        with keras.StatelessScope(list(values), collect_losses=True) as scope:
            outputs = self.model(x, training=training)
            penalty = _total(self.model.losses)
        after = [scope.get_current_value(variable) for variable in self.model.non_trainable_variables]
        return Called(outputs, cast(Weights, after), penalty)

    def predict(self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor, training: bool = False) -> Called:
        """The call for the queries [Q, ...] of one task, normalised under the policy."""
        if self.batch_norm == "support" and self._averages():
            return self.call(weights, self._state_of(weights, support_x)[1], query_x, training=False)
        by_batch = self.batch_norm == "transductive" and bool(self._averages())
        return self.call(weights, self.state(), query_x, training or by_batch)

    def embed(
        self, support_x: tf.Tensor, query_x: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
        """Outputs for T tasks of the network as it is, normalised under the policy.

        Args:
            support_x: [T, S, ...].
            query_x: [T, Q, ...].
            training: whether the call is part of `fit`.

        Returns:
            Outputs for support sets [T, S, ...] and queries [T, Q, ...]; and the penalty, the mean over tasks, that
            `model.losses` does not hold, a scalar or None.
        """
        if self.batch_norm == "running" or not self._averages():
            return *self._embed_together(support_x, query_x, training), None
        weights, of_weights = self.weights(), self._penalty_of_weights()

        def of_one_task(support_x: tf.Tensor, query_x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            if self.batch_norm == "support":
                support, state = self._state_of(weights, support_x)
                query = self.call(weights, state, query_x, training=False)
                return support.outputs, query.outputs, support.penalty + query.penalty - 2 * of_weights
            both = self.call(weights, self.state(), tf.concat([support_x, query_x], axis=0), training=True)
            number = tf.shape(support_x)[0]
            return both.outputs[:number], both.outputs[number:], both.penalty - of_weights

        support, query, penalties = over_tasks(of_one_task, support_x, query_x, own_weights=False)
        if training:
            self.advance()
        support, query = (tf.cast(outputs, keras.config.floatx()) for outputs in (support, query))
        return support, query, tf.reduce_mean(penalties)

    def gather(self, weights: Weights, x: tf.Tensor) -> State:
        """The state that a batch x [B, ...] of training changes; none unless the policy is "running"."""
        return self._changed(weights, x) if self.batch_norm == "running" and self.model.non_trainable_weights else {}

    def keep(self, gathered: State) -> None:
        """Assign the mean over tasks of what `gather` returned for each, [T, ...]."""
        for index, values in gathered.items():
            self.model.non_trainable_variables[index].assign(tf.reduce_mean(values, axis=0))

    def advance(self) -> None:
        """Move on all random generators, so that the next training step draws fresh numbers."""
        for index in self._generators():
            variable = self.model.non_trainable_variables[index]
            variable.assign(variable + tf.constant([0, BETWEEN_STEPS], tf.int64))

    def refuse_lost_state(self, x: tf.Tensor) -> None:
        """Raise if a layer has a state that training changes and that the policy would lose.

        Args:
            x: some examples [B, ...].

        Raises:
            ValueError: names the layer's variable.
        """
        if self.batch_norm == "running" or len(self._averages()) == len(self.model.non_trainable_weights):
            return
        for index in self._changed(self.weights(), x).keys() - self._averages():
            raise ValueError(
                f"model has the state {self.model.non_trainable_variables[index].path!r}, which training changes, "
                "expected none but that of batch normalisation: only batch_norm='running' keeps others"
            )

    def _changed(self, weights: Weights, x: tf.Tensor) -> State:
        before, generators = self.state(), self._generators()
        after = self.call(weights, before, x, training=True).state
        return {i: new for i, new in enumerate(after) if new is not before[i] and i not in generators}

    def _averages(self) -> dict[int, float]:
        """Which non-trainable variables are running averages of a batch normalisation that trains: their momentum."""
        momentum = {}
        for layer in leaf_layers(self.model):
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
                momentum |= {id(layer.moving_mean): layer.momentum, id(layer.moving_variance): layer.momentum}
        variables = enumerate(self.model.non_trainable_variables)
        return {index: momentum[id(variable)] for index, variable in variables if id(variable) in momentum}

    def _generators(self) -> set[int]:
        """Which non-trainable variables are states of random generators: those that are no weights."""
        weights = {id(variable) for variable in self.model.non_trainable_weights}
        return {i for i, variable in enumerate(self.model.non_trainable_variables) if id(variable) not in weights}

    def _drawing(self, state: Weights) -> Weights:
        """The state with every random generator moved to where the current task and inner step draw."""
        generators = self._generators()
        if not generators:
            return state
        task = current_task()
        task = tf.zeros([], tf.int64) if task is None else task
        step = tf.cast(current_step(), tf.int64)
        moved = tf.stack([BETWEEN_TASKS * task, BETWEEN_INNER_STEPS * step])
        return [s + moved if index in generators else s for index, s in enumerate(state)]

    def _penalty_of_weights(self) -> tf.Tensor:
        return _total([v.regularizer(v) for v in self.model.trainable_weights if getattr(v, "regularizer", None)])

    def _embed_together(self, support_x: tf.Tensor, query_x: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """All examples of all tasks as one batch."""
        examples = tf.concat([support_x, query_x], axis=1)
        embedded = self.model(tf.reshape(examples, [-1, *examples.shape[2:]]), training=training)
        # The numbers of examples may be unknown while tracing: Keras traces `predict` anew, and more generally, for
        # a second size of support set.
        embedded = tf.cast(embedded, keras.config.floatx())
        embedded = tf.reshape(embedded, [-1, tf.shape(examples)[1], *embedded.shape[1:]])
        number = tf.shape(support_x)[1]
        return embedded[:, :number], embedded[:, number:]

    def _state_of(self, weights: Weights, support_x: tf.Tensor) -> tuple[Called, Weights]:
        """The call for the support set, normalised by itself, and the state with its statistics as running averages.

        A running average that starts from zero holds (1 − momentum) times the statistics of the batch.
        """
        state, momentum = self.state(), self._averages()
        state = [tf.zeros_like(s) if i in momentum else s for i, s in enumerate(state)]
        called = self.call(weights, state, support_x, training=True)
        return called, [s / (1 - momentum[i]) if i in momentum else s for i, s in enumerate(called.state)]


def _total(penalties: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.zeros([], keras.config.floatx()), *(tf.cast(p, keras.config.floatx()) for p in penalties)])


def _shapes(model: keras.Model) -> tuple[tuple[int | None, ...] | None, tuple[int | None, ...]]:
    """The shapes of inputs and outputs with a batch axis; of a subclassed model those that it was built with."""
    for name in ("inputs", "outputs"):
        number = len(getattr(model, name, None) or [None])
        if number != 1:
            raise ValueError(f"model has {number} {name}, expected one")
    if getattr(model, "inputs", None):
        return tuple(model.input_shape), tuple(model.output_shape)
    shape = (model.get_build_config() or {}).get("input_shape")
    if not shape:
        raise ValueError("model does not say its input shape, expected one that was built with build((None, ...))")
    shape = (None, *shape[1:])
    return shape, tuple(model.compute_output_spec(keras.KerasTensor(shape)).shape)
