"""Everything private that is used of Keras and TensorFlow: where one of these fails, its docstring has the plan B."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.core import keras_private
from metalearn_lib.core.vectorize import each_task_has_its_own_weights


def test_all_layers_sees_into_wrappers_and_nested_models():
    inner = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(2, name="nested")])
    forth = keras.layers.LSTM(2, name="forth", unroll=True)
    model = keras.Sequential([keras.Input((3, 2)), inner, keras.layers.Bidirectional(forth), keras.layers.Dense(1)])
    names = [layer.name for layer in keras_private.all_layers(model)]
    assert "nested" in names and any(name.endswith("forth") for name in names), (
        "Keras's _flatten_layers has changed: see plan B of all_layers"
    )
    leaves = keras_private.leaf_layers(model)
    assert not any(isinstance(layer, keras.layers.Bidirectional) for layer in leaves)
    assert isinstance(leaves[-1], keras.layers.Dense) and leaves[-1].units == 1


def test_the_compiled_loss_is_without_penalties():
    layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(100.0))
    learner = ml.MAML(keras.Sequential([keras.Input((1,)), layer]))
    learner.compile("adam", loss="mse")
    y, predictions = tf.constant([[1.0], [3.0]]), tf.constant([[2.0], [5.0]])
    np.testing.assert_allclose(keras_private.compiled_loss(learner, y, predictions), 2.5)
    assert learner.compute_loss(y=y, y_pred=predictions) > 2.5  # which is why it is taken from a private place


@pytest.mark.parametrize("layer", [keras.layers.BatchNormalization, keras.layers.LayerNormalization])
def test_normalisation_has_exact_second_derivatives(layer, float64):
    """d²/dx² of Σ w·normalise(x) along a direction, against central differences of the first derivative."""
    rng = np.random.default_rng(0)
    x, w, d = (tf.constant(rng.normal(size=(4, 3))) for _ in range(3))
    normal, by_batch = layer(), {"training": True} if layer is keras.layers.BatchNormalization else {}
    normal.build((None, 3))

    def slope(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(w * normal(x, **by_batch))
        return tape.gradient(value, x)

    with each_task_has_its_own_weights():
        with tf.GradientTape() as tape:
            tape.watch(x)
            along = tf.reduce_sum(slope(x) * d)
        exact = tape.gradient(along, x)
        step = 1e-5
        numeric = (slope(x + step * d) - slope(x - step * d)) / (2 * step)
    np.testing.assert_allclose(exact, numeric, rtol=1e-5, atol=1e-8)


def test_a_keras_that_normalises_otherwise_is_refused(monkeypatch):
    """As if batch normalisation called something else: the sentence comes before any gradient is wrong."""
    monkeypatch.setattr(keras.layers.BatchNormalization, "__call__", lambda self, x, training: x)
    monkeypatch.setattr(tf.nn, "moments", lambda *arguments, **options: None)
    with pytest.raises(RuntimeError, match=r"normalises without tf\.nn\.moments, expected a version that calls it"):
        keras_private.install_exact_moments()
