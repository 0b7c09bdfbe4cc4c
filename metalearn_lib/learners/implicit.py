"""Meta-learning with implicit gradients, iMAML (Rajeswaran, Finn, Kakade, Levine 2019)."""

import warnings
from typing import Any, cast

import keras
import tensorflow as tf

from metalearn_lib.core.checks import at_least, positive
from metalearn_lib.core.curvature import conjugate_gradients, hessian_product, relative_residual
from metalearn_lib.core.task import unpack
from metalearn_lib.core.update import Weights, inner_loop
from metalearn_lib.core.vectorize import over_tasks
from metalearn_lib.learners.gradient import GradientLearner

POOR = 0.5  # relative residual of a solution that is none


@keras.saving.register_keras_serializable("metalearn_lib")
class ImplicitMAML(GradientLearner):
    """Learns weights near which a new task has a good solution, without differentiating through the way there.

    The inner loop minimises L(φ, support) + λ/2 ‖φ − θ‖² (equation 3 of the paper). At its minimum the meta-gradient
    is (I + ∇²L(φ, support)/λ)⁻¹ ∇L(φ, query) (equations 6 and 7), which conjugate gradients solve for with
    products of the Hessian and a vector: neither memory nor the way of the inner loop matter, as long as it
    converges.

    Args:
        model: any Keras model.
        inner_lr: rate of the inner loop.
        inner_steps: number of gradient steps on a task; enough to come near the minimum.
        regularization: λ, how strongly a task's weights are held near θ.
        conjugate_steps: number of steps of the conjugate gradients.
        batch_norm: see `GradientLearner`.

    Raises:
        ValueError: for a regularisation that is not positive, or less than one conjugate step.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        inner_lr: float = 0.01,
        inner_steps: int = 16,
        regularization: float = 2.0,
        conjugate_steps: int = 5,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        positive(regularization=regularization)
        at_least(1, conjugate_steps=conjugate_steps)
        self.regularization = regularization
        self.conjugate_steps = conjugate_steps
        self.residual = keras.metrics.Mean(name="residual")

    def adapt(self, weights: Weights, support_x: tf.Tensor, support_y: tf.Tensor, steps: int | None = None) -> Weights:
        """The weights after the regularised inner loop on one task, which is held near θ wherever it starts.

        Args:
            weights: the trainable weights of the model.
            support_x: [S, ...].
            support_y: [S, ...].
            steps: number of gradient steps; `inner_steps` if None.

        Returns:
            The adapted weights.
        """
        loss, initialisation = self.loss_on(support_x, support_y), self.initialization()

        def regularised(weights: Weights) -> tf.Tensor:
            distances = [tf.reduce_sum((w - start) ** 2) for w, start in zip(weights, initialisation, strict=True)]
            return loss(weights) + self.regularization / 2 * tf.add_n(distances)

        return inner_loop(regularised, weights, self.inner_lr, self.inner_steps if steps is None else steps)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the outer loop on a meta-batch."""
        task, query_y = unpack(data)
        start = self.initialization()

        def meta_gradient(support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor):
            weights = self.adapt(start, support_x, support_y)
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss, predictions = self.query_loss(weights, support_x, query_x, query_y)
                scaled = self.optimizer.scale_loss(loss)
            slope = tape.gradient(scaled, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            gradient = cast(Weights, slope)
            support_loss = self.loss_on(support_x, support_y)

            def product(vector: Weights) -> Weights:
                curved = hessian_product(support_loss, weights, vector)
                return [v + c / self.regularization for v, c in zip(vector, curved, strict=True)]

            solution = conjugate_gradients(product, gradient, self.conjugate_steps)
            left = relative_residual(product, solution, gradient)
            return left, (loss, predictions, solution, self.network.gather(weights, query_x))

        left, results = over_tasks(meta_gradient, task["support_x"], task["support_y"], task["query_x"], query_y)
        self.residual.update_state(left)
        return self.apply_meta_gradients(task, query_y, *results)

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> keras.callbacks.History:
        """`Learner.fit`; the metric "residual" is ‖b − A x‖ / ‖b‖, what the conjugate gradients leave unsolved.

        A warning says so if the last epoch left more than `POOR` of it.
        """
        history = super().fit(x, y, **options)
        residual = (history.history.get("residual") or [0.0])[-1]
        if residual > POOR:
            warnings.warn(
                f"the implicit gradient was left with a relative residual of {residual:.2f}, expected less "
                f"than {POOR}: "
                "take more conjugate_steps, a stronger regularization, or more inner_steps",
                stacklevel=2,
            )
        return history
