"""Vectorising over tasks: the same results as a loop, and second derivatives that TensorFlow's moments get wrong."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.core.vectorize import each_task_has_its_own_weights, has_its_own_weights


def test_it_is_a_loop_over_tasks():
    a, b = tf.constant([[1.0, 2.0], [3.0, 4.0]]), {"x": tf.constant([10.0, 20.0])}
    summed, product = ml.over_tasks(lambda a, b: (tf.reduce_sum(a), a * b["x"]), a, b)
    np.testing.assert_allclose(summed, [3.0, 7.0])
    np.testing.assert_allclose(product, [[10.0, 20.0], [60.0, 80.0]])


def test_everything_is_put_back_after_an_error():
    moments = tf.nn.moments
    with pytest.raises(RuntimeError), each_task_has_its_own_weights():
        assert has_its_own_weights() and tf.nn.moments is not moments
        raise RuntimeError
    assert not has_its_own_weights() and tf.nn.moments is moments


@pytest.mark.parametrize("axes", [[0, 2], [0, 1], [0, -2]])  # all axes but channels are summed by a product
@pytest.mark.parametrize("keepdims", [False, True])
def test_moments_are_numpys(axes, keepdims):
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    with each_task_has_its_own_weights():
        mean, variance = tf.nn.moments(tf.constant(x), axes, keepdims=keepdims)
    np.testing.assert_allclose(mean, x.mean(tuple(axes), keepdims=keepdims))
    np.testing.assert_allclose(variance, x.var(tuple(axes), keepdims=keepdims))


@pytest.mark.parametrize("shape", [[3], [3, 1]])
def test_the_second_derivative_of_a_variance(shape):
    """Var(x) = Σ(xᵢ − m)²/n has the Hessian (2/n)(I − 1/n); with the mean as a constant it loses the 1/n."""
    x = tf.constant([1.0, 4.0, 6.0], tf.float64, shape)

    def hessian() -> np.ndarray:
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                variance = tf.nn.moments(x, [0])[1]
            gradient = inner.gradient(variance, x)
        return outer.jacobian(gradient, x, experimental_use_pfor=False).numpy().reshape(3, 3)

    with each_task_has_its_own_weights():
        np.testing.assert_allclose(hessian(), 2 / 3 * (np.eye(3) - 1 / 3))
    np.testing.assert_allclose(hessian(), 2 / 3 * np.eye(3))  # TensorFlow's own: if this fails, it was mended


@pytest.mark.parametrize("layer", ["BatchNormalization", "GroupNormalization"])
def test_keras_layers_call_the_moments_that_are_replaced(layer):
    options = {"groups": 1} if layer == "GroupNormalization" else {}
    layer = getattr(keras.layers, layer)(**options)
    layer.build((None, 4))
    called = []
    with each_task_has_its_own_weights():
        exact = tf.nn.moments
        tf.nn.moments = lambda *a, **k: called.append(1) or exact(*a, **k)
        layer(np.ones((3, 4)), training=True)
    assert called
