"""The same call twice: predictions that differ because a state survives a task."""

from metalearn_lib.auditing.report import FAILED, PASSED, Finding
from metalearn_lib.auditing.subject import Subject, deviations

MISTAKE = "what was learned in one task goes on into the next (weights not set back, or kept without a copy)"


def same_call_twice(subject: Subject) -> Finding:
    """Whether the same tasks get the same predictions again, with other tasks in between."""
    verdict, sentence = PASSED, "The same tasks get the same predictions, with other tasks in between."
    if subject.again:
        sentence = f"Predictions of the same tasks differ from call to call, by {deviations(subject.again)}"
        if subject.remembers:
            verdict = FAILED
            sentence += (
                ", even when all random generators are set back: a state survives a task. Set it back after each task; "
                "if it is a random generator that the audit cannot find, seed it in every call."
            )
        else:
            sentence += ", but not when all random generators are set back: they are random (dropout left on?)."
    return Finding("same call twice", verdict, sentence, MISTAKE)
