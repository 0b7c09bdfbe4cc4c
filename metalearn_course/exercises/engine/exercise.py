"""An exercise: a prompt, a solution, and the mistakes that are usually made, each with what to say about it.

A function to write is declared like this; `Value`, `Choice` and `Order` in `questions` are shorter:

    q1 = Exercise("Title", "Prompt.", example=(...), draw=lambda rng: (...), hints=("...", "..."))

    @q1.reference("Why this is so.")
    def slope(x, y): ...

    @q1.mistake("You divide by n where ...")
    def population(x, y): ...

The learner's function, the reference and every mistake run on the same cases. A mistake is recognised because it
gives what the learner's function gives, in every case.
"""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metalearn_course.exercises.engine.running import Outcome, is_empty, run
from metalearn_course.exercises.engine.values import NoAnswerError, Plain, flat, plain, replaced, same, shape, show
from metalearn_course.exercises.engine.verdict import Verdict

DRAWS = 4
BLANK = Verdict("blank", "Not filled in yet.")


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and what to say to them.

    Args:
        name: short, unique within the exercise.
        feedback: what is wrong, in terms of the idea.
        answer: the wrong answer itself.
        shows: `shows(arguments, got)`, for results that depend on chance: whether one result gives the mistake away.
    """

    name: str
    feedback: str
    answer: Any
    shows: Callable[[tuple, Plain], bool] | None = None


class Exercise:
    """A function to write.

    Args:
        title: what it is called.
        prompt: Markdown, what to do.
        example: the arguments of the case that is shown; numbers that can be followed by hand.
        draw: draws the arguments of another case, plain data, from a NumPy generator.
        hints: at least two, from a nudge to nearly the solution.
        rtol: how far a number may be off, as a share of the largest.
        right_if: `right_if(arguments, got)`, where more than one result is right.
    """

    not_only_the_example = "Right for the example, but not for other inputs.\n\n"

    def __init__(
        self,
        title: str,
        prompt: str,
        *,
        example: tuple,
        draw: Callable[[np.random.Generator], tuple],
        hints: Sequence[str],
        rtol: float = 1e-4,
        right_if: Callable[[tuple, Plain], bool] | None = None,
    ) -> None:
        self.title, self.prompt, self.hints = title, textwrap.dedent(prompt).strip(), tuple(hints)
        self.mistakes: list[Mistake] = []
        self.right_answers: list[Any] = []
        self.passed = False
        self.figure: Callable[[], None] | None = None
        self._example, self._draw, self._rtol, self._right_if = example, draw, rtol, right_if
        self._hints_given = 0

    # What an author calls.

    def reference(self, why: str) -> Callable[[Callable], Callable]:
        """Decorates the solution; its name, signature and docstring are what the learner starts from."""

        def decorate(function: Callable) -> Callable:
            self.answer, self.why = function, why
            return function

        return decorate

    def mistake(self, feedback: str, shows: Callable[[tuple, Plain], bool] | None = None) -> Callable:
        """Decorates a wrong solution; `feedback` is said to whoever writes one that gives the same."""

        def decorate(function: Callable) -> Callable:
            self.mistakes.append(Mistake(function.__name__, feedback, function, shows))
            return function

        return decorate

    def also_right(self, function: Callable) -> Callable:
        """Decorates a solution that is written differently; the tests try it."""
        self.right_answers.append(function)
        return function

    def with_figure(self, draw: Callable[[], None]) -> Callable[[], None]:
        """Decorates what draws, with matplotlib, the figure that is to be read; a cell below the prompt calls it."""
        self.figure = draw
        return draw

    # What a learner calls.

    def check(self, answer: Any = None) -> Verdict:
        """Whether the answer is right, or what is wrong with it. Never raises.

        Args:
            answer: the function that was written, or the value.

        Returns:
            A verdict, which notebooks show.
        """
        try:
            verdict = self._check(answer)
        except (Exception, SystemExit) as error:
            verdict = Verdict("wrong", f"This answer could not be checked ({type(error).__name__}).")
        self.passed = verdict.kind == "pass"
        return verdict

    def hint(self) -> Verdict:
        """The next hint; after the last one, the last one again."""
        level = min(self._hints_given, len(self.hints) - 1)
        self._hints_given += 1
        return Verdict("note", f"Hint {level + 1} of {len(self.hints)}: {self.hints[level]}")

    def solution(self) -> Verdict:
        """The solution, and why."""
        return Verdict("note", f"{self.why}\n\n{textwrap.indent(self.source(), '    ')}")

    # What the checks, the tests and the grading are made of.

    def target(self, name: str) -> str:
        """What the answer of the exercise called `name` ("q1") is called in the notebook."""
        return self.answer.__name__

    def cases(self, seed: int = 0) -> list[tuple]:
        """The example, and random cases that follow from the seed: grading takes a secret one."""
        rng = np.random.default_rng(seed)
        return [self._example, *(self._draw(rng) for _ in range(DRAWS))]

    def judge(self, cases: list[tuple], outcomes: list[Outcome]) -> Verdict:
        """A verdict on what an answer gave, wherever it ran.

        Args:
            cases: the arguments of each call.
            outcomes: what each call gave; may end early, with a problem.

        Returns:
            The verdict.
        """
        if outcomes[-1].problem:
            return BLANK if outcomes[-1].not_filled_in else Verdict("wrong", self._and_where(cases, outcomes))
        got = [outcome.value for outcome in outcomes]
        right = [self._is_right(arguments, value) for arguments, value in zip(cases, got, strict=True)]
        if all(right):
            changed = next((outcome.changed for outcome in outcomes if outcome.changed), "")
            return Verdict("wrong", _CHANGED.format(changed)) if changed else Verdict("pass", f"Right. {self.why}")
        for mistake in self.mistakes:
            if self._recognised(mistake, cases, got):
                where = self._compare(cases, got, right)
                return Verdict("wrong", f"{mistake.feedback}\n\n{where}".strip(), mistake.name)
        return Verdict("wrong", (self.not_only_the_example if right[0] else "") + self._in_general(cases, got, right))

    def source(self) -> str:
        """The solution as it stands in a cell."""
        return "\n".join(self.parts())

    def parts(self) -> tuple[str, str]:
        """The solution's signature with its docstring, which learners are given, and its body."""
        lines = textwrap.dedent(inspect.getsource(self.answer)).splitlines()
        function = ast.parse("\n".join(lines)).body[0]
        start, split = function.lineno - 1, function.body[0].end_lineno
        return "\n".join(lines[start:split]), "\n".join(lines[split:])

    def _check(self, answer: Any) -> Verdict:
        if answer is None or answer is ...:
            return BLANK
        if not callable(answer):
            return Verdict("wrong", f"A {type(answer).__name__} came, expected the function `{self.answer.__name__}`.")
        if is_empty(answer):
            return BLANK
        try:
            inspect.signature(answer).bind(*self._example)
        except (TypeError, ValueError):
            wanted = inspect.signature(self.answer)
            return Verdict("wrong", f"It has to take the arguments `{wanted}`, in this order.")
        cases = self.cases()
        outcomes = run(answer, cases)
        if names := replaced():
            return Verdict(
                "wrong", f"{names[0]} is not NumPy's own any more: restart the kernel, and leave it as it is."
            )
        return self.judge(cases, outcomes)

    def _expected(self, arguments: tuple) -> Plain:
        return plain(self.answer(*arguments))

    def _is_right(self, arguments: tuple, got: Plain) -> bool:
        if self._right_if:
            return self._right_if(arguments, got)
        return same(got, self._expected(arguments), self._rtol)

    def _recognised(self, mistake: Mistake, cases: list[tuple], got: list[Plain]) -> bool:
        pairs = list(zip(cases, got, strict=True))
        if mistake.shows:
            return any(mistake.shows(arguments, value) for arguments, value in pairs)
        return all(same(value, plain(mistake.answer(*arguments)), self._rtol) for arguments, value in pairs)

    def _and_where(self, cases: list[tuple], outcomes: list[Outcome]) -> str:
        arguments = cases[len(outcomes) - 1]
        return f"{outcomes[-1].problem}\n\nIt was called with {self._arguments(arguments)}."

    def _in_general(self, cases: list[tuple], got: list[Plain], right: list[bool]) -> str:
        value = got[right.index(False)]
        if all(item is None for item in got):
            return "It gives nothing (None): is a `return` missing?"
        if any(not isinstance(item, float) for item in flat(value)):
            return f"Not every entry of the result is a number.\n\n{self._compare(cases, got, right)}"
        if any(math.isnan(item) for item in flat(value)):
            return f"There is a NaN in the result.\n\n{self._compare(cases, got, right)}"
        if not self._right_if and shape(value) != (expected := shape(self._expected(cases[right.index(False)]))):
            return f"The shape is {shape(value)}, expected {expected}.\n\n{self._compare(cases, got, right)}"
        return f"Not yet.\n\n{self._compare(cases, got, right)}"

    def _compare(self, cases: list[tuple], got: list[Plain], right: list[bool]) -> str:
        """The first case that is wrong, with what was expected."""
        wrong = right.index(False)
        expected = "" if self._right_if else f"\nexpected: `{show(self._expected(cases[wrong]))}`"
        return f"For {self._arguments(cases[wrong])}{expected}\ngot: `{show(got[wrong])}`"

    def _arguments(self, arguments: tuple) -> str:
        names = inspect.signature(self.answer).parameters
        return ", ".join(f"`{name} = {_show(value)}`" for name, value in zip(names, arguments, strict=True))


_CHANGED = (
    "The result is right, but your function changes its argument `{}` in place: whoever called it still needs the "
    "old value. Make a new array instead (`a = a - b`, not `a -= b`)."
)


def _show(value: Any) -> str:
    try:
        return show(plain(value))
    except NoAnswerError:
        return repr(value)[:80]
