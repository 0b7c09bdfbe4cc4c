"""Implicit gradients: a closed form where the inner problem is linear, finite differences where it is not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, fitted_gradient, regression_tasks


def test_the_meta_gradient_of_a_linear_model(float64):
    """For f(x) = x·w and mean squared errors everything is a matrix.

    The inner minimum of ‖Xφ − y‖²/n + λ/2 ‖φ − θ‖² is φ = (H + λ)⁻¹ (2Xᵀy/n + λθ) with H = 2XᵀX/n. As the derivative
    of φ by θ is λ (H + λ)⁻¹, the meta-gradient is λ (H + λ)⁻¹ 2Zᵀ(Zφ − t)/m on queries Z with targets t.
    """
    rng, λ = np.random.default_rng(0), 0.7
    x, y, z, t = (rng.normal(size=shape) for shape in ((6, 3), (6, 1), (5, 3), (5, 1)))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    θ = model.get_weights()[0]
    learner = ml.ImplicitMAML(model, inner_lr=0.2, inner_steps=500, regularization=λ, conjugate_steps=3)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    task = {"support_x": x[None], "support_y": y[None], "query_x": z[None]}
    (gradient,) = fitted_gradient(learner, task, t[None])
    matrix = 2 * x.T @ x / 6 + λ * np.eye(3)
    φ = np.linalg.solve(matrix, 2 * x.T @ y / 6 + λ * θ)
    np.testing.assert_allclose(learner.predict(task)[0], z @ φ, rtol=1e-9)
    np.testing.assert_allclose(gradient, λ * np.linalg.solve(matrix, 2 * z.T @ (z @ φ - t) / 5), rtol=1e-9)


def test_its_gradient_against_finite_differences(float64):
    task, query_y = regression_tasks()
    model = ml.networks.mlp(1, 1, (4,), activation="tanh")
    learner = ml.ImplicitMAML(model, inner_lr=0.1, inner_steps=300, regularization=4.0, conjugate_steps=13)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    check_fitted_gradient(learner, task, query_y)


def test_the_product_of_a_hessian_and_a_vector(float64):
    """L = a²b + b³ has the Hessian [[2b, 2a], [2a, 6b]]; at (3, 2), times (1, −1): (4 − 6, 6 − 12)."""
    weights, vector = [tf.constant(w, tf.float64) for w in (3, 2)], [tf.constant(v, tf.float64) for v in (1, -1)]
    product = ml.hessian_product(lambda w: w[0] ** 2 * w[1] + w[1] ** 3, weights, vector)
    np.testing.assert_allclose(product, [-2.0, -6.0])


@pytest.mark.parametrize("steps", [8, 20])
def test_conjugate_gradients_solve(steps):
    """In as many steps as there are unknowns, and further steps do no harm."""
    rng = np.random.default_rng(0)
    matrix, target = rng.normal(size=(8, 8)), rng.normal(size=8)
    matrix = matrix @ matrix.T + np.eye(8)

    def product(vector):
        return tf.split(tf.linalg.matvec(tf.constant(matrix), tf.concat(vector, 0)), [3, 5])

    solution = ml.conjugate_gradients(product, tf.split(tf.constant(target), [3, 5]), steps)
    np.testing.assert_allclose(tf.concat(solution, 0), np.linalg.solve(matrix, target), rtol=1e-8)


def test_conjugate_gradients_stop_where_there_is_no_minimum():
    """For A = −I the first direction b − A b = 2b curves downwards: the answer is the start, b."""
    target = [tf.constant([1.0, 2.0])]
    (solution,) = ml.conjugate_gradients(lambda vector: [-v for v in vector], target, 5)
    np.testing.assert_array_equal(solution, target[0])


def test_it_learns():
    """A few hundred meta-batches beat the same inner loop from weights that were not trained."""
    keras.utils.set_random_seed(0)
    loop = {"inner_lr": 0.01, "inner_steps": 30, "regularization": 2.0}
    learners = {
        "trained": ml.ImplicitMAML(ml.networks.mlp(), **loop),
        "untrained": ml.ImplicitMAML(ml.networks.mlp(), **loop),
    }
    for learner in learners.values():
        learner.compile("adam", loss="mse", steps_per_execution=100)
    learners["trained"].fit(ml.tasks.sinusoids(), steps_per_epoch=400, verbose=0)
    scores = ml.compare(learners, ml.tasks.sinusoids(seed=1, meta_batch_size=100), 600)
    print(scores["trained"], scores["untrained"], scores["trained"] - scores["untrained"])
    assert (scores["trained"] - scores["untrained"]).high < 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"regularization": 0.0}, "regularization is 0.0, expected a positive number"),
        ({"conjugate_steps": 0}, "conjugate_steps is 0, expected a whole number of at least 1"),
    ],
)
def test_settings_that_make_no_sense(arguments, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        ml.ImplicitMAML(ml.networks.mlp(), **arguments)
