"""Leakage: queries whose answers the learner was given."""

import numpy as np

from metalearn_lib.auditing.report import FAILED, PASSED, Finding
from metalearn_lib.auditing.subject import Arrays, Subject


def leakage(subject: Subject) -> Finding:
    """Queries that are in their own support set, number for number."""
    sets = zip(examples(subject.task["support_x"]), examples(subject.task["query_x"]), strict=True)
    share = float(np.mean([[query in set(support) for query in queries] for support, queries in sets]))
    sentence = f"{100 * share:.1f} % of the queries are in their own support set."
    mistake = "query examples drawn with replacement together with the support set"
    return Finding("leakage", FAILED if share else PASSED, sentence, mistake)


def held_out(subject: Subject, training: Arrays) -> Finding:
    """Examples of the audit's tasks that are in training tasks too, number for number."""
    parts = ("support_x", "query_x")
    seen = {example for part in parts for task in examples(training[part]) for example in task}
    share = float(np.mean([e in seen for part in parts for task in examples(subject.task[part]) for e in task]))
    sentence = f"{100 * share:.1f} % of the examples are in {len(training['support_x'])} training tasks too."
    return Finding("held out", FAILED if share else PASSED, sentence, "tested, or chosen, on the training tasks")


def examples(x: np.ndarray) -> list[list[bytes]]:
    """Every example of [T, B, ...] as something that can be compared."""
    return [[example.tobytes() for example in task] for task in x + np.zeros((), x.dtype)]  # −0 becomes 0
