"""Exercises whose answer trains a learner: trained several times, and measured on hidden tasks.

error = Training("Title", "Prompt.", draw=lambda rng: (arguments, query_y), bar=0.5, hints=("...", "..."))

@error.reference("Why this is so.")
def learned(new, seed): ...
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine.exercise import Mistake
from metalearn_course.exercises.engine.function import Function
from metalearn_course.exercises.engine.probes import COPIES, LABELS_UNUSED, Probe, shown_by, with_copies
from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import Plain, are_numbers, flat, shape
from metalearn_course.exercises.engine.verdict import Verdict

if TYPE_CHECKING:
    from metalearn_lib import Score

TRAININGS = 3  # the tests of all exercises take one

Measure = Callable[[np.ndarray, Any], "Score"]
"""`measure(result, hidden)`: the score of one training, over the hidden tasks."""


class Case(tuple):
    """The arguments of one training; `hidden` is what the check knows beside them."""

    hidden: Any

    def __new__(cls, arguments: tuple, hidden: Any) -> "Case":
        case = super().__new__(cls, arguments)
        case.hidden = hidden
        return case


class Training(Function):
    """A function that trains with a seed and answers hidden tasks.

    Args:
        title: its heading.
        prompt: Markdown, what to do.
        draw: from a NumPy generator the arguments but the seed, and what is hidden: the queries' targets. With
            probes, the first argument is a task [T, ...] without them.
        bar: the measure on hidden tasks that has to be reached, with the whole interval.
        hints: at least two.
        probes: what is tested with copies of tasks.
        measure: of the result of one training; by default that of predictions of the queries.
        trained: whether a seed is the last argument, and the function is called with several.
        seconds: for all calls together.
    """

    def __init__(
        self,
        title: str,
        prompt: str,
        *,
        draw: Callable[[np.random.Generator], tuple[tuple, Any]],
        bar: float,
        hints: Sequence[str],
        probes: tuple[Probe, ...] = (),
        measure: Measure | None = None,
        trained: bool = True,
        seconds: float = 120.0,
    ) -> None:
        super().__init__(title, prompt, example=(), draw=lambda rng: (), hints=hints)
        self.bar, self.probes, self.seconds = bar, probes, seconds
        self._draw_tasks, self._measure, self.trained = draw, measure, trained

    def mutant(self, probe: Probe) -> Callable[[Callable], Callable]:
        """Decorates a wrong learner that a probe has to find; the tests try it."""

        def decorate(function: Callable) -> Callable:
            self.mistakes.append(Mistake(probe.name, probe.feedback, function))
            return function

        return decorate

    def cases(self, seed: int = 0) -> list[tuple]:
        """The same tasks for each training, and another seed."""
        rng = np.random.default_rng(seed)
        arguments, hidden = self._draw_tasks(rng)
        if self.probes:
            arguments = (with_copies(arguments[0], self.probes), *arguments[1:])
        if not self.trained:
            return [Case(arguments, hidden)]
        seeds = rng.choice(10_000, TRAININGS, replace=False)
        return [Case((*arguments, int(number)), hidden) for number in seeds]

    def judge(self, cases: list[tuple], outcomes: list[Outcome]) -> Verdict:
        """A verdict on the results of all trainings."""
        if outcomes[-1].problem:
            return super().judge(cases, outcomes)
        got = [outcome.value for outcome in outcomes]
        if problem := self._no_result(cases, got):
            return Verdict("wrong", problem)
        results = [np.array(value, dtype=float) for value in got]
        measured = ""
        if len(results) > 1 and all(np.array_equal(results[0], other) for other in results[1:]):
            results, cases, measured = results[:1], cases[:1], f"{_SEED_UNUSED} "
        score = self._score(cases, results)
        measured += self._measured(score)
        for case, result in zip(cases, results, strict=True):
            if found := self._found(case, result):
                return Verdict("wrong", f"{found.feedback}\n\n{measured}", found.name)
        reached = score.low > self.bar if self._more_is_better(score) else score.high < self.bar
        if reached:
            return Verdict("pass", f"Right. {measured}\n\n{self.why}")
        return Verdict("wrong", f"Not yet. {measured}")

    def _check(self, answer: Any) -> Verdict:
        """As `Function`'s. Each training traces anew, as it must: TensorFlow's warning about that says nothing here."""
        logger = logging.getLogger("tensorflow")
        before = logger.level
        logger.setLevel(logging.ERROR)
        try:
            return super()._check(answer)
        finally:
            logger.setLevel(before)

    def score_of(self, case: Any, result: np.ndarray) -> "Score":
        """The score of one training, over the hidden tasks."""
        of_tasks = result[: len(result) - COPIES * len(self.probes)] if self.probes else result
        return (self._measure or ml.score_predictions)(of_tasks, case.hidden)

    def _found(self, case: tuple, result: np.ndarray) -> Mistake | Probe | None:
        """The mistake that a result shows. What has learned nothing does not follow labels either: that comes last."""
        probe = shown_by(result, self.probes) if self.probes else None
        if probe and probe is not LABELS_UNUSED:
            return probe
        return next((mistake for mistake in self.mistakes if mistake.shows and mistake.shows(case, result)), probe)

    def _score(self, cases: list[tuple], results: list[np.ndarray]) -> "Score":
        scores = [self.score_of(case, result) for case, result in zip(cases, results, strict=True)]
        if len(scores) == 1:
            return scores[0]
        return ml.Score(np.stack([score.values for score in scores]), scores[0].measure)

    def _measured(self, score: "Score") -> str:
        percent = score.measure == "accuracy"
        bar = f"{100 * self.bar:g} %" if percent else f"{self.bar:g}"
        side = "above" if self._more_is_better(score) else "below"
        trainings = f"{score.trainings} trainings x " if score.trainings else ""
        return f"On {trainings}{score.num_tasks} hidden tasks: {score.measure} {score}, wanted: {side} {bar}."

    @staticmethod
    def _more_is_better(score: "Score") -> bool:
        from metalearn_lib.evaluation.score import MORE_IS_BETTER

        return score.measure in MORE_IS_BETTER

    def _no_result(self, cases: list[tuple], got: list[Plain]) -> str:
        """What is wrong with results that cannot be measured."""
        if all(value is None for value in got):
            return "It gives nothing (None): is a `return` missing?"
        for case, value in zip(cases, got, strict=True):
            entries = flat(value)
            if not are_numbers(entries):
                return "Not every entry of the result is a number."
            if not np.isfinite(entries).all():
                return "There is a NaN, or an infinite value, in the result: the training diverged."
            try:
                self.score_of(case, np.array(value, dtype=float))
            except (TypeError, ValueError, IndexError) as error:
                return f"The result has the shape {shape(value)}: {error}."
        return ""


_SEED_UNUSED = (
    "All seeds gave the same result to the last digit, so this counts as one training: if anything in it is random, "
    "let it follow the seed (`keras.utils.set_random_seed(seed)`)."
)
