"""Scores of one learner, or of several on the same tasks."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from metalearn_lib.core.task import MetaBatch
from metalearn_lib.evaluation.score import Score, fingerprint, score_predictions
from metalearn_lib.learners.gradient import GradientLearner
from metalearn_lib.learners.learner import Learner
from metalearn_lib.tasks.stream import gather_tasks


def score(learner: Learner, tasks: tf.data.Dataset | MetaBatch, num_tasks: int = 600) -> Score:
    """The score of one learner: accuracy where targets are labels, else mean squared error, a number a task.

    Args:
        learner: a compiled learner.
        tasks: a stream of meta-batches, or tasks gathered by `metalearn_lib.tasks.stream.gather_tasks`.
        num_tasks: number of tasks to take from the stream.

    Returns:
        A `Score` with `num_tasks` values.
    """
    return compare({"learner": learner}, tasks, num_tasks)["learner"]


def compare(
    learners: Mapping[str, Learner], tasks: tf.data.Dataset | MetaBatch, num_tasks: int = 600
) -> dict[str, Score]:
    """The scores of several learners on the same tasks: `scores["a"] - scores["b"]` is the paired difference.

    Args:
        learners: compiled learners by name.
        tasks: a stream of meta-batches, or tasks gathered by `metalearn_lib.tasks.stream.gather_tasks`.
        num_tasks: number of tasks to take from the stream.

    Returns:
        A `Score` for each name.
    """
    task, query_y = _gathered(tasks, num_tasks)
    batch = _batch_size(tasks, query_y)
    return {
        name: score_predictions(learner.predict(task, batch_size=batch), query_y, fingerprint(query_y))
        for name, learner in learners.items()
    }


def adaptation_curve(
    learner: GradientLearner, tasks: tf.data.Dataset | MetaBatch, steps: int = 10, num_tasks: int = 600
) -> list[Score]:
    """The scores of a learner after 0, 1, ..., `steps` inner steps, all on the same tasks' queries.

    Args:
        learner: a compiled learner that adapts by gradient steps.
        tasks: a stream of meta-batches, or gathered tasks.
        steps: number of inner steps to follow.
        num_tasks: number of tasks to take from the stream.

    Returns:
        `steps + 1` scores.
    """
    task, query_y = _gathered(tasks, num_tasks)
    return [score_predictions(p, query_y, fingerprint(query_y)) for p in learner.predict_path(task, steps)]


def _gathered(tasks: tf.data.Dataset | MetaBatch, num_tasks: int) -> MetaBatch:
    return gather_tasks(tasks, num_tasks) if isinstance(tasks, tf.data.Dataset) else tasks


def _batch_size(tasks: tf.data.Dataset | MetaBatch, query_y: np.ndarray) -> int:
    """As many tasks at once as a meta-batch of the stream holds."""
    return tasks.element_spec[1].shape[0] if isinstance(tasks, tf.data.Dataset) else len(query_y)
