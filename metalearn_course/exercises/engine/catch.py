"""Exercises in which the learner writes the test that catches a mistake."""

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from metalearn_course.exercises.engine.exercise import Predicate, Results
from metalearn_course.exercises.engine.function import Function
from metalearn_course.exercises.engine.source import definition
from metalearn_course.exercises.engine.values import Plain


class Implementation:
    """A function that a learner's test is given, without its name and its docstring.

    Args:
        function: uses nothing from outside but `np`; its docstring says what is wrong with it, or special.
        faulty: whether the test has to find fault with it.
    """

    def __init__(self, function: Callable, faulty: bool) -> None:
        _, tree = definition(function)
        tree.name, tree.body, tree.decorator_list = "implementation", tree.body[1:], []
        self.source, self.about, self.faulty = ast.unparse(tree), inspect.getdoc(function) or "", faulty
        self._function = compiled(self.source)

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)


def compiled(source: str) -> Callable:
    """The function in the source of an implementation."""
    names: dict[str, Any] = {"np": np}
    exec(source, names)
    return names["implementation"]


class Catch(Function):
    """A function to write that takes an implementation, and says whether it is faulty.

    Args:
        title: its heading.
        prompt: Markdown, what the implementations are to do, and which mistake is to be caught.
        right: implementations without the mistake.
        faulty: implementations with it.
        hints: at least two.
    """

    def __init__(
        self, title: str, prompt: str, *, right: Sequence[Callable], faulty: Sequence[Callable], hints: Sequence[str]
    ) -> None:
        self.implementations = [Implementation(function, False) for function in right]
        self.implementations += [Implementation(function, True) for function in faulty]
        super().__init__(title, prompt, example=(self.implementations[0],), draw=lambda rng: (), hints=hints)

    def mistake(self, feedback: str, shows: Predicate | None = None) -> Callable[[Callable], Callable]:
        """As `Function.mistake`. Which implementations a test notices only suggests why, and the feedback says so."""
        if feedback.startswith(("You ", "Your ", "In your ", "Only ")):
            feedback = f"A likely cause: {feedback[0].lower()}{feedback[1:]}"
        return super().mistake(feedback, shows)

    def cases(self, seed: int = 0) -> list[tuple]:
        """Each implementation once; in an order that depends on the seed, so that it cannot be learned."""
        if not seed:
            return [(implementation,) for implementation in self.implementations]
        order = np.random.default_rng(seed).permutation(len(self.implementations))
        return [(self.implementations[number],) for number in order]

    def _expected(self, arguments: tuple) -> Plain:
        return float(arguments[0].faulty)

    def _not_recognized(self, results: Results) -> str:
        got = results.got
        if any(item is None for item in got) and any(item == 1.0 for item in got):
            return f"It gives True or nothing (None): is a `return False` missing?\n\n{self._difference(results)}"
        if not any(results.right) and all(item in (0.0, 1.0) for item in got):
            mistaken = "True and False are exchanged: True is for those with the mistake."
            return f"{mistaken}\n\n{self._difference(results)}"
        return self._in_general(results)

    def _difference(self, results: Results) -> str:
        implementation = results.cases[results.first_wrong][0]
        if implementation.faulty:
            return f"It does not notice this implementation: {implementation.about}"
        return f"It finds fault with an implementation that is right: {implementation.about}"

    def _arguments(self, arguments: tuple) -> str:
        return "this implementation: " + arguments[0].about.rstrip(".")
