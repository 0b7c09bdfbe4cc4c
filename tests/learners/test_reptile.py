"""Reptile's pseudo-gradient against gradient descent done by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.gradients import fitted_gradient, regression_tasks


def test_the_outer_step_is_the_mean_displacement(float64):
    """θ − θ' of each task, by plain steps on a copy of the model; the mean over tasks is what SGD(1) subtracts."""
    task, query_y = regression_tasks(tasks=3)
    model = ml.networks.mlp(1, 1, (8,), activation="tanh")
    learner = ml.Reptile(model, inner_lr=0.2, inner_steps=4)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    displacements = []
    for x, y in zip(task["support_x"], task["support_y"], strict=True):
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        for _ in range(4):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((copy(x) - y) ** 2)
            for variable, gradient in zip(copy.variables, tape.gradient(loss, copy.variables), strict=True):
                variable.assign_sub(0.2 * gradient)
        displacements.append([a - b for a, b in zip(model.get_weights(), copy.get_weights(), strict=True)])
    for ours, theirs in zip(fitted_gradient(learner, task, query_y), zip(*displacements, strict=True), strict=True):
        np.testing.assert_allclose(ours, np.mean(theirs, axis=0), rtol=1e-9, atol=1e-14)


def test_the_queries_are_never_learned_from(float64):
    task, query_y = regression_tasks()
    learner = ml.Reptile(ml.networks.mlp(1, 1, (8,)), inner_lr=0.1, inner_steps=2)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    for ours, theirs in zip(
        fitted_gradient(learner, task, query_y), fitted_gradient(learner, task, query_y + 100.0), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_it_learns_to_learn():
    """After 1,000 meta-batches five steps on ten points beat joint training fine-tuned as long."""
    keras.utils.set_random_seed(0)
    learners = {
        "reptile": ml.Reptile(ml.networks.mlp(), inner_lr=0.02, inner_steps=5),
        "joint": ml.JointTraining(ml.networks.mlp(), inner_lr=0.02, inner_steps=5),
    }
    for learner in learners.values():
        learner.compile("adam", loss="mse", steps_per_execution=100)
        learner.fit(ml.tasks.sinusoids(), steps_per_epoch=1_000, verbose=0)
    scores = ml.compare(learners, ml.tasks.sinusoids(seed=1, meta_batch_size=100), 600)
    assert (scores["reptile"] - scores["joint"]).high < 0


def test_one_inner_step_is_refused():
    with pytest.raises(ValueError, match="inner_steps is 1, expected at least 2"):
        ml.Reptile(ml.networks.mlp(), inner_steps=1)
