"""Transduction: predictions of a query that depend on what else is predicted."""

import numpy as np

from metalearn_lib.auditing.report import DECLARED, FAILED, NOT_APPLICABLE, PASSED, Finding
from metalearn_lib.auditing.subject import Subject, deviations

MISTAKE = "queries that inform each other (batch normalisation by the queries, a wrong axis) without saying so"

ORDER, TASKS = "the order of the queries", "the other tasks"


def transduction(subject: Subject) -> Finding:
    """Whether a query's predictions stay when the other queries, their order, or the other tasks change."""
    if not subject.comparable:
        sentence = "Predictions of the same tasks differ from call to call, whatever else is predicted."
        return Finding("transduction", NOT_APPLICABLE, sentence, MISTAKE)
    changes = {"the other queries": _others(subject), ORDER: _order(subject)}
    if len(subject.query_y) > 1:
        changes[TASKS] = _tasks(subject)
    largest = max(changes, key=lambda name: changes[name])
    sentence = f"No prediction depends on {', '.join(list(changes)[:-1])} or {list(changes)[-1]}."
    if changes[largest]:
        verb = "changes" if largest == ORDER else "change"
        sentence = f"When {largest} {verb}, predictions move by up to {deviations(changes[largest])}."
        if largest == TASKS:
            sentence += " A state survives from task to task, or they are normalised together."
    declared = getattr(subject.learner, "batch_norm", None) == "transductive"
    if declared:
        sentence += " The learner says so: batch_norm='transductive'. Compare it with learners of that kind only."
    verdict = DECLARED if declared else FAILED if changes[largest] else PASSED
    return Finding("transduction", verdict, sentence, MISTAKE)


def _others(subject: Subject) -> float:
    """Every second query is replaced by that of another task, or by its own support examples where there is one."""
    query_x = subject.task["query_x"].copy()
    query_x[:, 1::2] = np.roll(query_x, 1, axis=0)[:, 1::2] if len(query_x) > 1 else query_x[:, :1]
    return subject.change(subject.predict(query_x=query_x)[:, ::2], subject.predictions[:, ::2])


def _order(subject: Subject) -> float:
    order = np.random.default_rng(0).permutation(subject.query_y.shape[1])
    return subject.change(subject.predict(query_x=subject.task["query_x"][:, order]), subject.predictions[:, order])


def _tasks(subject: Subject) -> float:
    """Every second task is replaced by the one before it."""
    kept = np.arange(len(subject.query_y)) // 2 * 2
    changed = {name: array[kept] for name, array in subject.task.items()}
    return subject.change(subject.predict(**changed)[::2], subject.predictions[::2])
