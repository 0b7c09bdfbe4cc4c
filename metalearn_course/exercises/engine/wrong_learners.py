"""Learners that are wrong in a way that many exercises recognise: each exercise names its network, loss and tasks."""

from collections.abc import Callable
from typing import Any

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine.lazy import keras

Task = dict[str, np.ndarray]


def untrained(new: Task, seed: int, make: Callable[[], Any], loss: Any = "mse") -> np.ndarray:
    """Predictions of a learner that nobody has trained.

    Args:
        new: support sets and queries, [T, S or Q, ...].
        seed: of its first weights.
        make: the learner.
        loss: of its inner steps.

    Returns:
        Predictions [T, Q, ...].
    """
    keras.utils.set_random_seed(seed)
    learner = make()
    learner.compile(loss=loss)
    return learner.predict(new, verbose=0)


def one_for_all(
    new: Task, seed: int, make: Callable[[], Any], stream: Any, steps: int, loss: Any = "mse"
) -> np.ndarray:
    """Predictions of one network for all tasks, which takes no step on a support set.

    Args:
        new: support sets and queries, [T, S or Q, ...].
        seed: of its first weights.
        make: the network.
        stream: the tasks that it is trained on.
        steps: number of steps of the training.
        loss: of the queries.

    Returns:
        Predictions [T, Q, ...].
    """
    keras.utils.set_random_seed(seed)
    learner = ml.JointTraining(make())
    learner.compile("adam", loss, steps_per_execution=50)
    learner.fit(stream, steps_per_epoch=steps, verbose=0)
    return learner.predict(new, verbose=0)


def never_reset(
    new: Task, seed: int, make: Callable[[], Any], rate: float, steps: int, loss: Any = "mse"
) -> np.ndarray:
    """Predictions of a network that learns one task after the other, each from the weights that the last one left.

    Args:
        new: support sets and queries, [T, S or Q, ...].
        seed: of its first weights.
        make: the network.
        rate: of gradient descent.
        steps: on each support set.
        loss: of the support set.

    Returns:
        Predictions [T, Q, ...].
    """
    keras.utils.set_random_seed(seed)
    network = make()
    network.compile(keras.optimizers.SGD(rate), loss)
    found = []
    for x, y, query_x in zip(new["support_x"], new["support_y"], new["query_x"], strict=True):
        for _ in range(steps):
            network.train_on_batch(x, y)
        found.append(network.predict_on_batch(query_x))
    return np.array(found)
