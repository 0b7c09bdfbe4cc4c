"""What all kinds of exercises share: a prompt, a solution, and known mistakes with feedback on each.

`Function` asks for a function, `Catch` for a test, `Value`, `Choice` and `Order` for an answer that is typed in. The
learner's answer, the solution and every known mistake run on the same cases. A mistake is recognised because it gives
the same results as the learner's answer, in every case.
"""

import contextlib
import math
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import (
    NoAnswerError,
    Plain,
    are_numbers,
    as_list,
    flat,
    plain,
    same,
    shape,
    show,
)
from metalearn_course.exercises.engine.verdict import Verdict

MOST_NUMBERED = 4  # results whose numbers are told one by one
BLANK = Verdict("blank", "Not filled in yet.")

Predicate = Callable[[Any, Any], bool]
"""`predicate(arguments, got)`: something about the result `got`, as plain data, of a call with `arguments`."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and the feedback on it.

    Args:
        name: short, unique within the exercise.
        feedback: what is wrong, in terms of the idea.
        answer: the wrong answer itself.
        shows: for results that are random: whether one result gives the mistake away.
    """

    name: str
    feedback: str
    answer: Any
    shows: Predicate | None = None


@dataclass(frozen=True)
class Results:
    """The results of an answer, one per case, and how they compare with those of the solution.

    Args:
        cases: the arguments of each call.
        got: what the answer gave.
        expected: what the solution gives; None where more than one result is right.
        right: whether each result is right.
    """

    cases: list[tuple]
    got: list[Plain]
    expected: list[Plain] | None
    right: list[bool]

    @property
    def first_wrong(self) -> int:
        """The number of the first case with a wrong result."""
        return self.right.index(False)


class Exercise(ABC):
    """A question that checks its answers.

    Args:
        title: its heading.
        prompt: Markdown, what to do.
        hints: at least two, from a nudge to nearly the solution.
        rtol: how far a number may be off, as a share of the largest.
    """

    answer: Callable[..., Any]  # the solution; called with the arguments of a case
    why: str

    def __init__(self, title: str, prompt: str, *, hints: Sequence[str], rtol: float) -> None:
        self.title, self.prompt, self.hints = title, textwrap.dedent(prompt).strip(), tuple(hints)
        self.mistakes: list[Mistake] = []
        self.right_answers: list[Any] = []  # written differently from the solution; the tests try them
        self.figure: Callable[[], None] | None = None
        self._rtol = rtol
        self.reset()

    def with_figure(self, draw: Callable[[], None]) -> Callable[[], None]:
        """Decorates a function that draws the figure to be read, with matplotlib; a cell below the prompt calls it."""
        self.figure = draw
        return draw

    def reset(self) -> None:
        """Forget the hints that were given and whether the exercise was passed."""
        self.passed, self._hints_given = False, 0

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
        """The solution and the reason for it."""
        return Verdict("note", f"{self.why}\n\n{textwrap.indent(self.source(), '    ')}")

    @abstractmethod
    def source(self) -> str:
        """The solution as it stands in a cell."""

    @abstractmethod
    def target(self, name: str) -> str:
        """The name of the answer in the notebook, and of the exercise in its chapter.

        Args:
            name: of the variable that the exercise was declared as.
        """

    @abstractmethod
    def cases(self, seed: int = 0) -> list[tuple]:
        """The arguments of each call. They depend on the seed: grading takes a secret one."""

    def judge(self, cases: list[tuple], outcomes: list[Outcome]) -> Verdict:
        """A verdict on the outcomes of an answer, wherever it ran.

        Args:
            cases: the arguments of each call.
            outcomes: the outcome of each call; may end early, with a problem.

        Returns:
            The verdict.
        """
        if outcomes[-1].problem:
            return BLANK if outcomes[-1].not_filled_in else Verdict("wrong", self._problem(cases, outcomes))
        results = self._compare(cases, [outcome.value for outcome in outcomes])
        if all(results.right):
            changed = next((outcome.changed for outcome in outcomes if outcome.changed), "")
            return Verdict("wrong", _CHANGED.format(changed)) if changed else Verdict("pass", f"Right. {self.why}")
        for mistake in self.mistakes:
            if self._is_recognized(mistake, results):
                feedback = f"{mistake.feedback}\n\n{self._difference(results)}".strip()
                return Verdict("wrong", feedback, mistake.name)
        return Verdict("wrong", self._not_recognized(results))

    @abstractmethod
    def _check(self, answer: Any) -> Verdict:
        """As `check`; may raise."""

    @abstractmethod
    def _problem(self, cases: list[tuple], outcomes: list[Outcome]) -> str:
        """What to say if the last outcome is a problem."""

    @abstractmethod
    def _difference(self, results: Results) -> str:
        """The first wrong result, next to what was expected if that may be told."""

    def _compare(self, cases: list[tuple], got: list[Plain]) -> Results:
        expected = [self._expected(arguments) for arguments in cases]
        return Results(cases, got, expected, [same(a, b, self._rtol) for a, b in zip(got, expected, strict=True)])

    def _expected(self, arguments: tuple) -> Plain:
        return plain(self.answer(*arguments))

    def _is_recognized(self, mistake: Mistake, results: Results) -> bool:
        pairs = list(zip(results.cases, results.got, strict=True))
        if mistake.shows:
            return any(mistake.shows(arguments, value) for arguments, value in pairs)
        with contextlib.suppress(Exception):  # a wrong answer may fail on a case, and then it is not this one
            return all(same(value, plain(mistake.answer(*arguments)), self._rtol) for arguments, value in pairs)
        return False

    def _not_recognized(self, results: Results) -> str:
        """What to say about a wrong answer that is no known mistake."""
        return self._in_general(results)

    def _in_general(self, results: Results) -> str:
        value, difference = results.got[results.first_wrong], self._difference(results)
        if all(item is None for item in results.got):
            return "It gives nothing (None): is a `return` missing?"
        if not are_numbers(entries := flat(value)):
            return f"Not every entry of the result is a number.\n\n{difference}"
        if any(math.isnan(entry) for entry in entries):
            return f"There is a NaN in the result.\n\n{difference}"
        if results.expected and shape(value) != (wanted := shape(results.expected[results.first_wrong])):
            return f"The shape is {shape(value)}, expected {wanted}.\n\n{difference}"
        return f"Not yet.{_right_ones(results, self._rtol)}\n\n{difference}"


def _right_ones(results: Results, rtol: float) -> str:
    """Of a few numbers, which are right in every case; nothing if none is, or if there is but one."""
    pairs = [(as_list(a), as_list(b)) for a, b in zip(results.got, results.expected or [], strict=False)]
    number = min((len(b) for _, b in pairs), default=0)
    if not 1 < number <= MOST_NUMBERED or any(len(a) != len(b) or len(b) != number for a, b in pairs):
        return ""
    right = [i + 1 for i in range(number) if all(same(a[i], b[i], rtol) for a, b in pairs)]
    listed = " and ".join(map(str, right))
    return (
        f" Of the {number} results, number{'s' * (len(right) > 1)} {listed} {'are' if len(right) > 1 else 'is'} right."
        * bool(right)
    )


_CHANGED = (
    "The result is right, but your function changes its argument `{}` in place, and its caller may still need the "
    "old value. Make a new array instead (`a = a - b`, not `a -= b`)."
)


def shown(value: Any) -> str:
    """An argument on one line: plain data as `values.show`, a task by its shapes, anything else by a short `repr`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {list(np.shape(item))}" for key, item in value.items()) + "}"
    try:
        return show(plain(value))
    except NoAnswerError:
        return repr(value)[:80]
