"""Pre-trained features: centroids by hand, the probe against SciPy, ordinary training, and that they learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

import metalearn_lib as ml
from metalearn_lib.learners.pretrained import linear_probe
from tests.gradients import cross_entropy, finite_difference, fitted_gradient, image_tasks

from .test_prototypes import identity


def test_centroids_by_hand():
    # Divided by their lengths, class 0 has (1, 0) and (0, 1), centroid (½, ½); class 1 has (−1, 0); the query is
    # (0, 1). Squared distances: ¼ + ¼ and 1 + 1.
    task = {
        "support_x": np.array([[[2.0, 0.0], [-5.0, 0.0], [0.0, 3.0]]]),
        "support_y": np.array([[0, 1, 0]]),
        "query_x": np.array([[[0.0, 4.0]]]),
    }
    learner = ml.PretrainedFeatures(identity(2), num_classes=2)
    learner.compile(loss=cross_entropy())
    np.testing.assert_allclose(learner.predict(task), [[[-0.5, -2.0]]], atol=1e-6)


@pytest.mark.parametrize(("ways", "shots", "features"), [(2, 1, 3), (5, 1, 64), (20, 5, 30)])
def test_the_probe_against_a_general_minimiser(float64, ways, shots, features):
    """SciPy's BFGS on W itself, by the definition of the loss; features that are alike make it hardest."""
    rng = np.random.default_rng(0)
    x = 2 + rng.normal(size=(2, ways * shots, features))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    y = np.tile(np.repeat(np.eye(ways), shots, axis=0), (2, 1, 1))
    found = linear_probe(tf.constant(x), tf.constant(y)).numpy()

    def loss(flat, x, y):
        weights = flat.reshape(features, ways)
        logits = x @ weights
        odds = np.exp(logits)
        value = (np.log(odds.sum(1)) - (logits * y).sum(1)).sum() + (weights**2).sum() / 2
        return value, (x.T @ (odds / odds.sum(1, keepdims=True) - y) + weights).ravel()

    for task in range(2):
        start = np.zeros(features * ways)
        best = minimize(loss, start, (x[task], y[task]), jac=True, method="L-BFGS-B", tol=1e-14)
        np.testing.assert_allclose(found[task].ravel(), best.x, atol=1e-5)


def test_a_probe_predicts_by_the_weights_that_it_finds(float64):
    task, _ = image_tasks(ways=3)
    flat = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten()])
    learner = ml.PretrainedFeatures(flat, num_classes=2, classifier="probe")
    learner.compile(loss=cross_entropy())
    support, query = (x.reshape(2, -1, 36) for x in (task["support_x"], task["query_x"]))
    support, query = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (support, query))
    weights = linear_probe(tf.constant(support), tf.one_hot(task["support_y"], 3, dtype="float64"))
    np.testing.assert_allclose(learner.predict(task), query @ weights, rtol=1e-9)


def test_it_is_trained_by_ordinary_classification(float64):
    """The step of `fit` against finite differences of the mean cross-entropy of all training classes."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 4)), rng.integers(0, 5, 9).astype(np.int32)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh")])
    learner = ml.PretrainedFeatures(model, num_classes=5)
    learner.compile(keras.optimizers.SGD(1.0), loss=cross_entropy())
    gradient = fitted_gradient(learner, x, y)
    assert [g.shape for g in gradient] == [(4, 3), (3,), (3, 5), (5,)]

    def loss():
        first, bias, second, last = (v.numpy() for v in learner.trainable_variables)
        logits = np.tanh(x @ first + bias) @ second + last
        return (np.log(np.exp(logits).sum(1)) - logits[range(9), y]).mean()

    direction = [rng.normal(size=g.shape) for g in gradient]
    along = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True))
    assert abs(along - finite_difference(loss, learner.trainable_variables, direction)) < 1e-7


def test_it_learns():
    """Features of three scripts serve a fourth: both classifiers beat the nearest neighbour in pixels."""
    keras.utils.set_random_seed(0)
    train, test = (
        ml.images.load_glyphs(10, 14, ("Greek", "Armenian", "Georgian")),
        ml.images.load_glyphs(10, 14, ("Hebrew",)),
    )
    model = ml.networks.conv4(None, (14, 14, 1), filters=32)
    trained = ml.PretrainedFeatures(model, num_classes=len(train.classes), classifier="centroid", batch_norm="running")
    trained.compile(keras.optimizers.Adam(3e-3), loss=cross_entropy())
    trained.fit(ml.tasks.labelled_batches(train), steps_per_epoch=300, verbose=0)
    learners = {
        "centroid": trained,
        "probe": ml.PretrainedFeatures(model, num_classes=len(train.classes), classifier="probe", batch_norm="running"),
        "nearest": ml.NearestNeighbor(),
    }
    for learner in learners.values():
        learner.compile(loss=cross_entropy())
    scores = ml.compare(learners, ml.tasks.episodes(test, 5, 2, 5, 50, seed=1), 200)
    for name in ("centroid", "probe"):
        assert (scores[name] - scores["nearest"]).low > 0.03


def small() -> keras.Model:
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    return keras.Sequential(layers)


def batch(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(8, 6, 6, 1)), rng.integers(0, 5, 8).astype(np.int32)


def test_its_validation_is_on_tasks():
    learner = ml.PretrainedFeatures(small(), num_classes=5)
    learner.compile("adam", loss=cross_entropy(), metrics=["accuracy"])
    history = learner.fit(*batch(), validation_data=image_tasks(ways=3), verbose=0).history
    assert 0 <= history["val_accuracy"][0] <= 1
    assert learner.predict(image_tasks(ways=7)[0]).shape == (2, 14, 7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_classes": 1}, r"^num_classes is 1, expected a whole number of at least 2"),
        ({"classifier": "svm"}, r"^classifier is 'svm', expected one of centroid, probe"),
        (
            {"model": keras.Sequential([keras.Input((3, 1)), keras.layers.ReLU()])},
            r"^model has outputs of shape",
        ),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        ml.PretrainedFeatures(**{"model": identity(2), "num_classes": 3, **arguments})


def test_what_it_cannot_train_on_gets_one_sentence():
    learner = ml.PretrainedFeatures(small(), num_classes=4)
    learner.compile("adam", loss=cross_entropy())
    with pytest.raises(TypeError, match=r"^x holds tasks, expected labelled batches \(x, y\)"):
        learner.fit(*image_tasks())
    with pytest.raises(ValueError, match=r"^y is int32 \(8,\) of 0..4, expected whole numbers \[B\] of 0..3"):
        learner.fit(*batch())
