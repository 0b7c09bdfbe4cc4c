"""Learning to learn by gradient descent by gradient descent (Andrychowicz et al. 2016)."""

from typing import Any, cast

import keras
import tensorflow as tf

from metalearn_lib.core.checks import at_least
from metalearn_lib.core.task import unpack
from metalearn_lib.core.update import Weights
from metalearn_lib.core.vectorize import inner_step, over_tasks
from metalearn_lib.learners.gradient import GradientLearner


@keras.saving.register_keras_serializable("metalearn_lib")
class LearnedOptimizer(GradientLearner):
    """Learns the update itself: θ ← θ + g, where a small recurrent network proposes g from the gradients so far.

    The network is an LSTM of two layers that is run for every coordinate of θ on its own, with the same weights φ and
    a state of its own (section 2.1 of the paper, "coordinatewise"). It sees the gradient of the compiled loss on the
    support set, preprocessed as in the paper's appendix A. `fit` trains φ through all inner steps, on the sum over
    steps of the loss on the queries (equation 3, with every w_t = 1); the gradients that the network sees count as
    constants, as published, so there are no second derivatives.

    Every task starts from the weights of `model` as they are: as published, the start is not learned. (Ravi and
    Larochelle 2017 learn it too.)

    Args:
        model: any Keras model.
        inner_lr: what the network's output is multiplied by, the size of an update.
        inner_steps: number of updates on a task.
        units: of each layer of the LSTM.
        batch_norm: see `GradientLearner`.

    Raises:
        ValueError: if `units` or `inner_steps` is less than 1.
    """

    supports_xla = False  # many unrolled steps compile for longer than they save

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.1,
        inner_steps: int = 10,
        units: int = 20,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        at_least(1, inner_steps=inner_steps, units=units)
        self.units = units
        self.rule = _recurrent_network(units)

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """φ, and not the weights that tasks start from."""
        return self.rule.trainable_variables

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the outer loop on a meta-batch; `loss` is that of the queries after the last update."""
        task, query_y = unpack(data)
        phi = self._phi()

        def meta_gradient(
            state: Weights, support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor
        ):
            steps = []
            # The tape lives in the vectorised body, see MAML.
            with tf.GradientTape() as tape:
                tape.watch(phi)
                for number in range(self.inner_steps):
                    with inner_step(number + 1):
                        state = self.update(state, support_x, support_y, phi)
                    steps.append(self.query_loss(self._theta(state), support_x, query_x, query_y))
                losses, predictions = zip(*steps, strict=True)
                total = self.optimizer.scale_loss(tf.add_n(losses))
            gradients = tape.gradient(total, phi)
            return losses[-1], predictions[-1], gradients, self.network.gather(self._theta(state), query_x)

        start = self._start(task["support_x"], task["support_y"])
        results = over_tasks(meta_gradient, start, task["support_x"], task["support_y"], task["query_x"], query_y)
        return self.apply_meta_gradients(task, query_y, *results)

    def adapt(self, weights: Weights, support_x: tf.Tensor, support_y: tf.Tensor, steps: int | None = None) -> Weights:
        """θ and the states of the LSTM after updates on one task.

        Args:
            weights: θ, followed by the states of the LSTM for all coordinates.
            support_x: [S, ...].
            support_y: [S, ...].
            steps: number of updates; `inner_steps` if None.

        Returns:
            θ and states, in the order they came in.
        """
        phi = self._phi()
        for number in range(self.inner_steps if steps is None else steps):
            with inner_step(number + 1):
                weights = self.update(weights, support_x, support_y, phi)
        return weights

    def update(self, weights: Weights, support_x: tf.Tensor, support_y: tf.Tensor, phi: Weights) -> Weights:
        """θ and the states of the LSTM after one update, with `phi` for the weights of the LSTM; else as `adapt`."""
        number = len(self.model.trainable_variables)
        theta, states = weights[:number], weights[number:]
        loss = self.loss_on(support_x, support_y)
        with tf.GradientTape() as tape:
            tape.watch(theta)
            value = loss(theta)
        slope = tape.gradient(value, theta, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        updates, states = self.propose(cast(Weights, slope), states, phi)
        return [*(w + g for w, g in zip(theta, updates, strict=True)), *states]

    def propose(self, gradients: Weights, states: Weights, phi: Weights) -> tuple[Weights, Weights]:
        """The updates g of one step, from the gradients ∇ and the states of the LSTM.

        Args:
            gradients: ∇, tensors of any shapes with P values in all.
            states: h and c of both layers, [P, units] each.
            phi: weights of the LSTM.

        Returns:
            g, in the shapes of ∇, and the new states.
        """
        flat = tf.stop_gradient(tf.concat([tf.reshape(g, [-1]) for g in gradients], axis=0))
        constants = [tf.convert_to_tensor(variable) for variable in self.rule.non_trainable_variables]
        called = self.rule.stateless_call(phi, constants, [preprocess(flat), *states])
        output, *states = cast(Weights, called[0])
        rate = tf.constant(self.inner_lr, output.dtype)
        if len(gradients) == 1:  # whose shape a traced function need not know
            return [tf.reshape(rate * output[:, 0], tf.shape(gradients[0]))], states
        parts = tf.split(rate * output[:, 0], [g.shape.num_elements() for g in gradients])
        return [tf.reshape(part, g.shape) for part, g in zip(parts, gradients, strict=True)], states

    def predict_from(self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
        """Predictions [Q, ...] of the model with θ, the first of `weights`."""
        return super().predict_from(self._theta(weights), support_x, query_x)

    def _start(self, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
        """θ and states of zeros, [T, ...] each."""
        theta = super()._start(support_x, support_y)
        coordinates = sum(w.shape[1:].num_elements() for w in theta)
        return [*theta, *[tf.zeros([tf.shape(support_x)[0], coordinates, self.units], theta[0].dtype)] * 4]

    def _theta(self, weights: Weights) -> Weights:
        return weights[: len(self.model.trainable_variables)]

    def _phi(self) -> Weights:
        return [tf.convert_to_tensor(variable) for variable in self.rule.trainable_variables]


def preprocess(gradients: tf.Tensor, p: float = 10.0) -> tf.Tensor:
    """Two numbers of like size for every gradient, however large or small it is (appendix A of the paper).

    (ln|∇| / p, sgn ∇) where |∇| ≥ e^(−p), else (−1, e^p ∇).

    Args:
        gradients: [P].
        p: how small a gradient still counts.

    Returns:
        [P, 2].
    """
    least = tf.exp(tf.constant(-p, gradients.dtype))
    size = tf.abs(gradients)
    logarithm = tf.math.log(tf.maximum(size, least)) / p
    return tf.stack([logarithm, tf.clip_by_value(gradients / least, -1.0, 1.0)], axis=-1)


def _recurrent_network(units: int) -> keras.Model:
    """Two numbers and the states h, c of two layers to one number and the new states, in full precision."""
    dtype = keras.config.floatx()
    gradient, states = keras.Input((2,), dtype=dtype), [keras.Input((units,), dtype=dtype) for _ in range(4)]
    first, new_first = keras.layers.LSTMCell(units, dtype=dtype)(gradient, states[:2])
    second, new_second = keras.layers.LSTMCell(units, dtype=dtype)(first, states[2:])
    proposed = keras.layers.Dense(1, dtype=dtype)(second)
    return keras.Model([gradient, *states], [proposed, *new_first, *new_second])
