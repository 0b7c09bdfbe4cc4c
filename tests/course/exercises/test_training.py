"""Exercises that train: what the copies of tasks give away, how trainings are measured, and what is said.

The learners here are formulas that take no time. The family: y = w x with a slope w of each task, three examples.
"""

from collections.abc import Callable

import numpy as np
import pytest

from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.probes import (
    COPIES,
    FOR_CLASSES,
    FOR_VALUES,
    LABELS_UNUSED,
    SUPPORT_UNUSED,
    SURVIVING,
    TRANSDUCTION,
    shown_by,
    with_copies,
)
from metalearn_course.exercises.engine.training import TRAININGS
from metalearn_course.exercises.grading.outside import sent
from metalearn_course.exercises.grading.worker import _received

Task = dict[str, np.ndarray]


def lines(rng: np.random.Generator) -> tuple:
    slope = rng.normal(size=(40, 1, 1))
    x = rng.normal(size=(40, 8, 1))
    return ({"support_x": x[:, :3], "support_y": slope * x[:, :3], "query_x": x[:, 3:]},), slope * x[:, 3:]


def classes(rng: np.random.Generator) -> tuple[Task, np.ndarray]:
    """Three classes far apart, two examples of each, in an order that differs from task to task."""
    centres = 30 * rng.normal(size=(30, 3, 2))
    labels, asked = (np.stack([rng.permutation(np.repeat(np.arange(3), 2)) for _ in range(30)]) for _ in range(2))
    x, query_x = (
        np.take_along_axis(centres, y[..., None], axis=1) + rng.normal(size=(30, 6, 2)) for y in (labels, asked)
    )
    return {"support_x": x, "support_y": labels, "query_x": query_x}, asked


def exercise(**options: object) -> Training:
    made = Training("Title", "Prompt.", draw=lines, bar=0.01, hints=("a", "b"), probes=FOR_VALUES, **options)

    @made.reference("Least squares.")
    def fitted(new, seed):
        """Predictions [T, Q, 1]."""
        return slopes(new)[:, None, None] * new["query_x"] + 1e-9 * seed

    @made.mistake("The slope is taken twice.", shows=lambda case, got: made.score_of(case, got).mean > 0.5)
    def doubled(new, seed):
        return 2 * fitted(new, seed)

    return made


def slopes(task: Task) -> np.ndarray:
    x, y = task["support_x"][..., 0], task["support_y"][..., 0]
    return (x * y).sum(axis=1) / (x * x).sum(axis=1)


def nothing_learned(new: Task, seed: int) -> np.ndarray:
    return new["query_x"] * (1 + seed)


def of_the_task_before(new: Task, seed: int) -> np.ndarray:
    return (slopes(new) + 0.1 * np.roll(slopes(new), 1))[:, None, None] * new["query_x"] + 1e-9 * seed


def centred(new: Task, seed: int) -> np.ndarray:
    found = slopes(new)[:, None, None] * new["query_x"]
    return found - 0.1 * found.mean(axis=1, keepdims=True) + 1e-9 * seed


def random_numbers(new: Task, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=new["query_x"].shape)


@pytest.mark.parametrize(
    ("learner", "name"),
    [
        (nothing_learned, SUPPORT_UNUSED.name),
        (of_the_task_before, SURVIVING.name),
        (random_numbers, SURVIVING.name),
        (centred, TRANSDUCTION.name),
        (lambda new, seed: 2 * slopes(new)[:, None, None] * new["query_x"] + 1e-9 * seed, "doubled"),
    ],
    ids=["support unused", "something survives", "random", "transduction", "its own mistake"],
)
def test_a_wrong_learner_is_told_what_was_seen(learner: Callable, name: str) -> None:
    verdict = exercise().check(learner)
    assert (verdict.kind, verdict.mistake) == ("wrong", name), verdict


def test_what_is_right_passes_with_its_number() -> None:
    made = exercise()
    verdict = made.check(made.answer)
    assert verdict.kind == "pass" and made.passed
    assert f"On {TRAININGS} trainings x 40 hidden tasks: mean squared error" in verdict.text
    assert "wanted: below 0.01" in verdict.text and "Least squares." in verdict.text


