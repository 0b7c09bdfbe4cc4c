"""Reptile (Nichol, Achiam, Schulman 2018)."""

from typing import Any

import keras
import tensorflow as tf

from metalearn_lib.core.task import unpack
from metalearn_lib.core.vectorize import over_tasks
from metalearn_lib.learners.gradient import GradientLearner


@keras.saving.register_keras_serializable("metalearn_lib")
class Reptile(GradientLearner):
    """Moves the initialisation towards the weights that each task's inner loop ends in.

    The difference θ − θ' takes the place of a gradient (algorithm 1 of the paper): compile with
    `keras.optimizers.SGD(ε)` for the paper's outer step ε, or with Adam. With one inner step it is joint training
    on the support sets; it needs at least two to learn to learn. The queries are only measured, never learned from.

    Args:
        model: any Keras model.
        inner_lr: rate of the inner loop.
        inner_steps: number of gradient steps on a task, at least 2.
        batch_norm: see `GradientLearner`.

    Raises:
        ValueError: for fewer than two inner steps.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.02,
        inner_steps: int = 5,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        if inner_steps < 2:
            raise ValueError(
                f"inner_steps is {inner_steps}, expected at least 2: with fewer, Reptile is joint training"
            )

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the outer loop on a meta-batch."""
        task, query_y = unpack(data)
        start = self.initialization()

        def difference(support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor):
            weights = self.adapt(start, support_x, support_y)
            called = self.network.predict(weights, support_x, query_x)
            loss = self.loss_of(query_y, called.outputs) + called.penalty
            differences = [self.optimizer.scale_loss(a - b) for a, b in zip(start, weights, strict=True)]
            return loss, called.outputs, differences, self.network.gather(weights, support_x)

        results = over_tasks(difference, task["support_x"], task["support_y"], task["query_x"], query_y)
        return self.apply_meta_gradients(task, query_y, *results)
