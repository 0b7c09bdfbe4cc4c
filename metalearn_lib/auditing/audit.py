"""All checks of a learner on tasks of its own."""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.auditing.claims import baseline, gains, interval
from metalearn_lib.auditing.gradient import order_of_gradient
from metalearn_lib.auditing.labels import label_permutation
from metalearn_lib.auditing.leakage import held_out, leakage
from metalearn_lib.auditing.report import Report
from metalearn_lib.auditing.subject import Subject, name_of
from metalearn_lib.auditing.transduction import transduction
from metalearn_lib.core.task import MetaBatch, check_task
from metalearn_lib.tasks.stream import gather_tasks


def audit(
    learner: keras.Model | Callable[[Mapping[str, np.ndarray]], np.ndarray],
    tasks: tf.data.Dataset | MetaBatch,
    num_tasks: int = 300,
    baselines: Mapping[str, keras.Model | Callable] | None = None,
    training: tf.data.Dataset | MetaBatch | None = None,
) -> Report:
    """Look for the mistakes of published meta-learning code in a learner and its tasks.

    Nothing is trained, and the learner is left as it was. Not applicable is what cannot be measured on it: a function
    has no gradient to compare, and one task has no interval.

    Args:
        learner: a Keras model whose input is a task, or a function from a task to predictions of its queries:
            scores of classes [T, Q, N], labels [T, Q], or values [T, Q, ...].
        tasks: test tasks, a stream of meta-batches or gathered tasks, see `metalearn_lib.tasks.functions`.
        num_tasks: number of tasks to take from a stream; gathered tasks are all taken.
        baselines: by name, what else the learner should beat, such as the same network from scratch.
        training: the tasks that the learner was trained on, to look for examples that are in both.

    Returns:
        A report with a finding for each check.

    Raises:
        TypeError: if `learner` is neither a Keras model nor a function.
        ValueError: if tasks or predictions do not have the shapes above.
    """
    if not callable(learner):
        raise TypeError(f"learner is a {type(learner).__name__}, expected a Keras model or a function of a task")
    task, query_y = _gathered(tasks, num_tasks)
    check_task(task, query_y)
    batch = tasks.element_spec[1].shape[0] if isinstance(tasks, tf.data.Dataset) else len(query_y)
    subject = Subject(learner, task, query_y, batch)
    found = gains(subject, baselines or {}) if len(query_y) > 1 else {}
    findings = [leakage(subject)]
    if training is not None:
        findings.append(held_out(subject, _gathered(training, num_tasks)[0]))
    findings += [order_of_gradient(subject), transduction(subject), label_permutation(subject)]
    findings += [interval(subject, found), baseline(subject, found)]
    return Report(f"Audit of {name_of(learner)} on {len(query_y)} tasks", tuple(findings))


def _gathered(tasks: tf.data.Dataset | MetaBatch, num_tasks: int) -> MetaBatch:
    if isinstance(tasks, tf.data.Dataset):
        return gather_tasks(tasks, num_tasks)
    task, query_y = tasks
    return {name: np.asarray(array) for name, array in task.items()}, np.asarray(query_y)
