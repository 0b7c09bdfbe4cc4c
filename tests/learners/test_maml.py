"""MAML's meta-gradient: a closed form whose first-order version has the wrong sign, and finite differences."""

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, cross_entropy, fitted_gradient, image_tasks, regression_tasks


def three_weights() -> keras.Model:
    """f(x) = Σ wᵢ xᵢ with w = (2, 3, 5)."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].kernel.assign(np.array([[2.0], [3.0], [5.0]]))
    return model


def half_square(y_true, y_pred):
    """½ f(x)²: the targets play no part."""
    return keras.ops.sum(y_pred**2, axis=-1) / 2


@pytest.mark.parametrize(
    ("first_order", "expected"), [(False, [3780.0, 8505.0, 13230.0]), (True, [-1260.0, -1575.0, -1890.0])]
)
def test_the_exact_meta_gradient(float64, first_order, expected):
    """The meta-gradient of three weights, by hand.

    With one example x = (1, 2, 3) and α = ½ the inner loss is ½(w·x)², its gradient (w·x) x with w·x = 23, so
    w' = w − 11.5 x = (−9.5, −20, −29.5). On the query z = (4, 5, 6), w'·z = −315. The gradient of ½(w'·z)² in w'
    is −315 z = (−1260, −1575, −1890): the first order. The second multiplies by dw'/dw = I − ½ x xᵀ:
    −315 (z − ½ (x·z) x) = −315 (z − 16 x) = −315 (−12, −27, −42) = (3780, 8505, 13230). Every sign is the other.
    """
    learner = ml.MAML(three_weights(), inner_lr=0.5, inner_steps=1, first_order=first_order)
    learner.compile(keras.optimizers.SGD(1.0), loss=half_square)
    task = {
        "support_x": np.array([[[1.0, 2.0, 3.0]]]),
        "support_y": np.zeros((1, 1, 1)),
        "query_x": np.array([[[4.0, 5.0, 6.0]]]),
    }
    (gradient,) = fitted_gradient(learner, task, np.zeros((1, 1, 1)))
    np.testing.assert_allclose(gradient[:, 0], expected, rtol=1e-12)


def test_the_exact_gradient_of_learned_rates(float64):
    """As above, with a rate for each weight: w'ᵢ = wᵢ − αᵢ 23 xᵢ.

    Then d½(w'·z)²/dαᵢ = (w'·z) zᵢ (−23 xᵢ) = −315 · −23 · xᵢ zᵢ = 7245 (4, 10, 18).
    """
    learner = ml.MAML(three_weights(), inner_lr=0.5, inner_steps=1, learn_inner_lr=True)
    learner.compile(keras.optimizers.SGD(1.0), loss=half_square)
    task = {
        "support_x": np.array([[[1.0, 2.0, 3.0]]]),
        "support_y": np.zeros((1, 1, 1)),
        "query_x": np.array([[[4.0, 5.0, 6.0]]]),
    }
    rates, weights = fitted_gradient(learner, task, np.zeros((1, 1, 1)))
    np.testing.assert_allclose(rates[:, 0], [28980.0, 72450.0, 130410.0], rtol=1e-12)
    np.testing.assert_allclose(weights[:, 0], [3780.0, 8505.0, 13230.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("steps", "variant"),
    [(1, {}), (3, {}), (2, {"learn_inner_lr": True}), (2, {"adapted": "head"}), (12, {"adapted": "head"})],
)
def test_regression_against_finite_differences(float64, steps, variant):
    task, query_y = regression_tasks()
    learner = ml.MAML(ml.networks.mlp(1, 1, (8, 8), activation="tanh"), inner_lr=0.3, inner_steps=steps, **variant)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    check_fitted_gradient(learner, task, query_y)


def test_the_inner_loop_on_the_head_leaves_the_body(float64):
    """ANIL adapts a kernel and a bias; the least-squares gradient of these two, by hand."""
    task, _ = regression_tasks(tasks=1)
    x, y = task["support_x"][0], task["support_y"][0]
    learner = ml.MAML(
        ml.networks.mlp(1, 1, (8, 8), activation="tanh"), inner_lr=0.3, adapted="head", learn_inner_lr=True
    )
    learner.compile(loss="mse")
    start = learner.initialization()
    *body, kernel, bias = learner.adapt(start, x, y)
    for before, after in zip(start, body, strict=False):
        np.testing.assert_array_equal(before, after)
    features = keras.Sequential(learner.model.layers[:-1])(x).numpy()
    slope = 2 * (learner.model(x).numpy() - y) / len(y)
    np.testing.assert_allclose(kernel, start[-2] - 0.3 * features.T @ slope, rtol=1e-10)
    np.testing.assert_allclose(bias, start[-1] - 0.3 * slope.sum(0), rtol=1e-10)


@pytest.mark.parametrize("batch_norm", ["support", "transductive"])
def test_batch_normalised_convolutions_against_finite_differences(float64, batch_norm):
    # Softplus in place of ReLU: finite differences need a smooth function.
    task, query_y = image_tasks()
    block = ml.networks.conv4(3, (6, 6, 1), filters=3).layers[:2]
    layers = [keras.Input((6, 6, 1)), *block, keras.layers.Activation("softplus"), keras.layers.Flatten()]
    learner = ml.MAML(
        keras.Sequential([*layers, keras.layers.Dense(3)]), inner_lr=0.2, inner_steps=2, batch_norm=batch_norm
    )
    learner.compile(keras.optimizers.SGD(1.0), jit_compile=False, loss=cross_entropy())
    check_fitted_gradient(learner, task, query_y)


def test_first_order_is_the_gradient_at_the_adapted_weights(float64):
    """∇L(θ', query), computed by Keras on a copy of the model that holds θ'."""
    import tensorflow as tf

    task, query_y = regression_tasks(tasks=1)
    model = ml.networks.mlp(1, 1, (8,), activation="tanh")
    learner = ml.MAML(model, inner_lr=0.3, inner_steps=1, first_order=True)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    gradient = fitted_gradient(learner, task, query_y)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((copy(task["support_x"][0]) - task["support_y"][0]) ** 2)
    for variable, inner in zip(copy.trainable_variables, tape.gradient(loss, copy.trainable_variables), strict=True):
        variable.assign_sub(0.3 * inner)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((copy(task["query_x"][0]) - query_y[0]) ** 2)
    for ours, theirs in zip(gradient, tape.gradient(loss, copy.trainable_variables), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_it_learns_to_learn():
    """After 1,000 meta-batches one step on ten points beats joint training and fifty steps from scratch.

    The head alone takes five steps for that; with learned rates one step is better still.
    """
    keras.utils.set_random_seed(0)
    learners = {
        "maml": ml.MAML(ml.networks.mlp(), inner_lr=0.01, inner_steps=1),
        "rates": ml.MAML(ml.networks.mlp(), inner_lr=0.01, inner_steps=1, learn_inner_lr=True),
        "head": ml.MAML(ml.networks.mlp(), inner_lr=0.02, inner_steps=5, adapted="head"),
        "joint": ml.JointTraining(ml.networks.mlp(), inner_lr=0.01, inner_steps=1),
        "scratch": ml.FromScratch(ml.networks.mlp(), inner_lr=0.01, inner_steps=50),
    }
    for learner in learners.values():
        learner.compile("adam", loss="mse", steps_per_execution=100)
        learner.fit(ml.tasks.sinusoids(), steps_per_epoch=1_000, verbose=0)
    scores = ml.compare(learners, ml.tasks.sinusoids(seed=1, meta_batch_size=100), 600)
    for baseline in ("joint", "scratch"):
        assert (scores["maml"] - scores[baseline]).high < 0
    for variant in ("rates", "head"):
        assert (scores[variant] - scores["joint"]).high < 0
    assert (scores["rates"] - scores["maml"]).high < 0


def test_the_queries_of_a_task_do_not_touch_each_other():
    """With statistics of the support set a query's prediction is the same alone as among others; else not."""
    keras.utils.set_random_seed(0)
    task, _ = image_tasks()
    alone = {**task, "query_x": task["query_x"][:, :1]}
    layers = [keras.Input((6, 6, 1)), *ml.networks.conv4(3, (6, 6, 1), filters=3).layers[:2], keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(3)])
    for batch_norm, same in (("support", True), ("transductive", False)):
        learner = ml.MAML(model, inner_lr=0.1, inner_steps=1, batch_norm=batch_norm)
        learner.compile("adam", jit_compile=False, loss=cross_entropy())
        close = np.allclose(learner.predict(task)[:, :1], learner.predict(alone), atol=1e-5)
        assert close == same


def test_evaluation_takes_a_trained_learner():
    learner = ml.MAML(ml.networks.mlp())
    learner.compile("adam", loss="mse")
    assert len(ml.score(learner, ml.tasks.sinusoids(seed=2), 30).values) == 30
