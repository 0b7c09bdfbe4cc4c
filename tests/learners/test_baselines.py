"""The baselines do what their names say."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.gradients import fitted_gradient, regression_tasks


def test_joint_training_is_the_gradient_over_all_examples(float64):
    task, query_y = regression_tasks()
    model = ml.networks.mlp(1, 1, (8,), activation="tanh")
    learner = ml.JointTraining(model)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    gradient = fitted_gradient(learner, task, query_y)
    x = np.concatenate([task["support_x"], task["query_x"]], 1).reshape(-1, 1)
    y = np.concatenate([task["support_y"], query_y], 1).reshape(-1, 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - y) ** 2)
    for ours, theirs in zip(gradient, tape.gradient(loss, model.trainable_variables), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-14)


def test_without_inner_steps_it_does_not_look_at_the_support_set():
    task, _ = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 5)
    learner = ml.JointTraining(ml.networks.mlp())
    learner.compile(loss="mse")
    other = {**task, "support_y": task["support_y"] + 1}
    np.testing.assert_array_equal(learner.predict(task), learner.predict(other))
    np.testing.assert_allclose(learner.predict(task)[0], learner.model(task["query_x"][0]), atol=1e-6)


@pytest.mark.parametrize(
    "learner",
    [
        ml.JointTraining(ml.networks.mlp(), inner_lr=0.02, inner_steps=25),
        ml.FromScratch(ml.networks.mlp(), inner_lr=0.02, inner_steps=25),
    ],
)
def test_fine_tuning_is_gradient_descent_on_the_support_set(learner):
    task, _ = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 3)
    learner.compile(loss="mse")
    for index in range(3):
        copy = keras.models.clone_model(learner.model)
        copy.set_weights(learner.model.get_weights())
        copy.compile(keras.optimizers.SGD(0.02), loss="mse")
        copy.fit(task["support_x"][index], task["support_y"][index], batch_size=10, epochs=25, verbose=0)
        expected = copy.predict(task["query_x"][index], verbose=0)
        np.testing.assert_allclose(learner.predict(task)[index], expected, rtol=1e-3, atol=1e-4)


def test_from_scratch_trains_nothing():
    learner = ml.FromScratch(ml.networks.mlp())
    learner.compile("adam", loss="mse")
    before = learner.get_weights()
    learner.fit(ml.tasks.sinusoids(), steps_per_epoch=3)
    for old, new in zip(before, learner.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_nearest_neighbour_of_values_and_of_labels():
    # The query 0.9 is nearest to 1, the query −3 to −2.
    x = {"support_x": np.array([[[1.0], [-2.0], [5.0]]]), "query_x": np.array([[[0.9], [-3.0]]])}
    learner = ml.NearestNeighbor()
    learner.compile()
    values = learner.predict({**x, "support_y": np.array([[[10.0], [20.0], [30.0]]])})
    np.testing.assert_allclose(values, [[[10.0], [20.0]]])
    # Classes 0 = {1, 5} and 1 = {−2}: squared distances 0.01 and 2.9², then 16 and 1.
    scores = learner.predict({**x, "support_y": np.array([[0, 1, 0]])})
    np.testing.assert_allclose(scores, [[[-0.01, -8.41], [-16.0, -1.0]]], atol=1e-5)


def test_the_nearest_neighbour_in_the_space_of_a_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].kernel.assign([[1.0], [0.0]])  # sees the first coordinate alone
    task = {
        "support_x": np.array([[[0.0, 9.0], [3.0, 0.0]]]),
        "support_y": np.array([[0, 1]]),
        "query_x": np.array([[[1.0, 0.0]]]),
    }
    learner = ml.NearestNeighbor(model)
    learner.compile()
    np.testing.assert_allclose(learner.predict(task), [[[-1.0, -4.0]]], atol=1e-5)
