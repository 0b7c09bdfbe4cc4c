"""What the learners that adapt by gradient descent have in common: the inner loop on one task."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.task import KEYS, Task, check_task
from metalearn_lib.core.update import Weights, inner_loop
from metalearn_lib.core.vectorize import over_tasks
from metalearn_lib.learners.learner import Learner

ADAPTED = ("all", "head")


class GradientLearner(Learner):
    """A learner that takes `inner_steps` gradient steps on the support set, from weights it starts with.

    The compiled loss is also the loss of the inner loop.

    Args:
        model: any Keras model.
        inner_lr: α, the rate of the inner loop.
        inner_steps: number of gradient steps on a task, at least 0.
        adapted: which weights the inner loop changes: "all", or those of the "head", the last layer that has any.
        batch_norm: "support", "transductive" or "running", see `metalearn_lib.core.network`.

    Raises:
        ValueError: for a rate that is not positive, a negative number of steps, an unknown `adapted` or `batch_norm`.
    """

    def __init__(
        self,
        model: keras.Model,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        adapted: str = "all",
        batch_norm: str = "support",
        **kwargs: Any,
    ):
        super().__init__(model, batch_norm, **kwargs)
        if not inner_lr > 0:
            raise ValueError(f"inner_lr is {inner_lr!r}, expected a positive number")
        if not isinstance(inner_steps, int) or inner_steps < 0:
            raise ValueError(f"inner_steps is {inner_steps!r}, expected a whole number of at least 0")
        if adapted not in ADAPTED:
            raise ValueError(f"adapted is {adapted!r}, expected one of {', '.join(ADAPTED)}")
        self.inner_lr = inner_lr
        self.inner_steps = inner_steps
        self.adapted = adapted
        self._fixed = len(model.trainable_variables) - _head_size(model) if adapted == "head" else 0

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Adapt to each task's support set and predict its queries [T, Q, ...]."""

        def predict(start: Weights, support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
            return self.predict_from(self.adapt(start, support_x, support_y), support_x, query_x)

        start = self._start(task["support_x"], task["support_y"])
        return over_tasks(predict, start, *(task[name] for name in KEYS))

    def predict_path(self, task: Task, steps: int) -> Iterator[np.ndarray]:
        """Predictions [T, Q, ...] after 0, 1, ..., `steps` inner steps: `steps + 1` arrays, one after another."""
        check_task(task, model=self.model, num_outputs=self._outputs())
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
        inner_lr: float | Weights | None = None,
        unrolled: bool = False,
    ) -> Weights:
        """The weights after the inner loop on one task.

        Args:
            weights: the trainable weights of the model.
            support_x: [S, ...].
            support_y: [S, ...].
            steps: number of gradient steps; `inner_steps` if None.
            first_order: see `metalearn_lib.core.update.gradient_step`.
            inner_lr: α; `inner_lrs()` if None.
            unrolled: see `metalearn_lib.core.update.inner_loop`.

        Returns:
            The adapted weights.
        """

        fixed, adapted = list(weights[: self._fixed]), list(weights[self._fixed :])
        loss = self.loss_on(support_x, support_y)
        steps = self.inner_steps if steps is None else steps
        inner_lr = self.inner_lrs() if inner_lr is None else inner_lr

        def of_adapted(adapted: Weights) -> tf.Tensor:
            return loss([*fixed, *adapted])

        return [*fixed, *inner_loop(of_adapted, adapted, inner_lr, steps, first_order, unrolled)]

    def loss_on(self, x: tf.Tensor, y: tf.Tensor) -> Callable[[Weights], tf.Tensor]:
        """L(·, D) for D = (x [B, ...], y [B, ...]): from weights to the compiled loss, a scalar."""
        state = self.network.state()

        def loss(weights: Weights) -> tf.Tensor:
            return self.loss_of(y, self.model.stateless_call(weights, state, x, training=True)[0])

        return loss

    def inner_lrs(self) -> float | Weights:
        """α: one number, or a tensor for each weight that is adapted."""
        return self.inner_lr

    def predict_from(
        self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Predictions [Q, ...] of the model with `weights`, under the learner's policy for batch normalisation."""
        return self.network.predict(weights, support_x, query_x, training)

    def loss_of(self, y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
        """The compiled loss, a scalar.

        Raises:
            ValueError: if the learner was not compiled with a loss.
        """
        self._check_loss()
        return self.compute_loss(y=y, y_pred=predictions)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        settings = {
            "inner_lr": self.inner_lr,
            "inner_steps": self.inner_steps,
            "adapted": self.adapted,
        }
        return {**super().get_config(), **settings}

    def apply_meta_gradients(
        self,
        task: Task,
        query_y: tf.Tensor,
        losses: tf.Tensor,
        predictions: tf.Tensor,
        gradients: Weights,
        running: Weights,
    ) -> dict[str, Any]:
        """One step of the outer loop by the mean over tasks.

        Args:
            task: the meta-batch, as in `call`.
            query_y: [T, Q, ...].
            losses: [T].
            predictions: [T, Q, ...].
            gradients: [T, ...] for each trainable variable of the learner.
            running: running averages [T, ...], see `Normalisation.gather`.

        Returns:
            The metrics.
        """
        self.optimizer.apply([tf.reduce_mean(g, axis=0) for g in gradients], self.trainable_variables)
        self.network.keep(running)
        self._loss_tracker.update_state(losses)
        return self.compute_metrics(task, query_y, predictions)

    def _start(self, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
        """Where the inner loop of each of T tasks starts: weights of shape [T, ...]."""
        return [tf.repeat(w[None], tf.shape(support_x)[0], axis=0) for w in self.initialization()]

    def initialization(self) -> Weights:
        """θ as tensors, read once so that a vectorised body captures values, not variables."""
        return [tf.convert_to_tensor(variable) for variable in self.model.trainable_variables]

    def _check(self, x: Any, y: Any = None) -> None:
        super()._check(x, y)
        if self.inner_steps:
            self._check_loss()

    def _check_loss(self) -> None:
        if not self.compiled or self._compile_loss is None:
            raise ValueError(f"{type(self).__name__} has no loss yet: call compile(loss=...) first, it adapts by it")

    def _outputs(self) -> int | None:
        return self.model.output_shape[-1]


def _head_size(model: keras.Model) -> int:
    """How many of the model's trainable variables, its last ones, are those of its last layer that has any."""
    layers = [layer for layer in model._flatten_layers(include_self=False, recursive=True) if not layer._layers]
    return next(len(layer.trainable_variables) for layer in reversed(layers) if layer.trainable_variables)
