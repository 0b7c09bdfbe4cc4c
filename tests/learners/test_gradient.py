"""What all learners that adapt by gradient descent share: the inner gradient, against finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.gradients import finite_difference, fitted_gradient, outer_loss, regression_tasks

LEARNERS = (ml.MAML, ml.Reptile, ml.JointTraining, ml.FromScratch, ml.SequentialLearner)


@pytest.mark.parametrize("kind", LEARNERS)
def test_an_inner_step_descends_the_loss_of_the_support_set(float64, kind):
    """θ − θ' = α∇L(θ, support), so its projection on a direction is α times the slope of L along it."""
    task, _ = regression_tasks(tasks=1)
    x, y = (tf.constant(task[name][0]) for name in ("support_x", "support_y"))
    learner = kind(ml.networks.mlp(1, 1, (8, 8), activation="tanh"), inner_lr=0.3, inner_steps=2)
    learner.compile(loss="mse")
    start = learner.initialization()
    (step, direction), rng = ([], []), np.random.default_rng(1)
    for before, after in zip(start, learner.adapt(start, x, y, steps=1), strict=True):
        step.append((before - after).numpy())
        direction.append(rng.normal(size=before.shape))

    def support_loss() -> float:
        return float(np.mean((learner.model(x).numpy() - y.numpy()) ** 2))

    slope = finite_difference(support_loss, learner.model.trainable_variables, direction)
    along = sum((s * d).sum() for s, d in zip(step, direction, strict=True))
    np.testing.assert_allclose(along, 0.3 * slope, rtol=1e-7)


def test_the_gradient_of_joint_training(float64):
    """With no query examples besides the support's, the outer loss of unadapted predictions is the joint loss."""
    task, query_y = regression_tasks()
    task["query_x"], query_y = task["support_x"], task["support_y"]
    learner = ml.JointTraining(ml.networks.mlp(1, 1, (8, 8), activation="tanh"))
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    gradient = fitted_gradient(learner, task, query_y)
    direction = [np.random.default_rng(1).normal(size=g.shape) for g in gradient]
    slope = finite_difference(lambda: outer_loss(learner, task, query_y), learner.trainable_variables, direction)
    np.testing.assert_allclose(sum((g * d).sum() for g, d in zip(gradient, direction, strict=True)), slope, rtol=1e-7)


def test_the_path_goes_on_from_where_the_inner_loop_ended(float64):
    task, _ = regression_tasks()
    learner = ml.MAML(ml.networks.mlp(1, 1, (8,), activation="tanh"), inner_lr=0.3, inner_steps=3)
    learner.compile(loss="mse")
    path = list(learner.predict_path(task, 5))
    assert len(path) == 6
    np.testing.assert_allclose(path[3], learner.predict(task), rtol=1e-10)


def test_support_statistics_are_those_of_the_support_set(float64):
    """A query is normalised by the mean and variance of the support set, whatever the layer's momentum."""
    task, _ = regression_tasks(tasks=2)
    layers = [keras.Input((1,)), keras.layers.BatchNormalization(momentum=0.7, epsilon=1e-12)]
    learner = ml.FromScratch(keras.Sequential(layers), inner_steps=0)
    learner.compile(loss="mse")
    x, z = task["support_x"], task["query_x"]
    expected = (z - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    np.testing.assert_allclose(learner.predict(task), expected, rtol=1e-6)
