"""Vectorising over tasks: the same results as a loop, and second derivatives that TensorFlow's moments get wrong."""

import threading

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
    with pytest.raises(RuntimeError), each_task_has_its_own_weights():
        assert has_its_own_weights()
        raise RuntimeError
    assert not has_its_own_weights()


def test_threads_that_overlap_leave_each_other_alone():
    """A in, B in, A out, B out; and a third thread that never was in computes as TensorFlow does."""
    steps, seen = [threading.Event() for _ in range(3)], {}

    def a() -> None:
        with each_task_has_its_own_weights():
            steps[0].set()
            steps[1].wait(10)
        seen["a"] = has_its_own_weights()
        steps[2].set()

    def b() -> None:
        steps[0].wait(10)
        with each_task_has_its_own_weights():
            steps[1].set()
            steps[2].wait(10)
            seen["b inside"] = has_its_own_weights()
        seen["b"] = has_its_own_weights()

    threads = [threading.Thread(target=target) for target in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == {"a": False, "b inside": True, "b": False}
    assert not has_its_own_weights()
    x = tf.constant([1.0, 4.0, 6.0], tf.float64, [3, 1])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            _, variance = tf.nn.moments(x, [0])
        slope = inner.gradient(variance, x)
    # TensorFlow's own second derivative, 2/n on the diagonal; an exact one would have 2/n · (1 − 1/n).
    np.testing.assert_allclose(outer.jacobian(slope, x)[:, 0, :, 0], 2 / 3 * np.eye(3), atol=1e-12)


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
