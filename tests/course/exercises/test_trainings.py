"""Every exercise that trains: its solution, the wrong learners it knows, and other right ones, all of them trained.

That takes minutes: `make exercises` runs it. The notebooks with solutions, which `test_notebooks` runs, train once.
"""

import pytest

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Mistake, Training, running, training

TRAININGS = {
    f"{c.name}-{name}": exercise
    for c in all_chapters()
    for name, exercise in c.exercises.items()
    if isinstance(exercise, Training)
}
TRAINED = {name: exercise for name, exercise in TRAININGS.items() if exercise.trained}


def pairs(attribute: str) -> list:
    """Every exercise with each of its "mistakes" or "right_answers"."""
    return [
        pytest.param(exercise, item, id=f"{name}-{getattr(item, '__name__', None) or item.name}")
        for name, exercise in TRAINED.items()
        for item in getattr(exercise, attribute)
    ]


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine must not decide whether an answer is right."""
    monkeypatch.setattr(running, "SLOWER", 10.0)


def test_there_are_thirty_and_every_chapter_has_one() -> None:
    assert len(TRAININGS) >= 30
    assert {name.partition("-")[0] for name in TRAININGS} == {chapter.name for chapter in all_chapters()}


def test_every_page_of_chapter_6_has_one() -> None:
    prompts = " ".join(exercise.title for name, exercise in TRAININGS.items() if name.startswith("06"))
    assert all(f"(page 6{letter})" in prompts for letter in "abcdef")


@pytest.mark.trains
@pytest.mark.parametrize("exercise", TRAINED.values(), ids=TRAINED)
def test_the_solution_passes(exercise: Training) -> None:
    verdict = exercise.check(exercise.answer)
    assert verdict.kind == "pass" and f"{training.TRAININGS} trainings x" in verdict.text, verdict


@pytest.mark.trains
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("exercise", TRAINED.values(), ids=TRAINED)
def test_it_passes_on_hidden_tasks(exercise: Training, seed: int) -> None:
    cases = exercise.cases(seed)
    verdict = exercise.judge(cases, running.run(exercise.answer, cases, exercise.seconds))
    assert verdict.kind == "pass", verdict


@pytest.mark.trains
@pytest.mark.parametrize(("exercise", "answer"), pairs("right_answers"))
def test_another_right_learner_passes(exercise: Training, answer: object) -> None:
    verdict = exercise.check(answer)
    assert verdict.kind == "pass", verdict


@pytest.mark.trains
@pytest.mark.parametrize(("exercise", "mistake"), pairs("mistakes"))
def test_a_wrong_learner_is_told_what_was_seen(
    exercise: Training, mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "TRAININGS", 1)
    verdict = exercise.check(mistake.answer)
    assert (verdict.kind, verdict.mistake) == ("wrong", mistake.name), verdict
    assert verdict.text.startswith(mistake.feedback)
