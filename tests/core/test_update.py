"""The update rule on cases whose answer is known in closed form."""

import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.core.update import MOST_UNROLLED


def quadratic(weights):
    """L(w) = ½ Σ c w² with c = (1, 4): the gradient is c w, the Hessian diag(c)."""
    return 0.5 * tf.reduce_sum(tf.constant([1.0, 4.0], tf.float64) * weights[0] ** 2)


def test_one_step_follows_the_rule():
    # θ − α c θ with θ = (2, 3), α = 0.1: (2 − 0.2, 3 − 1.2).
    (new,) = ml.gradient_step(quadratic, [tf.constant([2.0, 3.0], tf.float64)], 0.1)
    np.testing.assert_allclose(new, [1.8, 1.8], rtol=1e-15)


def test_a_rate_for_each_weight():
    weights = [tf.constant(2.0, tf.float64), tf.constant(3.0, tf.float64)]
    new = ml.gradient_step(lambda w: w[0] ** 2 + w[1] ** 2, weights, [tf.constant(0.5), tf.constant(0.25)])
    np.testing.assert_allclose(new, [0.0, 1.5])


@pytest.mark.parametrize("steps", [0, 1, 5, MOST_UNROLLED + 7])
def test_the_inner_loop_decays_each_weight_geometrically(steps):
    # On a quadratic each step multiplies w by (1 − α c), also where the loop is not unrolled.
    (new,) = ml.inner_loop(quadratic, [tf.constant([2.0, 3.0], tf.float64)], 0.1, steps)
    np.testing.assert_allclose(new, [2.0 * 0.9**steps, 3.0 * 0.6**steps], rtol=1e-13)


@pytest.mark.parametrize("steps", [1, 3, MOST_UNROLLED + 2])
@pytest.mark.parametrize("first_order", [False, True])
def test_the_derivative_of_the_inner_loop(steps, first_order):
    # dw'/dw = (1 − α c)^steps; with the gradient taken as a constant it is 1.
    start = tf.constant([2.0, 3.0], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(start)
        (new,) = ml.inner_loop(quadratic, [start], 0.1, steps, first_order)
        total = tf.reduce_sum(new)
    expected = [1.0, 1.0] if first_order else [0.9**steps, 0.6**steps]
    np.testing.assert_allclose(tape.gradient(total, start), expected, rtol=1e-12)


def test_a_weight_that_the_loss_ignores_stays():
    new = ml.gradient_step(lambda w: w[0] ** 2, [tf.constant(2.0), tf.constant(7.0)], 0.5)
    np.testing.assert_allclose(new, [0.0, 7.0])
