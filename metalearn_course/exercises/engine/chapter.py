"""The exercises of one chapter, and how many of them are done."""

from collections.abc import Sequence
from types import ModuleType

from metalearn_course.exercises.engine.exercise import Exercise
from metalearn_course.exercises.engine.verdict import Verdict


class Chapter:
    """The contents of one exercise notebook; `chapter.update` is the exercise whose answer is called `update`.

    Args:
        name: of the notebook, as that of the chapter: "04_mathematics".
        title: its heading.
        introduction: Markdown below the heading.
        parts: the modules that declare the exercises. Their order, and that of the declarations, is the order shown.

    Raises:
        ValueError: if two exercises have the same name, or one has the name of an attribute of a chapter.
    """

    def __init__(self, name: str, title: str, introduction: str, parts: Sequence[ModuleType]) -> None:
        self.name, self.title, self.introduction = name, title, introduction
        self.exercises: dict[str, Exercise] = {}
        for part in parts:
            for variable, exercise in vars(part).items():
                if not isinstance(exercise, Exercise):
                    continue
                own = exercise.target(variable)
                if own in self.exercises or hasattr(self, own):
                    raise ValueError(
                        f"parts declare {own!r} more than once, or a chapter has an attribute of that name"
                    )
                self.exercises[own] = exercise

    def __getattr__(self, name: str) -> Exercise:
        try:
            return vars(self)["exercises"][name]
        except KeyError:
            raise AttributeError(
                f"name is {name!r}, expected one of {', '.join(vars(self).get('exercises', ()))}"
            ) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.exercises]

    @property
    def start(self) -> str:
        """The source of the first cell of the notebook."""
        module = f"metalearn_course.exercises.chapters.{self.name.partition('_')[2]}"
        return f"import metalearn_lib as ml\nimport numpy as np\nfrom {module} import chapter"

    def prompts(self) -> dict[str, str]:
        """The Markdown above each answer, by name of the exercise."""
        numbered = enumerate(self.exercises.items(), 1)
        return {name: f"## {number} · {e.title}\n\n{e.prompt}" for number, (name, e) in numbered}

    def progress(self) -> Verdict:
        """The exercises, with those that are passed so far."""
        lines = [f"{'✔' if e.passed else '…'} {name}: {e.title}" for name, e in self.exercises.items()]
        done = sum(exercise.passed for exercise in self.exercises.values())
        kind = "pass" if done == len(lines) else "note"
        return Verdict(kind, "\n".join([f"{done} of {len(lines)} exercises passed", *lines]))
