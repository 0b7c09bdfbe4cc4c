"""Grades a submission without trusting it: its results are compared in a process that never runs its code.

The submitted cells run in a child process (`worker`) that has neither the solutions nor the comparison. It is
given the arguments of cases that follow from a secret seed, and may only answer with plain numbers. An answer that ends
or blocks the child costs its own points: the other answers are tried again in a new child.

How far the child is kept from everything else depends on the machine: `isolation` has the levels.
"""

import time
from typing import Any

from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.exercise import Exercise
from metalearn_course.exercises.engine.function import Function
from metalearn_course.exercises.engine.questions import Value
from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import Plain
from metalearn_course.exercises.engine.verdict import Verdict
from metalearn_course.exercises.grading.outside import run_outside, sent

SUBMISSION_SECONDS = 120
MOST_TEXT = 2_000  # letters of a sentence that a submission makes


def grade(cells: list[str], chapter: Chapter, seed: int, user: str | None = None) -> dict[str, Verdict]:
    """The verdict on each exercise of a submitted notebook.

    Args:
        cells: the source of each code cell that is the learner's own, in order. The chapter's start cell comes first.
        chapter: the notebook's chapter.
        seed: of the hidden cases; keep it to yourself.
        user: the account that the cells run as, by default this one; only root can choose another.

    Returns:
        A verdict for each exercise by name, whatever the cells do.
    """
    asked = {name: exercise.cases(seed) for name, exercise in chapter.exercises.items()}
    steps: list[dict] = [{"kind": "cell", "source": source} for source in [chapter.start, *cells]]
    for name, exercise in chapter.exercises.items():
        step: dict[str, Any] = {
            "kind": "value" if isinstance(exercise, Value) else "function",
            "name": exercise.target(name),
        }
        if isinstance(exercise, Function) and exercise.seconds:
            step["seconds"] = exercise.seconds
        steps.append({**step, "exercise": name, "cases": [[sent(a) for a in case] for case in asked[name]]})
    for number, step in enumerate(steps):
        step["number"] = number
    answers: dict[int, Any] = {}
    lost: dict[int, str] = {}
    deadline = time.monotonic() + SUBMISSION_SECONDS + sum(step.get("seconds", 0) for step in steps)
    while True:
        todo = [s for s in steps if s["number"] not in lost and (s["kind"] == "cell" or s["number"] not in answers)]
        if all(step["kind"] == "cell" for step in todo) or time.monotonic() > deadline:
            break
        new, blocked_by, why = run_outside(todo, chapter.name.partition("_")[2], deadline - time.monotonic(), user)
        answers.update(new)
        if blocked_by is not None:
            lost[blocked_by] = why
    return {
        step["exercise"]: _verdict(
            chapter.exercises[step["exercise"]],
            asked[step["exercise"]],
            answers.get(step["number"]),
            lost.get(step["number"], "It was not reached: other cells took all the time, or ended the program."),
        )
        for step in steps
        if step["kind"] != "cell"
    }


def _verdict(exercise: Exercise, cases: list[tuple], answer: Any, why_none: str) -> Verdict:
    try:
        outcomes = [
            Outcome(_checked(o["value"]), _short(o["problem"]), _short(o["changed"]), bool(o["not_filled_in"]))
            for o in answer
        ]
        if isinstance(exercise, Value):
            first = outcomes[0]
            return Verdict("wrong", first.problem) if first.problem else exercise.check(first.value)
        complete = len(outcomes) == len(cases) or (0 < len(outcomes) < len(cases) and outcomes[-1].problem)
        return exercise.judge(cases, outcomes) if complete else Verdict("wrong", why_none)
    except Exception:
        return Verdict("wrong", why_none)


def _checked(value: Any, depth: int = 0) -> Plain:
    """A value from the child, if it is plain data."""
    if isinstance(value, list) and depth < 8:
        return [_checked(item, depth + 1) for item in value]
    if isinstance(value, int | float):
        return float(value)
    if value is None:
        return None
    if isinstance(value, str):
        return _short(value)
    raise TypeError("no plain data")


def _short(text: Any) -> str:
    """A sentence that ends up in the feedback page, which nobody is to make longer than that."""
    text = str(text)
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + " ..."
