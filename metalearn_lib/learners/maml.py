"""Model-agnostic meta-learning (Finn, Abbeel, Levine 2017) and its variants: first order, Meta-SGD, ANIL."""

from typing import Any, cast

import keras
import tensorflow as tf

from metalearn_lib.core.task import unpack
from metalearn_lib.core.update import Weights
from metalearn_lib.core.vectorize import over_tasks
from metalearn_lib.learners.gradient import GradientLearner, check_adapted


@keras.saving.register_keras_serializable("metalearn_lib")
class MAML(GradientLearner):
    """Learns weights from which a few gradient steps on a new task go far.

    Minimises the mean over tasks of L(θ', query) with θ' = θ − α∇L(θ, support), by differentiating through the
    inner steps (algorithm 1 and equation 1 of the paper).

    Args:
        model: any Keras model.
        inner_lr: α, the rate of the inner loop.
        inner_steps: number of gradient steps on a task.
        first_order: leave out the second derivatives (FOMAML, section 5.2 of the paper).
        learn_inner_lr: learn a rate for each weight together with the weights, θ' = θ − α ∘ ∇L(θ, support), all of them
            starting from `inner_lr` (Meta-SGD, Li et al. 2017, equation 2 and algorithm 1).
        adapted: "all", or "head" to adapt the last layer alone (ANIL, Raghu et al. 2020, section 4).
        batch_norm: see `GradientLearner`.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        first_order: bool = False,
        learn_inner_lr: bool = False,
        adapted: str = "all",
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        self.adapted = check_adapted(adapted)
        self.first_order = first_order
        self.learn_inner_lr = learn_inner_lr
        self._rates = [
            self.add_weight(
                shape=variable.shape,
                dtype=variable.dtype,
                initializer=lambda shape, dtype: tf.fill(shape, tf.constant(inner_lr, dtype)),
                name=f"rate_{index}",
            )
            for index, variable in enumerate(model.trainable_variables[self._fixed() :] if learn_inner_lr else [])
        ]

    def inner_lrs(self) -> float | Weights:
        """α: one number, or as learned."""
        if not self.learn_inner_lr:
            return self.inner_lr
        adapted = len(self.model.trainable_variables) - self._fixed()
        if len(self._rates) != adapted:
            raise ValueError(
                f"model has {adapted} weights to adapt, expected {len(self._rates)}, for which rates are learned: "
                "freeze or thaw layers before the learner is made"
            )
        return [tf.convert_to_tensor(rate) for rate in self._rates]

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
            first_order: see `ml.gradient_step`.
            inner_lr: α; `inner_lrs()` if None.
            unrolled: see `ml.inner_loop`.

        Returns:
            The adapted weights.
        """
        return self._inner_loop(weights, support_x, support_y, steps, first_order, inner_lr, unrolled)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the outer loop on a meta-batch."""
        task, query_y = unpack(data)
        start, rates = self.initialization(), self.inner_lrs()
        learned = [*cast(Weights, rates), *start] if self.learn_inner_lr else start  # the order of trainable_variables

        def meta_gradient(support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor):
            # Both tapes live in the vectorised body: an outer tape that crossed it would make XLA compile anew
            # at every step.
            with tf.GradientTape() as tape:
                tape.watch(learned)
                weights = self.adapt(
                    start, support_x, support_y, first_order=self.first_order, inner_lr=rates, unrolled=True
                )
                loss, predictions = self.query_loss(weights, support_x, query_x, query_y)
                scaled = self.optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, learned, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return loss, predictions, gradients, self.network.gather(weights, query_x)

        results = over_tasks(meta_gradient, task["support_x"], task["support_y"], task["query_x"], query_y)
        return self.apply_meta_gradients(task, query_y, *results)
