"""What the learners that adapt by gradient descent have in common: the inner loop on one task."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least, positive
from metalearn_lib.core.keras_private import all_layers, compiled_loss, is_compiled_with_loss, leaf_layers
from metalearn_lib.core.network import State
from metalearn_lib.core.task import KEYS, Task
from metalearn_lib.core.update import Weights, inner_loop
from metalearn_lib.core.vectorize import over_tasks
from metalearn_lib.learners.learner import Learner

ADAPTED = ("all", "head")


class GradientLearner(Learner):
    """A learner that takes `inner_steps` gradient steps on the support set, from weights it starts with.

    The compiled loss is also the loss of the inner loop, with the penalties of the network's layers.

    Args:
        model: any Keras model.
        inner_lr: α, the rate of the inner loop.
        inner_steps: number of gradient steps on a task, at least 0.
        batch_norm: "support", "transductive" or "running", see `metalearn_lib.core.network`.

    Raises:
        ValueError: for a rate that is not positive, a negative number of steps, an unknown `batch_norm`, or layers
            whose gradient cannot be taken over tasks.
    """

    adapted = "all"

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, batch_norm=batch_norm, **options)
        positive(inner_lr=inner_lr)
        at_least(0, inner_steps=inner_steps)
        _refuse_layers(model)
        self.inner_lr = inner_lr
        self.inner_steps = inner_steps

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Adapt to each task's support set and predict its queries [T, Q, ...]."""

        def predict(start: Weights, support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
            return self.predict_from(self.adapt(start, support_x, support_y), support_x, query_x)

        start = self._start(task["support_x"], task["support_y"])
        return over_tasks(predict, start, *(task[name] for name in KEYS))

    def predict_path(self, task: Task, steps: int) -> Iterator[np.ndarray]:
        """Predictions [T, Q, ...] after 0, 1, ..., `steps` inner steps: `steps + 1` arrays, one after another."""
        at_least(0, steps=steps)
        self._door.check(task)
        arrays = [tf.convert_to_tensor(task[name]) for name in KEYS]

        def adapt(weights: Weights, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
            return self.adapt(weights, support_x, support_y, steps=1)

        program = functools.partial(tf.function, jit_compile=self.jit_compile, autograph=False)
        step = program(lambda *arguments: over_tasks(adapt, *arguments))
        predict = program(lambda *arguments: over_tasks(self.predict_from, *arguments))
        weights = self._start(arrays[0], arrays[1])
        for number in range(steps + 1):
            if number:
                weights = step(weights, arrays[0], arrays[1])
            yield predict(weights, arrays[0], arrays[2]).numpy()

    def adapt(self, weights: Weights, support_x: tf.Tensor, support_y: tf.Tensor, steps: int | None = None) -> Weights:
        """The weights after the inner loop on one task.

        Args:
            weights: the trainable weights of the model.
            support_x: [S, ...].
            support_y: [S, ...].
            steps: number of gradient steps; `inner_steps` if None.

        Returns:
            The adapted weights.
        """
        return self._inner_loop(weights, support_x, support_y, steps)

    def _inner_loop(
        self,
        weights: Weights,
        support_x: tf.Tensor,
        support_y: tf.Tensor,
        steps: int | None,
        first_order: bool = False,
        inner_lr: float | Weights | None = None,
        unrolled: bool = False,
    ) -> Weights:
        """The gradient steps of `adapt`, with the options of `MAML.adapt`."""
        number = self._fixed()
        fixed, adapted = list(weights[:number]), list(weights[number:])
        loss = self.loss_on(support_x, support_y)
        steps = self.inner_steps if steps is None else steps
        inner_lr = self.inner_lrs() if inner_lr is None else inner_lr

        def of_adapted(adapted: Weights) -> tf.Tensor:
            return loss([*fixed, *adapted])

        return [*fixed, *inner_loop(of_adapted, adapted, inner_lr, steps, first_order, unrolled)]

    def loss_on(self, x: tf.Tensor, y: tf.Tensor) -> Callable[[Weights], tf.Tensor]:
        """L(·, D) for D = (x [B, ...], y [B, ...]): from weights to the compiled loss with penalties, a scalar."""
        state = self.network.state()

        def loss(weights: Weights) -> tf.Tensor:
            called = self.network.call(weights, state, x, training=True)
            return self.loss_of(y, called.outputs) + called.penalty

        return loss

    def query_loss(
        self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss of the queries of one task in training, with penalties, a scalar; and their predictions [Q, ...]."""
        called = self.network.predict(weights, support_x, query_x, training=True)
        return self.loss_of(query_y, called.outputs) + called.penalty, called.outputs

    def inner_lrs(self) -> float | Weights:
        """α: one number, or a tensor for each weight that is adapted."""
        return self.inner_lr

    def predict_from(self, weights: Weights, support_x: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
        """Predictions [Q, ...] of the model with `weights`, under the learner's policy for batch normalisation."""
        return self.network.predict(weights, support_x, query_x).outputs

    def loss_of(self, y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
        """The compiled loss, a scalar.

        Raises:
            ValueError: if the learner was not compiled with a loss.
        """
        self._check_loss()
        return compiled_loss(self, y, predictions)

    def apply_meta_gradients(
        self,
        task: Task,
        query_y: tf.Tensor,
        losses: tf.Tensor,
        predictions: tf.Tensor,
        gradients: Weights,
        kept: State,
    ) -> dict[str, Any]:
        """One step of the outer loop by the mean over tasks.

        Args:
            task: the meta-batch, as in `call`.
            query_y: [T, Q, ...].
            losses: [T].
            predictions: [T, Q, ...].
            gradients: [T, ...] for each trainable variable of the learner, of the loss as `optimizer.scale_loss` gives
                it.
            kept: what training keeps of each task's state [T, ...], see `Network.gather`.

        Returns:
            The metrics.
        """
        self.optimizer.apply([tf.reduce_mean(g, axis=0) for g in gradients], self.trainable_variables)
        self.network.keep(kept)
        self.network.advance()
        self.track_loss(losses)
        return self.compute_metrics(task, query_y, predictions)

    def initialization(self) -> Weights:
        """θ as tensors, read once so that a vectorised body captures values, not variables."""
        return self.network.weights()

    def num_classes_known(self) -> int | None:
        """The number of the model's outputs, unless the loss takes a single one for two classes."""
        return None if _is_binary(self.loss) else self.network.output_shape[-1]

    def check_targets(self, task: Task, query_y: Any) -> None:
        """Raise a ValueError if targets have not the shape of the model's outputs, or there is no loss to adapt by."""
        if self.inner_steps:
            self._check_loss()
        if not isinstance(self.loss, str | keras.losses.Loss):
            return  # a loss of one's own may take targets of any shape
        outputs = tuple(self.network.output_shape[1:])
        for name, y in (("support_y", task["support_y"]), ("query_y", query_y)):
            y = None if y is None else np.asarray(y)
            if y is None or y.dtype.kind in "iub" or y.shape[2:] == outputs or (y.shape[2:], outputs) == ((), (1,)):
                continue
            raise ValueError(f"{name} has targets of shape {y.shape[2:]} but the model gives outputs of {outputs}")

    def _start(self, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
        """Where the inner loop of each of T tasks starts: weights of shape [T, ...]."""
        return [tf.repeat(w[None], tf.shape(support_x)[0], axis=0) for w in self.initialization()]

    def _fixed(self) -> int:
        """How many of the model's trainable variables, its first ones, the inner loop leaves as they are."""
        return len(self.model.trainable_variables) - _head_size(self.model) if self.adapted == "head" else 0

    def _check_loss(self) -> None:
        if not is_compiled_with_loss(self):
            raise ValueError(f"{type(self).__name__} has no loss yet: call compile(loss=...) first, it adapts by it")


def check_adapted(adapted: str) -> str:
    """Which weights an inner loop changes: "all", or those of the "head", the last layer that has any.

    Raises:
        ValueError: for anything else.
    """
    if adapted not in ADAPTED:
        raise ValueError(f"adapted is {adapted!r}, expected one of {', '.join(ADAPTED)}")
    return adapted


def _head_size(model: keras.Model) -> int:
    """How many of the model's trainable variables, its last ones, are those of its last layer that has any."""
    layers = reversed(leaf_layers(model))
    return next((len(layer.trainable_variables) for layer in layers if layer.trainable_variables), 0)


def _is_binary(loss: Any) -> bool:
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    return "binary" in str(name).replace("_", "").lower()


def _refuse_layers(model: keras.Model) -> None:
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.RNN) and not layer.unroll:
            raise ValueError(
                f"model has the recurrent layer {layer.name!r} with unroll=False, expected unroll=True: its loop "
                "cannot be differentiated over tasks"
            )
        if isinstance(layer, keras.layers.SpectralNormalization):
            raise ValueError(
                f"model has the layer {layer.name!r}, a SpectralNormalization, expected none: it assigns to the "
                "weights that an inner loop adapts"
            )
