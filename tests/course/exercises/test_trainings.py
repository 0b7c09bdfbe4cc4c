"""Every exercise that trains: its solution, the wrong learners it knows, and other right ones, all of them trained.

That takes minutes: `make exercises` runs it. The notebooks with solutions, which `test_notebooks` runs, train once.
"""

from collections.abc import Callable

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.chapters.acting.own_players import played
from metalearn_course.exercises.engine import Mistake, Training, running, training
from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import plain

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
    for exercise in TRAININGS.values():
        monkeypatch.setattr(exercise, "seconds", 1200.0)


def test_there_are_thirty_and_every_chapter_has_one() -> None:
    assert len(TRAININGS) >= 30
    assert {name.partition("-")[0] for name in TRAININGS} == {chapter.name for chapter in all_chapters()}


def test_every_page_of_chapter_6_has_one() -> None:
    prompts = " ".join(exercise.title for name, exercise in TRAININGS.items() if name.startswith("06"))
    assert all(f"(page 6{letter})" in prompts for letter in "abcdef")


def mean_sinusoid(new: dict[str, np.ndarray], *_: object) -> np.ndarray:
    """The mean of A sin(x − φ) over A in 0.1..5 and φ in 0..π is −(2/π) · 2.55 cos x."""
    return -2 / np.pi * 2.55 * np.cos(new["query_x"])


def nearest_example(new: dict[str, np.ndarray], *_: object) -> np.ndarray:
    return ml.NearestNeighbor().predict(new, verbose=0)


def best_common_rate(steps: int) -> Callable:
    """Gradient descent from zero, with the rate that is best on the hidden tasks themselves."""

    def descend(new: dict[str, np.ndarray], rate: float) -> np.ndarray:
        x, y = (new[key].astype(float) for key in ("support_x", "support_y"))
        weights = np.zeros((len(x), x.shape[2], 1))
        for _ in range(steps):
            weights = weights - rate * 2 * x.transpose(0, 2, 1) @ (x @ weights - y) / x.shape[1]
        return new["query_x"] @ weights

    return lambda case, exercise: min(
        exercise.score_of(case, descend(case[0], rate)).mean for rate in np.geomspace(0.01, 0.3, 25)
    )


def best_of_one_step(new: dict[str, np.ndarray], *arguments: object) -> np.ndarray:
    return TRAININGS["09_memory-learned_step"].mistakes[0].answer(new, *arguments)


def posterior_mean(rewards: np.ndarray, *_: object) -> np.ndarray:
    return played(rewards, lambda wins, losses: (wins + 1) / (wins + losses + 2))


def at_random(rewards: np.ndarray, *_: object) -> np.ndarray:
    return np.random.default_rng(0).integers(5, size=rewards.shape[:2])


def any_entry(old_x: np.ndarray, old_y: np.ndarray, new_x: np.ndarray, new_y: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).integers(len(old_x), size=len(new_x))


def standard_normal(new: dict[str, np.ndarray], *_: object) -> np.ndarray:
    return np.concatenate([np.zeros_like(new["query_x"]), np.ones_like(new["query_x"])], axis=-1)


# The numbers of simple rivals that prompts tell: the words before them, what gives them, and the number.
TOLD = [
    ("01_background-meta_trained", "The mean curve of all tasks has about 3", mean_sinusoid, 3.0),
    ("02_concepts-not_by_heart", "the nearest example has about 57 %", nearest_example, 0.57),
    ("02_concepts-fine_tuned", "the mean curve has about 3", mean_sinusoid, 3.0),
    ("03_three_steps-better_recall", "An entry at random has about 7", any_entry, 7.0),
    ("05_code-mended_program", "The nearest example has about 92 %", nearest_example, 0.92),
    ("07_initialisation-head_only", "The nearest example in pixels has about 38 %", nearest_example, 0.38),
    ("08_metric-own_prototypes", "The nearest example in pixels has about 38 %", nearest_example, 0.38),
    ("09_memory-learned_step", "the best *single* rate has about 2.9", best_of_one_step, 2.9),
    ("10_uncertainty-own_process", 'says "0, with a standard deviation of 1" has about −1.42', standard_normal, -1.42),
    ("12_acting-tuned_optimist", "the posterior mean alone (k = 0) has about 3.6", posterior_mean, 3.6),
    ("12_acting-tuned_optimist", "pulling at random about 10", at_random, 10.0),
]


@pytest.mark.parametrize(("name", "words", "rival", "told"), TOLD)
def test_what_a_prompt_tells_of_a_rival_is_measured(name: str, words: str, rival: Callable, told: float) -> None:
    exercise = TRAININGS[name]
    assert words in " ".join(exercise.prompt.split())
    cases = [exercise.cases(seed)[0] for seed in range(1, 5)]
    found = np.mean([exercise.score_of(case, np.asarray(rival(*case))).mean for case in cases])
    assert found == pytest.approx(told, rel=0.08)


@pytest.mark.parametrize(
    ("name", "words", "steps", "told"),
    [
        ("11_optimiser-learned_rates", "The best common rate leaves about 1.2", 5, 1.2),
        ("11_optimiser-own_update", "Gradient descent with its best rate has about 0.5", 10, 0.5),
    ],
)
def test_so_is_the_best_rate(name: str, words: str, steps: int, told: float) -> None:
    exercise = TRAININGS[name]
    assert words in " ".join(exercise.prompt.split())
    found = [best_common_rate(steps)(exercise.cases(seed)[0], exercise) for seed in range(1, 5)]
    assert np.mean(found) == pytest.approx(told, rel=0.1)


@pytest.mark.parametrize("name", sorted({name for name, *_ in TOLD if not name.startswith("12")}))
def test_no_simple_rival_reaches_the_bar(name: str) -> None:
    """Else nothing would have to be learned."""
    for _, _, rival, _ in (entry for entry in TOLD if entry[0] == name):
        for seed in range(1, 5):
            case = TRAININGS[name].cases(seed)[0]
            cases, outcomes = [case], [Outcome(plain(np.asarray(rival(*case))))]
            assert TRAININGS[name].judge(cases, outcomes).kind == "wrong"


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
