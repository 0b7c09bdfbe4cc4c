"""What a score claims: that the tasks were enough to tell, and that something simpler does not do as well."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import keras
import numpy as np

from metalearn_lib.auditing.labels import chance
from metalearn_lib.auditing.report import FAILED, NOT_APPLICABLE, PASSED, UNTRAINED, Finding
from metalearn_lib.auditing.subject import Subject
from metalearn_lib.evaluation.score import Score
from metalearn_lib.learners.baselines import FromScratch, JointTraining, NearestNeighbor

BASELINES = (FromScratch, JointTraining, NearestNeighbor)
FEW = 20  # tasks; with fewer the mistake is that they are so few
ENOUGH = 300  # tasks; beyond this many, a tie is not for lack of data
NO_STEP = "Its optimiser has not taken a step: train it, then ask again."


def gains(subject: Subject, baselines: Mapping[str, keras.Model | Callable]) -> dict[str, Score]:
    """By how much the learner is better than each baseline on the same tasks, the smallest gain first.

    The baselines are those given, the nearest neighbour of the examples as they are, the learner itself with the
    support set of another task, and a constant: the commonest label or the mean of its targets.
    """
    task, own = subject.task, subject.score(subject.predictions)
    scores = {}
    for name, learner in {**baselines, "nearest neighbour": _nearest_neighbour()}.items():
        predictions = Subject(learner, task, subject.query_y, subject.batch).predict()
        if predictions.shape != subject.predictions.shape or not np.array_equal(predictions, subject.predictions):
            scores[name] = subject.score(predictions)
    other = {name: np.roll(task[name], 1, axis=0) for name in ("support_x", "support_y")}
    scores["itself with another task's support set"] = subject.score(subject.predict(**other))
    if subject.labels:
        scores["chance"] = chance(task["support_y"], subject.query_y)
    else:
        constant = np.broadcast_to(task["support_y"].mean(axis=1, keepdims=True), subject.query_y.shape)
        scores["the mean of its support set"] = subject.score(constant)
    found = {name: subject.gain(own, score) for name, score in scores.items()}
    return dict(sorted(found.items(), key=lambda item: item[1].mean))


def interval(subject: Subject, found: Mapping[str, Score]) -> Finding:
    """Whether the tasks are enough to tell the learner from the best of its baselines."""
    mistake = "one task, or a few, and no confidence interval"
    tasks = len(subject.query_y)
    if tasks < 2:
        return Finding("interval", FAILED, "One task: there is no interval, nothing follows for others.", mistake)
    name, gain = next(iter(found.items()))
    sentence = f"{_own(subject)} over {tasks} tasks, {_relation(name, gain)}"
    told = abs(gain.mean) > gain.half_width
    if told:
        sentence += f" (half width: {100 * gain.half_width / abs(gain.mean):.0f} % of it)."
    elif tasks < ENOUGH:
        sentence += ", which may be nothing."
        if tasks >= FEW:
            mistake = "to call one of two learners better although the interval of their difference holds zero"
        if gain.mean:
            sentence += f" It takes some {tasks * (gain.half_width / gain.mean) ** 2:,.0f} tasks to tell."
    else:
        sentence += ": more tasks would not make it matter."
    verdict = PASSED if told or tasks >= ENOUGH else FAILED
    if verdict == FAILED and _untrained(subject):
        verdict, sentence = UNTRAINED, f"{sentence} {NO_STEP}"
    return Finding("interval", verdict, sentence, mistake)


def baseline(subject: Subject, found: Mapping[str, Score]) -> Finding:
    """Whether the learner beats every baseline, by the paired 95 % interval."""
    mistake = "a score without what a simpler learner reaches (nothing to learn, or nothing learned)"
    if isinstance(subject.learner, BASELINES):
        sentence = f"{type(subject.learner).__name__} is a baseline itself."
        return Finding("baseline", NOT_APPLICABLE, sentence, mistake)
    if len(subject.query_y) < 2:
        return Finding("baseline", NOT_APPLICABLE, "There is one task only.", mistake)
    lost = {name: gain for name, gain in found.items() if not gain.low > 0}
    listed = ", ".join(_relation(name, gain) for name, gain in (lost or found).items())
    sentence, verdict = f"{_own(subject)}: {listed}.", FAILED if lost else PASSED
    if lost and _untrained(subject):
        verdict, sentence = UNTRAINED, f"{sentence} {NO_STEP}"
    elif lost and subject.reach.weights and not subject.reach.optimizers:
        sentence += " Whether it was trained cannot be seen: if not, this is no mistake."
    return Finding("baseline", verdict, sentence, mistake)


def _untrained(subject: Subject) -> bool:
    """Whether there are weights to train, and optimisers of Keras that have all taken no step."""
    optimizers: list[Any] = subject.reach.optimizers
    trains = bool(subject.trains_by_optimizer and subject.reach.weights and optimizers)
    return trains and all(int(optimizer.iterations.numpy()) == 0 for optimizer in optimizers)


@cache
def _nearest_neighbour() -> NearestNeighbor:
    """The same one every time, so that it is traced once."""
    return NearestNeighbor()


def _relation(name: str, gain: Score) -> str:
    """A learner and a baseline in words, without signs: `gain` is positive where the learner is better."""
    size = Score(-gain.values if gain.mean < 0 else gain.values, gain.measure)
    if gain.high < 0:
        return f"behind {name} by {size}"
    if gain.low > 0:
        return f"ahead of {name} by {size}"
    where, how = ("behind", "worse") if gain.mean < 0 else ("ahead of", "better")
    return f"not clearly {where} {name} ({size} {how})"


def _own(subject: Subject) -> str:
    own = subject.score(subject.predictions)
    return f"{own.measure.capitalize()} {own}"
