"""All checks of a learner on its tasks."""

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
from metalearn_lib.core.checks import functions, instances
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.tasks.stream import GatheredTasks, first_tasks

OF_STREAM = 300  # tasks to take from a stream if nothing is said


def audit(
    learner: keras.Model | Callable[[Mapping[str, np.ndarray]], np.ndarray],
    tasks: tf.data.Dataset | MetaBatch | GatheredTasks,
    num_tasks: int | None = None,
    baselines: Mapping[str, keras.Model | Callable] | None = None,
    training: tf.data.Dataset | MetaBatch | GatheredTasks | None = None,
) -> Report:
    """Look for the mistakes of published meta-learning code in a learner and its tasks.

    Nothing is trained, and the learner is left as it was. A check is "not applicable" where it cannot be measured: a
    function has no gradient to compare, and one task has no interval.

    Args:
        learner: a Keras model whose input is a task, or a function from a task to predictions of its queries:
            scores of classes [T, Q, N], labels [T, Q], or values [T, Q, ...].
        tasks: test tasks, a stream of meta-batches or gathered tasks, see `metalearn_lib.tasks`.
        num_tasks: number of tasks to take; None for 300 of a stream and for all gathered tasks.
        baselines: by name, what else the learner should beat, such as the same network from scratch.
        training: the tasks that the learner was trained on, to look for examples that are in both.

    Returns:
        A report with a finding for each check.

    Raises:
        TypeError: if `learner` or a baseline is neither a Keras model nor a function, or tasks are none.
        ValueError: if there are not so many tasks, or tasks or predictions do not have the shapes above.
    """
    baselines = {} if baselines is None else baselines
    instances(Mapping, "a dictionary of learners by name", baselines=baselines)
    learners = {"learner": learner, **{f"baselines[{name!r}]": baseline for name, baseline in baselines.items()}}
    functions("a Keras model or a function of a task", **learners)
    (task, query_y), batch = first_tasks(tasks, num_tasks, OF_STREAM)
    seen = None if training is None else first_tasks(training, None, num_tasks or OF_STREAM, "training")[0][0]
    subject = Subject(learner, task, query_y, batch)
    found = gains(subject, baselines) if len(query_y) > 1 else {}
    findings = [leakage(subject)]
    if seen is not None:
        findings.append(held_out(subject, seen))
    findings += [order_of_gradient(subject), transduction(subject), label_permutation(subject)]
    findings += [interval(subject, found), baseline(subject, found)]
    return Report(f"Audit of {name_of(learner)} on {len(query_y)} tasks", tuple(findings))
