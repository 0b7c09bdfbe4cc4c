"""Prototypical networks: distances in closed form, their gradient, and that they learn."""

import keras
import numpy as np

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, cross_entropy, image_tasks


def identity(inputs: int) -> keras.Model:
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Identity()])


def test_logits_are_negative_squared_distances_to_the_means():
    # Class 0 has (0, 0) and (2, 0), mean (1, 0); class 1 has (0, 4), alone. From the query (1, 3):
    # 3² = 9 to the first, 1² + 1² = 2 to the second. Unsquared it would be 3 and 1.41.
    task = {
        "support_x": np.array([[[0.0, 0.0], [0.0, 4.0], [2.0, 0.0]]]),
        "support_y": np.array([[0, 1, 0]]),
        "query_x": np.array([[[1.0, 3.0]]]),
    }
    learner = ml.PrototypicalNetwork(identity(2))
    learner.compile(loss=cross_entropy())
    np.testing.assert_allclose(learner.predict(task), [[[-9.0, -2.0]]], atol=1e-6)


def test_its_gradient_against_finite_differences(float64):
    # tanh in place of ReLU and layer normalisation in place of batch normalisation, whose training statistics
    # `predict` does not use.
    task, query_y = image_tasks()
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(3, 3, activation="tanh"),
            keras.layers.LayerNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(4),
        ]
    )
    learner = ml.PrototypicalNetwork(model)
    learner.compile(keras.optimizers.SGD(1.0), loss=cross_entropy())
    check_fitted_gradient(learner, task, query_y)


def noisy_patterns(seed: int, meta_batch_size: int = 8):
    """5-way 1-shot: each class is a bright square at one of 49 places, under noise that hides it from raw pixels."""
    import tensorflow as tf

    def draw(seed, tasks):
        keys = [tf.random.fold_in(seed, i) for i in range(2)]
        places = tf.argsort(tf.random.stateless_uniform([tasks, 49], keys[0]))[:, :5]
        pattern = tf.reshape(tf.one_hot(places, 49), [tasks, 5, 7, 7, 1])
        pattern = tf.repeat(tf.repeat(tf.concat([pattern] * 4, 1), 2, 2), 2, 3)
        x = 2.0 * pattern + tf.random.stateless_normal(pattern.shape, keys[1])
        labels = tf.tile(tf.range(5)[None], [tasks, 4])
        return {"support_x": x[:, :5], "support_y": labels[:, :5], "query_x": x[:, 5:]}, labels[:, 5:]

    return ml.tasks.task_stream(draw, meta_batch_size, seed)


def test_it_learns():
    """A learned space beats the nearest neighbour in pixels, where noise drowns the pattern."""
    keras.utils.set_random_seed(0)
    learner = ml.PrototypicalNetwork(ml.networks.conv4(None, (14, 14, 1), filters=16), batch_norm="running")
    learner.compile(keras.optimizers.Adam(3e-3), metrics=["accuracy"], loss=cross_entropy())
    learner.fit(noisy_patterns(0), steps_per_epoch=300, verbose=0)
    nearest = ml.NearestNeighbor()
    nearest.compile()
    scores = ml.compare({"prototypes": learner, "nearest": nearest}, noisy_patterns(1, 100), 400)
    assert (scores["prototypes"] - scores["nearest"]).low > 0.1


def test_it_is_tested_on_other_ways_than_it_was_trained_on():
    learner = ml.PrototypicalNetwork(ml.networks.conv4(None, (6, 6, 1), filters=4))
    learner.compile("adam", loss=cross_entropy())
    learner.fit(*image_tasks(ways=5), verbose=0)
    assert learner.predict(image_tasks(ways=3)[0]).shape == (2, 6, 3)
