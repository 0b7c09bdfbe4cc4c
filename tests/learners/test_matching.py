"""Matching networks: attention by hand, full context embeddings in NumPy, gradients, and that they learn."""

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, cross_entropy, fitted_gradient, image_tasks, regression_tasks

from .test_prototypes import identity, noisy_patterns


def by_hand() -> dict[str, np.ndarray]:
    """The query (3, 4) of length 5 has the cosines 3/5, 4/5 and −3/5 to the examples."""
    return {
        "support_x": np.array([[[1.0, 0.0], [0.0, 2.0], [-7.0, 0.0]]]),
        "support_y": np.array([[0, 1, 0]]),
        "query_x": np.array([[[3.0, 4.0]]]),
    }


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_attention_by_hand(float64, scale):
    a, b, c = np.exp(scale * np.array([0.6, 0.8, -0.6]))
    learner = ml.MatchingNetwork(identity(2), scale=scale)
    learner.compile(loss=cross_entropy())
    task = by_hand()
    expected = [[[np.log((a + c) / (a + b + c)), np.log(b / (a + b + c))]]]
    np.testing.assert_allclose(learner.predict(task), expected, rtol=1e-9)
    values = {**task, "support_y": np.array([[[10.0], [20.0], [30.0]]])}
    np.testing.assert_allclose(learner.predict(values), [[[(10 * a + 20 * b + 30 * c) / (a + b + c)]]], rtol=1e-9)


def test_a_class_without_examples_gets_no_attention_and_breaks_nothing():
    task = {**by_hand(), "support_y": np.array([[0, 2, 0]])}
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    learner = ml.MatchingNetwork(model)
    learner.compile(keras.optimizers.SGD(1.0), loss=cross_entropy())
    assert np.exp(learner.predict(task)[0, 0, 1]) == 0
    assert all(np.isfinite(gradient).all() for gradient in fitted_gradient(learner, task, np.array([[2]])))


def smooth(features: int) -> keras.Model:
    layers = [keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 3, activation="tanh"), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(features)])


@pytest.mark.parametrize(("context", "regression"), [(0, False), (0, True), (2, False)])
def test_its_gradient_against_finite_differences(float64, context, regression):
    if regression:
        task, query_y = regression_tasks()
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
    else:
        (task, query_y), model = image_tasks(), smooth(4)
    learner = ml.MatchingNetwork(model, scale=2.0, context=context)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse" if regression else cross_entropy())
    check_fitted_gradient(learner, task, query_y)


def lstm(cell: keras.layers.Layer, x, hidden, memory):
    """One step of a long short-term memory (Hochreiter and Schmidhuber 1997), with Keras's order of gates."""
    z = x @ cell.kernel.numpy() + hidden @ cell.recurrent_kernel.numpy() + cell.bias.numpy()
    i, f, candidate, o = np.split(z, 4, axis=-1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    memory = f * memory + i * np.tanh(candidate)
    return o * np.tanh(memory), memory


def test_full_context_embeddings_in_numpy(float64):
    """Appendix A of the paper, written out for one task."""
    rng = np.random.default_rng(0)
    support, query = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    learner = ml.MatchingNetwork(identity(3), scale=10.0, context=2)
    for variable in learner.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    task = {"support_x": support[None], "support_y": np.array([[1, 0, 2, 1, 0]]), "query_x": query[None]}
    learner.compile(loss=cross_entropy())

    g = support.copy()
    both = learner.read_support
    for layer, order in ((both.forward_layer, range(5)), (both.backward_layer, reversed(range(5)))):
        hidden = memory = np.zeros(3)
        for i in order:
            hidden, memory = lstm(layer.cell, support[i], hidden, memory)
            g[i] += hidden
    hidden = memory = np.zeros((4, 3))
    for _ in range(2):
        weight = np.exp(hidden @ g.T)
        read = weight / weight.sum(1, keepdims=True) @ g
        output, memory = lstm(learner.read_query, np.concatenate([query, read], axis=1), hidden, memory)
        hidden = output + query
    cosine = hidden @ g.T / np.linalg.norm(hidden, axis=1)[:, None] / np.linalg.norm(g, axis=1)
    attention = np.exp(10 * cosine) / np.exp(10 * cosine).sum(1, keepdims=True)
    expected = np.log(attention @ np.eye(3)[task["support_y"][0]])
    np.testing.assert_allclose(learner.predict(task)[0], expected, rtol=1e-6)


def test_it_learns():
    """A learned space beats the nearest neighbour in pixels, where noise drowns the pattern."""
    keras.utils.set_random_seed(0)
    learner = ml.MatchingNetwork(ml.networks.conv4(None, (14, 14, 1), filters=16), batch_norm="running")
    learner.compile(keras.optimizers.Adam(3e-3), loss=cross_entropy())
    learner.fit(noisy_patterns(0), steps_per_epoch=300, verbose=0)
    nearest = ml.NearestNeighbor()
    nearest.compile()
    scores = ml.compare({"matching": learner, "nearest": nearest}, noisy_patterns(1, 100), 400)
    assert (scores["matching"] - scores["nearest"]).low > 0.1


def test_it_is_tested_on_other_ways_than_it_was_trained_on():
    learner = ml.MatchingNetwork(smooth(4), context=1)
    learner.compile("adam", loss=cross_entropy())
    learner.fit(*image_tasks(ways=5), verbose=0)
    assert learner.predict(image_tasks(ways=3)[0]).shape == (2, 6, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"scale": 0.0}, r"^scale is 0.0, expected a positive number"),
        ({"context": -1}, r"^context is -1, expected a whole number of at least 0"),
        (
            {"model": keras.Sequential([keras.Input((3, 1)), keras.layers.ReLU()])},
            r"^model has outputs of shape",
        ),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        ml.MatchingNetwork(**{"model": identity(2), **arguments})
