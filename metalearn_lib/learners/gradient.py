"""What the learners that adapt by gradient descent have in common: the inner loop on one task."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from metalearn_lib._tensorflow import keras, tf
from metalearn_lib.learners.base import KEYS, Learner, check_task
from metalearn_lib.tasks import Task
from metalearn_lib.update import Weights, inner_loop
from metalearn_lib.vectorised import over_tasks

STATISTICS = ("support", "transductive")


class GradientLearner(Learner):
    """A learner that takes `inner_steps` gradient steps on the support set, from weights it starts with.

    The compiled loss is also the loss of the inner loop.

    Args:
        model: any Keras model.
        inner_rate: α, the rate of the inner loop.
        inner_steps: number of gradient steps on a task, at least 0.
        statistics: where batch normalisation takes its mean and variance when it predicts queries: "support",
            from the support set alone, or "transductive", from the queries themselves, which lets a query's
            prediction depend on the others (what most published MAML figures do).

    Raises:
        ValueError: for a rate that is not positive, a negative number of steps, an unknown `statistics`.
    """

    def __init__(
        self,
        model: keras.Model,
        inner_rate: float = 0.01,
        inner_steps: int = 1,
        statistics: str = "support",
        **kwargs: Any,
    ):
        super().__init__(model, **kwargs)
        if not inner_rate > 0:
            raise ValueError(f"inner_rate is {inner_rate!r}, expected a positive number")
        if not isinstance(inner_steps, int) or inner_steps < 0:
            raise ValueError(f"inner_steps is {inner_steps!r}, expected a whole number of at least 0")
        if statistics not in STATISTICS:
            raise ValueError(f"statistics is {statistics!r}, expected one of {', '.join(STATISTICS)}")
        self.inner_rate = inner_rate
        self.inner_steps = inner_steps
        self.statistics = statistics
        self._momentum = _momentum_of_statistics(model)

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Adapt to each task's support set and predict its queries [T, Q, ...]."""

        def predict(start: Weights, support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
            return self.predict_from(self.adapt(start, support_x, support_y), support_x, query_x)

        start = self._start(task["support_x"], task["support_y"])
        return over_tasks(predict, start, *(task[name] for name in KEYS))

    def predict_path(self, task: Task, steps: int) -> Iterator[np.ndarray]:
        """Predictions [T, Q, ...] after 0, 1, ..., `steps` inner steps: `steps + 1` arrays, one after another."""
        check_task(task, model=self.model, outputs=self._outputs())
        arrays = [tf.convert_to_tensor(task[name]) for name in KEYS]

        def adapt(weights: Weights, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
            return self.adapt(weights, support_x, support_y, steps=1)

        step = tf.function(lambda *arguments: over_tasks(adapt, *arguments), jit_compile=self.jit_compile)
        predict = tf.function(
            lambda *arguments: over_tasks(self.predict_from, *arguments), jit_compile=self.jit_compile
        )
        weights = self._start(arrays[0], arrays[1])
        for number in range(steps + 1):
            if number:
                weights = step(weights, arrays[0], arrays[1])
            yield predict(weights, arrays[0], arrays[2]).numpy()

    def adapt(
        self,
        weights: Weights,
        support_x: tf.Tensor,
        support_y: tf.Tensor,
        steps: int | None = None,
        first_order: bool = False,
    ) -> Weights:
        """The weights after the inner loop on one task.

        Args:
            weights: the trainable weights of the model.
            support_x: [S, ...].
            support_y: [S, ...].
            steps: number of gradient steps; `inner_steps` if None.
            first_order: see `metalearn_lib.update.gradient_step`.

        Returns:
            The adapted weights.
        """

        def loss(weights: Weights) -> tf.Tensor:
            predictions, _ = self.model.stateless_call(weights, self._state(), support_x, training=True)
            return self.loss_of(support_y, predictions)

        steps = self.inner_steps if steps is None else steps
        return inner_loop(loss, weights, self.inner_rate, steps, first_order)

    def predict_from(self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
        """Predictions [Q, ...] of the model with `weights`, under the learner's policy for batch normalisation."""
        transductive = self.statistics == "transductive"
        state = self._state() if transductive else self._state_of_support(weights, support_x)
        return self.model.stateless_call(weights, state, query_x, training=transductive)[0]

    def loss_of(self, y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
        """The compiled loss, a scalar.

        Raises:
            ValueError: if the learner was not compiled with a loss.
        """
        if not self.compiled or self._compile_loss is None:
            raise ValueError(f"{type(self).__name__} has no loss yet: call compile(loss=...) first, it adapts by it")
        return self.compute_loss(y=y, y_pred=predictions)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        settings = {
            "inner_rate": self.inner_rate,
            "inner_steps": self.inner_steps,
            "statistics": self.statistics,
        }
        return {**super().get_config(), **settings}

    def apply_meta_gradients(self, task: Task, query_y: tf.Tensor, gradients: Weights, predictions: tf.Tensor, losses):
        """Update the initialisation by the mean over tasks of `gradients` ([T, ...] each) and return the metrics."""
        self.optimizer.apply([tf.reduce_mean(g, axis=0) for g in gradients], self.model.trainable_variables)
        self._loss_tracker.update_state(losses)
        return self.compute_metrics(task, query_y, predictions)

    def _start(self, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
        """Where the inner loop of each of T tasks starts: weights of shape [T, ...]."""
        return [tf.repeat(w[None], tf.shape(support_x)[0], axis=0) for w in self.initialisation()]

    def initialisation(self) -> Weights:
        """θ as tensors, read once so that a vectorised body captures values, not variables."""
        return [tf.convert_to_tensor(variable) for variable in self.model.trainable_variables]

    def _state(self) -> Weights:
        return [tf.convert_to_tensor(variable) for variable in self.model.non_trainable_variables]

    def _state_of_support(self, weights: Weights, support_x: tf.Tensor) -> Weights:
        """The state of the model with its running statistics replaced by those of the support set.

        A running average that starts from zero holds (1 − momentum) times the statistics of the batch.
        """
        state = self._state()
        if not any(momentum is not None for momentum in self._momentum):
            return state
        state = [s if m is None else tf.zeros_like(s) for s, m in zip(state, self._momentum, strict=True)]
        _, state = self.model.stateless_call(weights, state, support_x, training=True)
        return [s if m is None else s / (1 - m) for s, m in zip(state, self._momentum, strict=True)]

    def _outputs(self) -> int | None:
        return self.model.output_shape[-1]


def _momentum_of_statistics(model: keras.Model) -> list[float | None]:
    """For each non-trainable variable the momentum of its running average, None if it is no such average."""
    momentum = {}
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            momentum |= {id(layer.moving_mean): layer.momentum, id(layer.moving_variance): layer.momentum}
    return [momentum.get(id(variable)) for variable in model.non_trainable_variables]
