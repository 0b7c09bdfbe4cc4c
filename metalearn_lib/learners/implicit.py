"""Meta-learning with implicit gradients, iMAML (Rajeswaran, Finn, Kakade, Levine 2019)."""

from collections.abc import Callable
from typing import Any

from metalearn_lib._tensorflow import keras, tf
from metalearn_lib.learners.base import meta_batch
from metalearn_lib.learners.gradient import GradientLearner
from metalearn_lib.tasks import at_least
from metalearn_lib.update import Weights, inner_loop
from metalearn_lib.vectorised import over_tasks

LEAST_CURVATURE = 0.01  # I + ∇²L/λ has at least 1 where L is convex


@keras.saving.register_keras_serializable("metalearn_lib")
class ImplicitMAML(GradientLearner):
    """Learns weights near which a new task has a good solution, without differentiating through the way there.

    The inner loop minimises L(φ, support) + λ/2 ‖φ − θ‖² (equation 3 of the paper). At its minimum the meta-gradient
    is (I + ∇²L(φ, support)/λ)⁻¹ ∇L(φ, query) (equations 6 and 7), which conjugate gradients solve for with
    products of the Hessian and a vector: neither memory nor the way of the inner loop matter, as long as it
    converges.

    Args:
        model: any Keras model.
        inner_rate: rate of the inner loop.
        inner_steps: number of gradient steps on a task; enough to come near the minimum.
        regularisation: λ, how strongly a task's weights are held near θ.
        conjugate_steps: number of steps of the conjugate gradients.
        statistics: see `GradientLearner`.

    Raises:
        ValueError: for a regularisation that is not positive, or less than one conjugate step.
    """

    def __init__(
        self,
        model: keras.Model,
        inner_rate: float = 0.01,
        inner_steps: int = 16,
        regularisation: float = 2.0,
        conjugate_steps: int = 5,
        statistics: str = "support",
        **kwargs: Any,
    ):
        super().__init__(model, inner_rate, inner_steps, statistics=statistics, **kwargs)
        if not regularisation > 0:
            raise ValueError(f"regularisation is {regularisation!r}, expected a positive number")
        at_least(1, conjugate_steps=conjugate_steps)
        self.regularisation = regularisation
        self.conjugate_steps = conjugate_steps

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
        loss, initialisation = self.loss_on(support_x, support_y), self.initialisation()

        def regularised(weights: Weights) -> tf.Tensor:
            distances = [tf.reduce_sum((w - start) ** 2) for w, start in zip(weights, initialisation, strict=True)]
            return loss(weights) + self.regularisation / 2 * tf.add_n(distances)

        return inner_loop(regularised, weights, self.inner_rate, self.inner_steps if steps is None else steps)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of the outer loop on a meta-batch."""
        task, query_y = meta_batch(data)
        start = self.initialisation()

        def meta_gradient(support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor):
            weights = self.adapt(start, support_x, support_y)
            with tf.GradientTape() as tape:
                tape.watch(weights)
                predictions = self.predict_from(weights, support_x, query_x, training=True)
                loss = self.loss_of(query_y, predictions)
            gradient = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            support_loss = self.loss_on(support_x, support_y)

            def product(vector: Weights) -> Weights:
                curved = hessian_product(support_loss, weights, vector)
                return [v + c / self.regularisation for v, c in zip(vector, curved, strict=True)]

            gradient = conjugate_gradients(product, gradient, self.conjugate_steps)
            return loss, predictions, gradient, self.normalisation.gather(weights, query_x)

        results = over_tasks(meta_gradient, task["support_x"], task["support_y"], task["query_x"], query_y)
        return self.apply_meta_gradients(task, query_y, *results)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        config = super().get_config()
        del config["adapted"]
        return config | {"regularisation": self.regularisation, "conjugate_steps": self.conjugate_steps}


def hessian_product(loss: Callable[[Weights], tf.Tensor], weights: Weights, vector: Weights) -> Weights:
    """∇²L(θ) v for a vector v in the shapes of θ, without the matrix ∇²L: the gradient of ∇L(θ)·v."""
    with tf.GradientTape() as outer:
        outer.watch(weights)
        with tf.GradientTape() as inner:
            inner.watch(weights)
            value = loss(weights)
        slope = inner.gradient(value, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return outer.gradient(slope, weights, vector, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def conjugate_gradients(product: Callable[[Weights], Weights], target: Weights, steps: int) -> Weights:
    """An approximate solution x of A x = b for a symmetric positive definite A (Hestenes, Stiefel 1952).

    Starts from b, which is the solution for A = I. Where the curvature of A along a direction is below
    `LEAST_CURVATURE`, as it can be away from a minimum, it stops with what it has.

    Args:
        product: from x to A x, lists of tensors in the shapes of `target`.
        target: b, a list of tensors.
        steps: number of steps; as many as b has numbers give the solution but for rounding.

    Returns:
        x, in the shapes of b.
    """

    def step(
        solution: Weights, residual: Weights, direction: Weights, squared: tf.Tensor, going: tf.Tensor
    ) -> tuple[Weights, Weights, Weights, tf.Tensor, tf.Tensor]:
        image = product(direction)
        curvature = _dot(direction, image)
        going = going & (curvature > LEAST_CURVATURE * _dot(direction, direction))
        length = tf.where(going, tf.math.divide_no_nan(squared, curvature), 0)
        solution = [x + length * d for x, d in zip(solution, direction, strict=True)]
        residual = [r - length * i for r, i in zip(residual, image, strict=True)]
        following = _dot(residual, residual)
        turn = tf.math.divide_no_nan(following, squared)
        direction = [r + turn * d for r, d in zip(residual, direction, strict=True)]
        return solution, residual, direction, following, going

    residual = [b - i for b, i in zip(target, product(target), strict=True)]
    start = (target, residual, residual, _dot(residual, residual), tf.constant(True))
    return tf.while_loop(lambda *_: True, step, start, maximum_iterations=steps)[0]


def _dot(a: Weights, b: Weights) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(x * y) for x, y in zip(a, b, strict=True)])
