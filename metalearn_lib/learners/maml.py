"""Model-agnostic meta-learning (Finn, Abbeel, Levine 2017)."""

from typing import Any

from metalearn_lib._tensorflow import keras, tf
from metalearn_lib.learners.base import meta_batch
from metalearn_lib.learners.gradient import GradientLearner
from metalearn_lib.vectorised import over_tasks


@keras.saving.register_keras_serializable("metalearn_lib")
class MAML(GradientLearner):
    """Learns weights from which a few gradient steps on a new task go far.

    Minimises the mean over tasks of L(θ', query) with θ' = θ − α∇L(θ, support), by differentiating through the
    inner steps (algorithm 1 and equation 1 of the paper).

    Args:
        model: any Keras model.
        inner_rate: α, the rate of the inner loop.
        inner_steps: number of gradient steps on a task.
        first_order: leave out the second derivatives (FOMAML, section 5.2 of the paper).
        statistics: see `GradientLearner`.
    """

    def __init__(
        self,
        model: keras.Model,
        inner_rate: float = 0.01,
        inner_steps: int = 1,
        first_order: bool = False,
        statistics: str = "support",
        **kwargs: Any,
    ):
        super().__init__(model, inner_rate, inner_steps, statistics, **kwargs)
        self.first_order = first_order

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the outer loop on a meta-batch."""
        task, query_y = meta_batch(data)
        start = self.initialisation()

        def meta_gradient(support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor):
            # Both tapes live in the vectorised body: an outer tape that crossed it would make XLA compile anew
            # at every step.
            with tf.GradientTape() as tape:
                tape.watch(start)
                weights = self.adapt(start, support_x, support_y, first_order=self.first_order)
                predictions = self.predict_from(weights, support_x, query_x)
                loss = self.loss_of(query_y, predictions)
            gradients = tape.gradient(loss, start, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return loss, predictions, gradients

        losses, predictions, gradients = over_tasks(
            meta_gradient, task["support_x"], task["support_y"], task["query_x"], query_y
        )
        return self.apply_meta_gradients(task, query_y, gradients, predictions, losses)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        return {**super().get_config(), "first_order": self.first_order}
