"""Exercises whose answer is typed in: numbers, a choice, an order."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from metalearn_course.exercises.engine.exercise import BLANK, Exercise, Mistake, Results
from metalearn_course.exercises.engine.running import Outcome, run
from metalearn_course.exercises.engine.values import NoAnswerError, are_numbers, flat, same, show
from metalearn_course.exercises.engine.verdict import Verdict

NEARLY = 0.03  # how far a number may be off, as a share of the largest, to be called nearly right


class Value(Exercise):
    """A number to work out, or several in a list.

    Args:
        title: its heading.
        prompt: Markdown, what to work out.
        answer: the right one, as it is typed: numbers, lists of them, or text.
        why: how to get there.
        hints: at least two, from a nudge to nearly the solution.
        rtol: how far a number may be off, as a share of the largest: what is typed by hand is rounded.
    """

    def __init__(
        self, title: str, prompt: str, *, answer: Any, why: str, hints: Sequence[str], rtol: float = 5e-3
    ) -> None:
        super().__init__(title, prompt, hints=hints, rtol=rtol)
        self.why, self.answer = why, lambda: self.read(answer)
        self.written = answer

    def mistake(self, feedback: str, answer: Any, name: str = "") -> None:
        """A wrong answer and the feedback on it; `name` is by default the answer itself."""
        self.mistakes.append(Mistake(name or (answer if isinstance(answer, str) else repr(answer)), feedback, answer))

    def also_right(self, answer: Any) -> None:
        """Another way to write the right answer; the tests try it."""
        self.right_answers.append(answer)

    def read(self, answer: Any) -> Any:
        """The meaning of an answer as it is typed."""
        if isinstance(answer, str) and not isinstance(self.written, str):
            raise NoAnswerError(f"it is the text {answer[:40]!r}, expected numbers: type them without quotation marks")
        return answer

    def source(self) -> str:
        """The right answer as it is typed."""
        return json.dumps(self.written)

    def target(self, name: str) -> str:
        """The variable that holds the answer: its own name."""
        return name

    def cases(self, seed: int = 0) -> list[tuple]:
        """One, without arguments."""
        return [()]

    def _check(self, answer: Any) -> Verdict:
        if answer is None or answer is ... or (isinstance(answer, str) and not answer.strip()):
            return BLANK
        return self.judge(self.cases(), run(lambda: self.read(answer), self.cases()))

    def _is_recognized(self, mistake: Mistake, results: Results) -> bool:
        return super()._is_recognized(replace(mistake, answer=lambda: self.read(mistake.answer)), results)

    def _problem(self, cases: list[tuple], outcomes: list[Outcome]) -> str:
        return outcomes[-1].problem

    def _not_recognized(self, results: Results) -> str:
        got, wanted = flat(results.got[0]), flat(self._expected(()))
        if are_numbers(got) and are_numbers(wanted) and len(got) == len(wanted):
            if same([number / 100 for number in got], list(wanted), self._rtol):
                return f"That is in per cent. Give it as a share: 50 % is 0.5.\n\n{self._difference(results)}"
            if same(list(got), list(wanted), NEARLY):
                return f"Nearly: it is rounded too far, or read off. Give three digits.\n\n{self._difference(results)}"
        return super()._not_recognized(results)

    def _difference(self, results: Results) -> str:
        return f"got: `{show(results.got[0])}`"  # what is expected would be the solution


class Choice(Value):
    """A question with one right option.

    Args:
        title: its heading.
        prompt: Markdown, the question; the options are put below it.
        options: for each letter the option and the feedback on it; for the right one, why it is right.
        right: the letter of the right one.
        hints: at least two.
    """

    def __init__(
        self, title: str, prompt: str, *, options: Mapping[str, tuple[str, str]], right: str, hints: Sequence[str]
    ) -> None:
        shown = "\n".join(f"- **{letter}**: {text}" for letter, (text, _) in options.items())
        prompt = f"{textwrap.dedent(prompt).strip()}\n\n{shown}"
        self._letters = set(options)
        super().__init__(title, prompt, answer=right, why=options[right][1], hints=hints)
        for letter, (_, feedback) in options.items():
            if letter != right:
                self.mistake(feedback, letter)
        self.also_right(f" {right.upper()}) ")

    def read(self, answer: Any) -> str:
        """The letter."""
        letter = str(answer).strip(" \n()[].:'\"").lower()
        if letter not in self._letters:
            raise NoAnswerError(
                f"it is {str(answer)[:40]!r}, expected one of the letters {', '.join(sorted(self._letters))}"
            )
        return letter

    def _difference(self, results: Results) -> str:
        return ""  # the letter was just typed, and the feedback is about it


class Order(Value):
    """Lines, steps or curves to put in order.

    Args:
        title: its heading.
        prompt: Markdown, the question; the lines are put below it.
        lines: what is to be put in order, by letter, in the order shown.
        right: the letters in the right order, e.g. "cab".
        why: what decides the order.
        hints: at least two.
    """

    def __init__(
        self, title: str, prompt: str, *, lines: Mapping[str, str], right: str, why: str, hints: Sequence[str]
    ) -> None:
        shown = "\n".join(f"- **{letter}**: {text}" for letter, text in lines.items())
        prompt = f"{textwrap.dedent(prompt).strip()}\n\n{shown}"
        self._letters = sorted(lines)
        super().__init__(title, prompt, answer=right, why=why, hints=hints)
        self.also_right(list(right))
        self.also_right(", ".join(right.upper()))

    def read(self, answer: Any) -> str:
        """The letters in their order."""
        text = "".join(map(str, answer)) if isinstance(answer, list | tuple) else str(answer)
        letters = "".join(character for character in text.lower() if character.isalnum())
        if sorted(letters) != self._letters:
            raise NoAnswerError(f"it is {text[:40]!r}, expected each of the letters {', '.join(self._letters)} once")
        return letters

    def _not_recognized(self, results: Results) -> str:
        return f"Not yet. {self._difference(results)}"

    def _difference(self, results: Results) -> str:
        letters = zip(str(results.got[0]), self.written, strict=True)
        first = next(place for place, (got, wanted) in enumerate(letters) if got != wanted)
        right_so_far = f"Numbers 1 to {first} are right" if first > 1 else "Number 1 is right"
        return f"{right_so_far}; look at number {first + 1}." if first else "Look at the first one."
