"""Exercises whose answer is a function.

slope_exercise = Function("Title", "Prompt.", example=(...), draw=lambda rng: (...), hints=("...", "..."))

@slope_exercise.reference("Why this is so.")
def slope(x, y): ...

@slope_exercise.mistake("You divide by n where ...")
def population(x, y): ...
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from metalearn_course.exercises.engine.exercise import BLANK, Exercise, Mistake, Predicate, Results, shown
from metalearn_course.exercises.engine.running import Outcome, is_empty, run
from metalearn_course.exercises.engine.source import definition
from metalearn_course.exercises.engine.values import Plain, replaced, show
from metalearn_course.exercises.engine.verdict import Verdict

DRAWS = 4

_NOT_BY_SEED = (
    "Right, but called twice with the same arguments it gave two different results: draw from "
    "`np.random.default_rng(seed)`, so that an experiment can be repeated."
)
_ALWAYS_THE_SAME = (
    "Right, but another seed gave the same result: what is drawn has to depend on `seed`, or all repetitions are one."
)


class Function(Exercise):
    """A function to write.

    Attributes:
        seconds: for all calls together; None for the usual few.

    Args:
        title: its heading.
        prompt: Markdown, what to do.
        example: the arguments of the case that is shown; numbers that can be followed by hand.
        draw: draws the arguments of another case, plain data, from a NumPy generator.
        hints: at least two, from a nudge to nearly the solution.
        rtol: how far a number may be off, as a share of the largest.
        right_if: where more than one result is right: whether one is.
        seeded: whether the last argument is a seed: the same one has to give the same result, and another one another.
    """

    seconds: float | None = None

    def __init__(
        self,
        title: str,
        prompt: str,
        *,
        example: tuple,
        draw: Callable[[np.random.Generator], tuple],
        hints: Sequence[str],
        rtol: float = 1e-4,
        right_if: Predicate | None = None,
        seeded: bool = False,
    ) -> None:
        super().__init__(title, prompt, hints=hints, rtol=rtol)
        self._example, self._draw, self._right_if, self._seeded = example, draw, right_if, seeded

    def reference(self, why: str) -> Callable[[Callable], Callable]:
        """Decorates the solution; learners start from its name, signature and docstring."""

        def decorate(function: Callable) -> Callable:
            self.answer, self.why = function, why
            return function

        return decorate

    def mistake(self, feedback: str, shows: Predicate | None = None) -> Callable[[Callable], Callable]:
        """Decorates a wrong solution; an answer that gives the same results gets this feedback."""

        def decorate(function: Callable) -> Callable:
            self.mistakes.append(Mistake(function.__name__, feedback, function, shows))
            return function

        return decorate

    def also_right(self, function: Callable) -> Callable:
        """Decorates a solution that is written differently; the tests try it."""
        self.right_answers.append(function)
        return function

    def target(self, name: str) -> str:
        """The name of the function to write."""
        return self.answer.__name__

    def cases(self, seed: int = 0) -> list[tuple]:
        """The example, and random cases that follow from the seed."""
        rng = np.random.default_rng(seed)
        drawn = [self._draw(rng) for _ in range(DRAWS)]
        if self._seeded:  # the first of them again, and with another seed
            drawn += [drawn[0], (*drawn[0][:-1], drawn[0][-1] + 1)]
        return [self._example, *drawn]

    def judge(self, cases: list[tuple], outcomes: list[Outcome]) -> Verdict:
        """A verdict on the outcomes of an answer; of one that is seeded, whether it goes by its seed."""
        verdict = super().judge(cases, outcomes)
        if not self._seeded or verdict.kind != "pass":
            return verdict
        first, again, other = (outcomes[number].value for number in (1, -2, -1))
        if first != again:
            return Verdict("wrong", _NOT_BY_SEED, "seed_ignored")
        return Verdict("wrong", _ALWAYS_THE_SAME, "seed_unused") if first == other else verdict

    def source(self) -> str:
        """The solution as it stands in a cell."""
        return "\n".join(self.parts())

    def parts(self) -> tuple[str, str]:
        """The solution's signature with its docstring, which learners are given, and its body."""
        source, tree = definition(self.answer)
        lines, split = source.splitlines(), tree.body[0].end_lineno
        return "\n".join(lines[tree.lineno - 1 : split]), "\n".join(lines[split:])

    def _check(self, answer: Any) -> Verdict:
        if answer is None or answer is ...:
            return BLANK
        if not callable(answer):
            return Verdict("wrong", f"It is a {type(answer).__name__}, expected the function `{self.answer.__name__}`.")
        if is_empty(answer):
            return BLANK
        cases = self.cases()
        try:
            inspect.signature(answer).bind(*cases[0])
        except (TypeError, ValueError):
            wanted = inspect.signature(self.answer)
            return Verdict("wrong", f"It has to take the arguments `{wanted}`, in this order.")
        outcomes = run(answer, cases, self.seconds)
        if names := replaced():
            return Verdict(
                "wrong", f"{names[0]} is not NumPy's own any more: restart the kernel, and leave it as it is."
            )
        return self.judge(cases, outcomes)

    def _problem(self, cases: list[tuple], outcomes: list[Outcome]) -> str:
        return f"{outcomes[-1].problem}\n\nIt was called with {self._arguments(cases[len(outcomes) - 1])}."

    def _compare(self, cases: list[tuple], got: list[Plain]) -> Results:
        if not self._right_if:
            return super()._compare(cases, got)
        right = [self._right_if(arguments, value) for arguments, value in zip(cases, got, strict=True)]
        return Results(cases, got, None, right)

    def _not_recognized(self, results: Results) -> str:
        prefix = "Right for the example, but not for other inputs.\n\n" if results.right[0] else ""
        return prefix + self._in_general(results)

    def _difference(self, results: Results) -> str:
        wrong = results.first_wrong
        expected = f"\nexpected: `{show(results.expected[wrong])}`" if results.expected else ""
        return f"For {self._arguments(results.cases[wrong])}{expected}\ngot: `{show(results.got[wrong])}`"

    def _arguments(self, arguments: tuple) -> str:
        names = inspect.signature(self.answer).parameters
        return ", ".join(f"`{name} = {shown(value)}`" for name, value in zip(names, arguments, strict=True))
