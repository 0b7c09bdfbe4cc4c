"""All checks of a learner on its tasks."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from metalearn_lib.auditing.claims import baseline, gains, interval
from metalearn_lib.auditing.gradient import order_of_gradient
from metalearn_lib.auditing.labels import label_permutation
from metalearn_lib.auditing.leakage import held_out, leakage
from metalearn_lib.auditing.repetition import same_call_twice
from metalearn_lib.auditing.report import Finding, Report
from metalearn_lib.auditing.subject import Subject, name_of
from metalearn_lib.auditing.transduction import transduction
from metalearn_lib.core.checks import functions, instances
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.tasks.stream import GatheredTasks, first_tasks

OF_STREAM = 300  # tasks to take from a stream if nothing is said
SLOW = 10  # seconds until the progress is shown


def audit(
    learner: keras.Model | Callable[[Mapping[str, np.ndarray]], np.ndarray],
    tasks: tf.data.Dataset | MetaBatch | GatheredTasks,
    num_tasks: int | None = None,
    baselines: Mapping[str, keras.Model | Callable] | None = None,
    training: tf.data.Dataset | MetaBatch | GatheredTasks | None = None,
    step: Callable[[Mapping[str, tf.Tensor], tf.Tensor], Any] | None = None,
) -> Report:
    """Look for the mistakes of published meta-learning code in a learner and its tasks.

    Nothing is trained, and the learner is left as it was: the weights and arrays that it reaches are set back. A check
    is "not applicable" where it cannot be measured: NumPy has no gradient to compare, and one task has no interval.
    "untrained" is a learner that its baselines beat and whose optimiser has not taken a step: ask again after
    training. Where predictions are random, TensorFlow's global seed is another one afterwards.

    The order of the gradient is judged by the attribute `first_order` of the learner: True declares a first-order
    gradient, which is then no mistake; False claims to descend the slope of the loss of its predictions. Without the
    attribute, Keras's own `train_step` claims as much, and of any other one only an undeclared first-order gradient
    is a mistake.

    Args:
        learner: a Keras model whose input is a task, or a function from a task to predictions of its queries:
            scores of classes [T, Q, N], labels [T, Q], or values [T, Q, ...].
        tasks: test tasks, a stream of meta-batches or gathered tasks, see `metalearn_lib.tasks`.
        num_tasks: number of tasks to take; None for 300 of a stream and for all gathered tasks.
        baselines: by name, what else the learner should beat, such as the same network from scratch.
        training: the tasks that the learner was trained on, to look for examples that are in both.
        step: for a training loop of one's own, a function `step(task, query_y)` that trains the learner on one
            meta-batch, with an optimiser of Keras. It is called on some tasks, and its changes are undone.

    Returns:
        A report with a finding for each check.

    Raises:
        TypeError: if `learner` or a baseline is neither a Keras model nor a function, `step` is no function, or tasks
            are none.
        ValueError: if there are not so many tasks, or tasks or predictions do not have the shapes above.
    """
    baselines = {} if baselines is None else baselines
    instances(Mapping, "a dictionary of learners by name", baselines=baselines)
    learners = {"learner": learner, **{f"baselines[{name!r}]": baseline for name, baseline in baselines.items()}}
    functions("a Keras model or a function of a task", **learners)
    if step is not None:
        functions("a function of a task and the targets of its queries", step=step)
    (task, query_y), batch = first_tasks(tasks, num_tasks, OF_STREAM)
    seen = None if training is None else first_tasks(training, None, num_tasks or OF_STREAM, "training")[0][0]
    subject = Subject(learner, task, query_y, batch)
    subject.reach.add(step)
    found = cache(lambda: gains(subject, baselines) if len(query_y) > 1 else {})
    checks: dict[str, Callable[[], Finding]] = {
        "leakage": lambda: leakage(subject),
        **({} if seen is None else {"held out": lambda: held_out(subject, seen)}),
        "same call twice": lambda: same_call_twice(subject),
        "order of gradient": lambda: order_of_gradient(subject, step),
        "transduction": lambda: transduction(subject),
        "label permutation": lambda: label_permutation(subject),
        "interval": lambda: interval(subject, found()),
        "baseline": lambda: baseline(subject, found()),
    }
    try:
        findings = _with_progress(checks)
    finally:
        subject.reach.restore()
    return Report(f"Audit of {name_of(learner)} on {len(query_y)} tasks", tuple(findings))


def _with_progress(checks: Mapping[str, Callable[[], Finding]]) -> list[Finding]:
    """The findings, with a bar once it has taken long: a quick audit leaves nothing in a notebook."""
    findings, begun, bar = [], time.monotonic(), None
    try:
        for name, check in checks.items():
            if bar is None and time.monotonic() - begun > SLOW:
                bar = tqdm(
                    total=len(checks), initial=len(findings), desc="audit", unit="check", leave=False, disable=None
                )
            if bar is not None:
                bar.set_postfix_str(name)
            findings.append(check())
            if bar is not None:
                bar.update()
    finally:
        if bar is not None:
            bar.close()
    return findings