def test_a_formula_needs_no_seed_and_counts_once() -> None:
    """Three equal results are one: an interval over trainings would be that of one training three times."""
    verdict = exercise().check(lambda new, seed: slopes(new)[:, None, None] * new["query_x"])
    assert verdict.kind == "pass" and "this counts as one training" in verdict.text
    assert "On 40 hidden tasks" in verdict.text


def test_what_is_right_and_short_of_the_bar_gets_its_number_only() -> None:
    noisy = exercise().check(lambda new, seed: (slopes(new) * 1.3)[:, None, None] * new["query_x"] + 1e-9 * seed)
    assert noisy.kind == "wrong" and not noisy.mistake and noisy.text.startswith("Not yet. On ")


def test_the_whole_interval_has_to_reach_the_bar() -> None:
    """A training in which one seed of three fails has a mean below a bar of 0.2, and an interval that is not."""

    def unlucky(new: Task, seed: int) -> np.ndarray:
        made.calls += 1
        return slopes(new)[:, None, None] * new["query_x"] * (1.7 if made.calls == 2 else 1) + 1e-9 * seed

    made = exercise()
    made.calls, made.bar, made.mistakes = 0, 0.4, []
    verdict = made.check(unlucky)
    assert verdict.kind == "wrong" and verdict.text.startswith("Not yet."), verdict


@pytest.mark.parametrize(
    ("learner", "sentence"),
    [
        (lambda new, seed: new.get("nothing"), "is a `return` missing?"),
        (lambda new, seed: new["query_x"] * np.nan, "There is a NaN"),
        (lambda new, seed: new["query_x"][:, :2], "The result has the shape"),
        (lambda new, seed: new["support_z"], "It raised KeyError"),
        (lambda new: new, "It has to take the arguments `(new, seed)`"),
        (lambda new, seed: "text", "Not every entry of the result is a number"),
    ],
)
def test_what_cannot_be_measured_gets_one_sentence(learner: Callable, sentence: str) -> None:
    verdict = exercise().check(learner)
    assert verdict.kind == "wrong" and sentence in verdict.text, verdict


def test_the_tasks_are_the_same_for_all_trainings_and_differ_with_the_seed() -> None:
    cases = exercise().cases(5)
    assert len(cases) == TRAININGS and len({case[-1] for case in cases}) == TRAININGS
    assert all(case[0] is cases[0][0] for case in cases)
    other = exercise().cases(6)[0][0]
    assert not np.array_equal(cases[0][0]["query_x"], other["query_x"])
    assert len(other["query_x"]) == 40 + COPIES * len(FOR_VALUES)


def nearest_mean(task: Task) -> np.ndarray:
    one_hot = np.eye(3)[task["support_y"]]
    centres = np.einsum("tsc,tsd->tcd", one_hot, task["support_x"]) / one_hot.sum(axis=1)[..., None]
    return -((task["query_x"][:, :, None] - centres[:, None]) ** 2).sum(axis=-1)


def by_place(task: Task) -> np.ndarray:
    return nearest_mean({**task, "support_y": np.tile(np.repeat(np.arange(3), 2), (len(task["support_x"]), 1))})


def test_classes_that_go_by_place_do_not_follow_their_names() -> None:
    task, labels = classes(np.random.default_rng(0))
    copies = with_copies(task, FOR_CLASSES)
    right = nearest_mean(copies)
    assert (right[: len(labels)].argmax(axis=-1) == labels).mean() > 0.97
    assert shown_by(right, FOR_CLASSES) is None
    assert shown_by(by_place(copies), FOR_CLASSES) is LABELS_UNUSED


def test_a_task_reaches_the_process_that_grades_as_it_was() -> None:
    task, _ = classes(np.random.default_rng(1))
    received = _received(sent(task))
    assert received.keys() == task.keys()
    for key, array in task.items():
        assert received[key].dtype == array.dtype
        np.testing.assert_array_equal(received[key], array)
