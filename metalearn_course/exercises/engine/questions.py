"""Exercises whose answer is no function: numbers, a choice, an order."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from metalearn_course.exercises.engine.exercise import BLANK, Exercise, Mistake
from metalearn_course.exercises.engine.running import run
from metalearn_course.exercises.engine.values import NoAnswerError, Plain, show
from metalearn_course.exercises.engine.verdict import Verdict


class Value(Exercise):
    """A number to work out, or several in a list.

    Args:
        title: what it is called.
        prompt: Markdown, what to work out.
        answer: the right one, as it is typed: numbers, lists of them, or text.
        why: how to get there.
        hints: at least two, from a nudge to nearly the solution.
        rtol: how far a number may be off, as a share of the largest: what is typed by hand is rounded.
    """

    def __init__(self, title: str, prompt: str, *, answer: Any, why: str, hints: Sequence[str], rtol: float = 5e-3):
        super().__init__(title, prompt, example=(), draw=lambda rng: (), hints=hints, rtol=rtol)
        self.why, self.answer = why, lambda: self.read(answer)
        self._written = answer

    def mistake(self, feedback: str, answer: Any, name: str = "") -> None:
        """A wrong answer and what to say about it; `name` is by default the answer itself."""
        self.mistakes.append(Mistake(name or show_written(answer), feedback, answer))

    def also_right(self, answer: Any) -> None:
        """Another way to write the right answer; the tests try it."""
        self.right_answers.append(answer)

    def read(self, answer: Any) -> Any:
        """What an answer means."""
        return answer

    def source(self) -> str:
        """The right answer as it is typed."""
        return json.dumps(self._written)

    def target(self, name: str) -> str:
        """What the answer of the exercise called `name` ("q1") is called in the notebook."""
        return f"answer_{name[1:]}"

    def cases(self, seed: int = 0) -> list[tuple]:
        """One, without arguments."""
        return [()]

    def _check(self, answer: Any) -> Verdict:
        if answer is None or answer is ... or (isinstance(answer, str) and not answer.strip()):
            return BLANK
        return self.judge(self.cases(), run(lambda: self.read(answer), self.cases()))

    def _recognised(self, mistake: Mistake, cases: list[tuple], got: list[Plain]) -> bool:
        as_function = Mistake(mistake.name, mistake.feedback, lambda: self.read(mistake.answer))
        return super()._recognised(as_function, cases, got)

    def _and_where(self, cases: list[tuple], outcomes: list) -> str:
        return outcomes[-1].problem

    def _compare(self, cases: list[tuple], got: list[Plain], right: list[bool]) -> str:
        return f"got: `{show(got[0])}`"  # what is expected would be the solution


class Choice(Value):
    """A question with one right option.

    Args:
        title: what it is called.
        prompt: Markdown, the question; the options are put below it.
        options: for each letter the option, and what to say to whoever takes it; for the right one, why it is right.
        right: the letter of the right one.
        hints: at least two.
    """

    def __init__(
        self, title: str, prompt: str, *, options: Mapping[str, tuple[str, str]], right: str, hints: Sequence[str]
    ):
        shown = "\n".join(f"- **{letter}**: {text}" for letter, (text, _) in options.items())
        prompt = f"{textwrap.dedent(prompt).strip()}\n\n{shown}"
        self._letters = set(options)
        super().__init__(title, prompt, answer=right, why=options[right][1], hints=hints)
        for letter, (_, feedback) in options.items():
            if letter != right:
                self.mistake(feedback, letter)
        self.also_right(f" {right.upper()}) ")

    def read(self, answer: Any) -> str:
        """The letter that is meant."""
        letter = str(answer).strip(" \n()[].:'\"").lower()
        if letter not in self._letters:
            raise NoAnswerError(
                f"it is {str(answer)[:40]!r}, expected one of the letters {', '.join(sorted(self._letters))}"
            )
        return letter


class Order(Value):
    """Lines, steps or curves to put in order.

    Args:
        title: what it is called.
        prompt: Markdown, the question; the lines are put below it.
        lines: what is to be put in order, by letter, in the order shown.
        right: the letters in the right order, e.g. "cab".
        why: what decides the order.
        hints: at least two.
    """

    def __init__(
        self, title: str, prompt: str, *, lines: Mapping[str, str], right: str, why: str, hints: Sequence[str]
    ):
        shown = "\n".join(f"- **{letter}**: {text}" for letter, text in lines.items())
        prompt = f"{textwrap.dedent(prompt).strip()}\n\n{shown}"
        self._letters = sorted(lines)
        super().__init__(title, prompt, answer=right, why=why, hints=hints)
        self.also_right(list(right))
        self.also_right(", ".join(right.upper()))

    def read(self, answer: Any) -> str:
        """The letters in the order that is meant."""
        text = "".join(map(str, answer)) if isinstance(answer, list | tuple) else str(answer)
        letters = "".join(character for character in text.lower() if character.isalnum())
        if sorted(letters) != self._letters:
            raise NoAnswerError(f"it is {text[:40]!r}, expected each of the letters {', '.join(self._letters)} once")
        return letters

    def _in_general(self, cases: list[tuple], got: list[Plain], right: list[bool]) -> str:
        return f"Not yet. {self._compare(cases, got, right)}"

    def _compare(self, cases: list[tuple], got: list[Plain], right: list[bool]) -> str:
        first = next(i for i, (a, b) in enumerate(zip(got[0], self._written, strict=True)) if a != b)
        right_so_far = f"Numbers 1 to {first} are right" if first > 1 else "Number 1 is right"
        return f"{right_so_far}; look at number {first + 1}." if first else "Look at the first one."


def show_written(answer: Any) -> str:
    """An answer as the name of a mistake."""
    return answer if isinstance(answer, str) else repr(answer)
