"""One policy for batch normalisation everywhere: each against NumPy, and its gradient against finite differences."""

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, cross_entropy, image_tasks, regression_tasks

MOMENTUM = 0.7


def only_normalised(features: int) -> keras.Model:
    layer = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-12)
    return keras.Sequential([keras.Input((features,)), layer])


def normalised(x: np.ndarray, by: np.ndarray) -> np.ndarray:
    return (x - by.mean(1, keepdims=True)) / by.std(1, keepdims=True)


@pytest.mark.parametrize("batch_norm", ["support", "transductive"])
def test_queries_of_a_learner_that_adapts(float64, batch_norm):
    task, _ = regression_tasks(tasks=2)
    learner = ml.FromScratch(only_normalised(1), inner_steps=0, batch_norm=batch_norm)
    learner.compile(loss="mse")
    by = task["support_x"] if batch_norm == "support" else task["query_x"]
    np.testing.assert_allclose(learner.predict(task), normalised(task["query_x"], by), rtol=1e-6)


@pytest.mark.parametrize("batch_norm", ["support", "transductive"])
def test_support_set_and_queries_that_are_embedded(float64, batch_norm):
    """The nearest neighbour in the embedding gives its distances, here written out in NumPy."""
    rng = np.random.default_rng(0)
    support, query = rng.normal(size=(2, 3, 4)), 1 + 2 * rng.normal(size=(2, 5, 4))
    task = {"support_x": support, "support_y": np.tile([2, 0, 1], (2, 1)), "query_x": query}
    learner = ml.NearestNeighbor(only_normalised(4), batch_norm=batch_norm)
    learner.compile()
    by = support if batch_norm == "support" else np.concatenate([support, query], axis=1)
    a, b = normalised(query, by), normalised(support, by)
    distances = ((a[:, :, None] - b[:, None]) ** 2).sum(-1)[..., [1, 2, 0]]
    np.testing.assert_allclose(learner.predict(task), -distances, rtol=1e-5)


@pytest.mark.parametrize("kind", [ml.MAML, ml.Reptile, ml.JointTraining, ml.PrototypicalNetwork])
def test_running_averages_are_gathered_in_training_and_used_in_prediction(float64, kind):
    """From mean 0 and variance 1 they move by 1 − momentum towards those of the training batch.

    The batch is: the queries of a task, averaged over tasks (MAML); the support set (Reptile, which never learns from
    queries); support sets and queries of all tasks together (joint training and prototypes).
    """
    rng = np.random.default_rng(0)
    x, y = 3 + 2 * rng.normal(size=(2, 7, 3)), rng.integers(0, 3, (2, 7)).astype(np.int32)
    y[:, :3] = range(3)
    task = {"support_x": x[:, :3], "support_y": y[:, :3], "query_x": x[:, 3:]}
    learner = kind(only_normalised(3), batch_norm="running")
    learner.compile(keras.optimizers.SGD(0.0), loss=cross_entropy(), jit_compile=False)
    learner.fit(task, y[:, 3:], batch_size=2, epochs=1, verbose=0)
    batch = {ml.MAML: x[:, 3:], ml.Reptile: x[:, :3]}.get(kind, x.reshape(1, -1, 3))
    mean = (1 - MOMENTUM) * batch.mean(1).mean(0)
    variance = MOMENTUM + (1 - MOMENTUM) * batch.var(1).mean(0)
    np.testing.assert_allclose(learner.model.layers[0].moving_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(learner.model.layers[0].moving_variance, variance, rtol=1e-6)
    features = (x - mean) / np.sqrt(variance)
    if kind is ml.PrototypicalNetwork:
        expected = -((features[:, 3:, None] - features[:, None, :3]) ** 2).sum(-1)
        np.testing.assert_allclose(learner.predict(task), expected, rtol=1e-5)
    elif kind is ml.JointTraining:
        np.testing.assert_allclose(learner.predict(task), features[:, 3:], rtol=1e-5)


def test_from_scratch_has_no_running_averages():
    with pytest.raises(ValueError, match=r"^batch_norm is 'running', expected support or transductive"):
        ml.FromScratch(only_normalised(1), batch_norm="running")


@pytest.mark.parametrize("batch_norm", ["support", "transductive"])
def test_the_gradient_of_embeddings(float64, batch_norm):
    """Through the statistics too. Softplus in place of ReLU: finite differences need a smooth function."""
    task, query_y = image_tasks()
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(3, 3, strides=2),
            keras.layers.BatchNormalization(),
            keras.layers.Activation("softplus"),
            keras.layers.Flatten(),
            keras.layers.BatchNormalization(),
        ]
    )
    learner = ml.PrototypicalNetwork(model, batch_norm=batch_norm)
    learner.compile(keras.optimizers.SGD(1.0), loss=cross_entropy())
    check_fitted_gradient(learner, task, query_y)
