"""Label permutation: what a learner does when the labels of the support set change."""

import numpy as np

from metalearn_lib.auditing.report import DECLARED, FAILED, NOT_APPLICABLE, PASSED, Finding
from metalearn_lib.auditing.subject import Subject, surely_positive
from metalearn_lib.evaluation.score import Score

MISTAKE = "answers that do not come from the support set (no adaptation, or classes that were memorised)"


def label_permutation(subject: Subject) -> Finding:
    """New names for the classes must change only the names; with random labels, accuracy must fall to chance."""
    verdict, sentence = _judge(subject)
    return Finding("label permutation", verdict, sentence, MISTAKE)


def chance(support_y: np.ndarray, query_y: np.ndarray) -> Score:
    """The accuracy of the commonest label of each support set, [T]; of equally common ones, their mean."""
    labels = np.arange(max(support_y.max(), query_y.max()) + 1)
    counts, shares = ((y[..., None] == labels).mean(axis=1) for y in (support_y, query_y))
    commonest = counts == counts.max(axis=1, keepdims=True)
    return Score((commonest * shares).sum(axis=1) / commonest.sum(axis=1), "accuracy")


def _judge(subject: Subject) -> tuple[str, str]:
    if len(subject.query_y) < 2:
        return NOT_APPLICABLE, "There is one task only."
    rng = np.random.default_rng(0)
    others = _by_chance(subject, rng)
    if not subject.change(others):
        if getattr(subject.learner, "inner_steps", None) == 0:
            return DECLARED, "Support labels change no prediction. The learner says so: inner_steps=0."
        examples = np.roll(subject.task["support_x"], 1, axis=0)
        uses_examples = subject.change(subject.predict(support_x=examples))
        unused = "ignores the labels of its support set" if uses_examples else "does not use its support set"
        return FAILED, f"Other support labels change no prediction: the learner {unused}."
    own, without = subject.score(subject.predictions), subject.score(others)
    if not subject.comparable and not surely_positive(subject.gain(own, without)):
        return NOT_APPLICABLE, "Predictions of the same tasks differ from call to call, whatever the labels."
    if not subject.labels:
        return PASSED, f"Error {own} with its own support targets, {without} with those of another task."
    level = chance(subject.task["support_y"], subject.query_y)
    if surely_positive(without - level):
        return (
            FAILED,
            f"With support labels by chance the accuracy is {without}, where chance is {100 * level.mean:.0f} %.",
        )
    names, renamed_y = _renamed(subject, rng)
    renamed = subject.score(names, renamed_y)
    if surely_positive(own - renamed):
        return FAILED, f"With new names for the classes the accuracy is {renamed}, before it was {own}."
    return PASSED, f"Accuracy {own}; with new names for the classes {renamed}, with support labels by chance {without}."


def _by_chance(subject: Subject, rng: np.random.Generator) -> np.ndarray:
    """Predictions from labels that do not follow from the inputs; from the targets of another task for values."""
    support_y = subject.task["support_y"]
    changed = rng.permuted(support_y, axis=1) if subject.labels else np.roll(support_y, 1, axis=0)
    return subject.predict(support_y=changed)


def _renamed(subject: Subject, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets [T, Q] after the classes of every task got new labels."""
    tasks = len(subject.query_y)
    names = rng.permuted(np.tile(np.arange(subject.classes), (tasks, 1)), axis=1)
    support_y = np.take_along_axis(names, subject.task["support_y"].astype(int), 1)
    predictions = subject.predict(support_y=support_y.astype(subject.task["support_y"].dtype))
    return predictions, np.take_along_axis(names, subject.query_y.astype(int), 1)
