"""Scores of one learner, or of several on the same tasks."""

from collections.abc import Mapping
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least, by_name, instances
from metalearn_lib.core.losses import takes_logits, targets_of
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.evaluation.score import LEAST_TASKS, Score, fingerprint, score_predictions
from metalearn_lib.learners.gradient import GradientLearner
from metalearn_lib.learners.learner import Learner
from metalearn_lib.tasks.stream import GatheredTasks, first_tasks

OF_STREAM = 600  # tasks to take from a stream if nothing is said


def score(learner: Learner, tasks: tf.data.Dataset | MetaBatch | GatheredTasks, num_tasks: int | None = None) -> Score:
    """The score of one learner, one value per task: accuracy where targets are classes, else mean squared error.

    Classes are labels; or what a cross-entropy takes, one-hot vectors or zeros and ones (`CategoricalCrossentropy`,
    `BinaryCrossentropy`). With several binary outputs, accuracy is the share of right outputs, as in Keras.

    Args:
        learner: a compiled learner.
        tasks: a stream of meta-batches, or tasks gathered by `metalearn_lib.tasks.gather_tasks`.
        num_tasks: number of tasks to take; None for 600 of a stream and for all gathered tasks.

    Returns:
        A `Score` with `num_tasks` values.

    Raises:
        TypeError: if `learner` is no Keras model, or `tasks` are no tasks.
        ValueError: if `num_tasks` is below 2 or there are not so many tasks, or tasks or predictions do not fit.
    """
    instances(keras.Model, "a learner", learner=learner)
    return compare({"learner": learner}, tasks, num_tasks)["learner"]


def compare(
    learners: Mapping[str, Learner], tasks: tf.data.Dataset | MetaBatch | GatheredTasks, num_tasks: int | None = None
) -> dict[str, Score]:
    """The scores of several learners on the same tasks: `scores["a"] - scores["b"]` is the paired difference.

    Args:
        learners: compiled learners by name.
        tasks: a stream of meta-batches, or tasks gathered by `metalearn_lib.tasks.gather_tasks`.
        num_tasks: number of tasks to take; None for 600 of a stream and for all gathered tasks.

    Returns:
        A `Score` for each name.

    Raises:
        TypeError: if `learners` are no Keras models by name, or `tasks` are no tasks.
        ValueError: as for `score`.
    """
    by_name(keras.Model, "a learner", learners=learners)
    (task, query_y), at_once = _gathered(tasks, num_tasks)
    return {
        name: _score(learner, learner.predict(task, batch_size=at_once), query_y) for name, learner in learners.items()
    }


def adaptation_curve(
    learner: GradientLearner,
    tasks: tf.data.Dataset | MetaBatch | GatheredTasks,
    steps: int = 10,
    num_tasks: int | None = None,
) -> list[Score]:
    """The scores of a learner after 0, 1, ..., `steps` inner steps, all on the same tasks' queries.

    Args:
        learner: a compiled learner that adapts by gradient steps.
        tasks: a stream of meta-batches, or gathered tasks.
        steps: number of inner steps to follow.
        num_tasks: number of tasks to take; None for 600 of a stream and for all gathered tasks.

    Returns:
        `steps + 1` scores.

    Raises:
        TypeError: if `learner` is no gradient learner, or `tasks` are no tasks.
        ValueError: if `steps` is no whole number of at least 0, otherwise as for `score`.
    """
    instances(GradientLearner, "a learner that adapts by gradient steps", learner=learner)
    at_least(0, steps=steps)
    (task, query_y), _ = _gathered(tasks, num_tasks)
    path = learner.predict_path(cast(Any, task), steps)
    return [_score(learner, predictions, query_y) for predictions in path]


def _score(learner: keras.Model, predictions: np.ndarray, query_y: np.ndarray) -> Score:
    """The score of predictions for targets in the form that the learner's loss takes."""
    tasks, loss = fingerprint(query_y), getattr(learner, "loss", None)
    form = targets_of(loss)
    if form == "one-hot" and query_y.shape == predictions.shape:
        query_y = _zeros_and_ones(query_y)
        if (query_y.sum(axis=-1) != 1).any():
            raise ValueError("query_y has a target with several ones or none, expected one-hot vectors")
        query_y = query_y.argmax(axis=-1)
    elif form == "binary":
        query_y = _zeros_and_ones(query_y).reshape(len(query_y), -1)
        predictions = predictions.reshape(len(predictions), -1, 1)
        threshold = np.full_like(predictions, 0 if takes_logits(loss) else 0.5)
        predictions = np.concatenate([threshold, predictions], axis=-1)
    return score_predictions(predictions, query_y, tasks)


def _zeros_and_ones(query_y: np.ndarray) -> np.ndarray:
    if not ((query_y == 0) | (query_y == 1)).all():
        raise ValueError(f"query_y has numbers {query_y.min()}..{query_y.max()}, expected zeros and ones")
    return query_y.astype(int)


def _gathered(tasks: Any, num_tasks: int | None) -> tuple[GatheredTasks, int]:
    if num_tasks is not None:
        at_least(LEAST_TASKS, num_tasks=num_tasks)
    return first_tasks(tasks, num_tasks, OF_STREAM)
