"""The exercises of one chapter, and how many of them are done."""

from collections.abc import Mapping

from metalearn_course.exercises.engine.exercise import Exercise
from metalearn_course.exercises.engine.verdict import Verdict


class Chapter:
    """The contents of one exercise notebook.

    Args:
        name: of the notebook, as that of the chapter: "04_mathematics".
        title: its heading.
        introduction: Markdown below the heading.
        exercises: by name, in order: {"q1": q1, ...}.
    """

    def __init__(self, name: str, title: str, introduction: str, exercises: Mapping[str, Exercise]) -> None:
        self.name, self.title, self.introduction, self.exercises = name, title, introduction, dict(exercises)

    def progress(self) -> Verdict:
        """The exercises, with those that are passed so far."""
        lines = [f"{'✔' if e.passed else '…'} {name}: {e.title}" for name, e in self.exercises.items()]
        done = sum(exercise.passed for exercise in self.exercises.values())
        kind = "pass" if done == len(lines) else "note"
        return Verdict(kind, "\n".join([f"{done} of {len(lines)} exercises passed", *lines]))
