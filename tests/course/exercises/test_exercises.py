"""Every exercise: the blank, the solution, the mistakes it knows, and right answers that are written differently."""

from collections.abc import Callable

import pytest

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Catch, Exercise, Function, Mistake, Training, Value, running
from metalearn_course.exercises.engine.exercise import BLANK
from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import plain, same

EXERCISES = {f"{c.name}-{name}": exercise for c in all_chapters() for name, exercise in c.exercises.items()}
# Learners that take seconds to train have a file of their own: test_trainings.
QUICK = {name: e for name, e in EXERCISES.items() if not (isinstance(e, Training) and e.trained)}
FUNCTIONS = {name: exercise for name, exercise in QUICK.items() if isinstance(exercise, Function)}
EACH = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine must not decide whether an answer is right."""
    monkeypatch.setattr(running, "SECONDS", 60.0)


def solution(exercise: Exercise) -> object:
    return exercise.written if isinstance(exercise, Value) else exercise.answer


def pairs(exercises: dict[str, Exercise], attribute: str) -> list:
    """Every exercise with each of its "mistakes" or "right_answers"."""
    return [
        pytest.param(exercise, item, id=f"{name}-{getattr(item, '__name__', None) or getattr(item, 'name', number)}")
        for name, exercise in exercises.items()
        for number, item in enumerate(getattr(exercise, attribute))
    ]


@EACH
def test_a_blank_is_not_filled_in_yet(exercise: Exercise) -> None:
    def raises(*arguments: object) -> None:
        raise NotImplementedError

    def empty(*arguments: object) -> None:
        """Only a docstring."""

    blanks = [None, ..., ""] if isinstance(exercise, Value) else [None, ..., raises, empty]
    assert exercise.check() == BLANK
    assert {exercise.check(blank) for blank in blanks} == {BLANK}
    assert not exercise.passed


@pytest.mark.parametrize("exercise", QUICK.values(), ids=QUICK)
def test_the_solution_passes(exercise: Exercise) -> None:
    verdict = exercise.check(solution(exercise))
    assert verdict.kind == "pass", verdict
    assert exercise.passed and exercise.why in verdict.text


@pytest.mark.parametrize(("exercise", "mistake"), pairs(QUICK, "mistakes"))
def test_a_mistake_is_told_from_the_solution_and_from_every_other(exercise: Exercise, mistake: Mistake) -> None:
    verdict = exercise.check(mistake.answer)
    assert (verdict.kind, verdict.mistake) == ("wrong", mistake.name), verdict
    assert verdict.text.startswith(mistake.feedback)
    assert not exercise.passed


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("exercise", "mistake"), pairs(FUNCTIONS, "mistakes"))
def test_a_mistake_is_recognised_on_hidden_cases(exercise: Function, mistake: Mistake, seed: int) -> None:
    cases = exercise.cases(seed)
    verdict = exercise.judge(cases, [Outcome(plain(mistake.answer(*case))) for case in cases])
    assert verdict.mistake == mistake.name, verdict


@pytest.mark.parametrize(("exercise", "answer"), pairs(QUICK, "right_answers"))
def test_a_right_answer_that_is_written_differently_passes(exercise: Exercise, answer: object) -> None:
    verdict = exercise.check(answer)
    assert verdict.kind == "pass", verdict


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("exercise", "answer"), pairs(FUNCTIONS, "right_answers"))
def test_it_passes_on_hidden_cases(exercise: Function, answer: Callable, seed: int) -> None:
    """The solution is compared with another way to write it: a mistake in either of them shows."""
    cases = exercise.cases(seed)
    verdict = exercise.judge(cases, [Outcome(plain(answer(*case))) for case in cases])
    assert verdict.kind == "pass", verdict


def test_a_verdict_asks_the_solution_once_per_case() -> None:
    calls = []
    exercise = Function("Title", "Prompt.", example=(1.0,), draw=lambda rng: (float(rng.normal()),), hints=("a", "b"))

    @exercise.reference("Why.")
    def double(x):
        """Twice x."""
        calls.append(x)
        return 2 * x

    verdict = exercise.check(lambda x: [x])
    assert "The shape is (1,), expected ()" in verdict.text and "expected: `2`" in verdict.text
    assert len(calls) == len(exercise.cases()) == len(set(calls))


@EACH
def test_hints_go_on_and_the_solution_is_shown(exercise: Exercise) -> None:
    exercise.reset()
    shown = [exercise.hint().text for _ in range(len(exercise.hints) + 1)]
    assert shown[0].startswith("Hint 1 of") and exercise.hints[0] in shown[0]
    assert shown[-1] == shown[-2] and exercise.hints[-1] in shown[-1]
    assert exercise.why in exercise.solution().text and exercise.source().strip().splitlines()[0] in str(
        exercise.solution()
    )


def test_reset_forgets_what_was_done() -> None:
    exercise = EXERCISES["04_mathematics-one_update"]
    first = [exercise.reset(), exercise.hint()][1]
    exercise.check(solution(exercise))
    assert exercise.passed and exercise.hint() != first
    exercise.reset()
    assert not exercise.passed and exercise.hint() == first


def test_the_first_lesson_in_numbers() -> None:
    """w = [2, 3, 5], x = [1, 2, 3], z = [4, 5, 6], α = ½, by hand: w·x = 23, w' = w − 11.5 x = [−9.5, −20, −29.5],
    w'·z = −315; first order −315 z; and x·(−315 z) = −10080, so minus ½ of that along x adds 5040 x."""
    exercise = EXERCISES["04_mathematics-meta_gradient"]
    first_order = [-315 * 4, -315 * 5, -315 * 6]
    exact = [a + 5040 * b for a, b in zip(first_order, (1, 2, 3), strict=True)]
    assert exact == [3780, 8505, 13230]
    example = exercise.cases()[0]
    assert same(plain(exercise.answer(*example)), plain(exact), 1e-9)
    (detached,) = [mistake for mistake in exercise.mistakes if mistake.name == "detached"]
    verdict = exercise.check(detached.answer)
    assert "first-order term" in verdict.text
    assert "expected: `[3780, 8505, 13230]`\ngot: `[-1260, -1575, -1890]`" in verdict.text


def test_the_text_is_the_same_every_time() -> None:
    for exercise in QUICK.values():
        mistake = exercise.mistakes[0]
        assert exercise.check(mistake.answer) == exercise.check(mistake.answer)


def test_progress_counts_what_passed() -> None:
    (chapter,) = (chapter for chapter in all_chapters() if chapter.name == "13_museum")
    for exercise in chapter.exercises.values():
        exercise.check()
    assert str(chapter.progress()).startswith(f"· 0 of {len(chapter.exercises)} ")
    for exercise in chapter.exercises.values():
        exercise.check(solution(exercise))
    assert str(chapter.progress()).startswith(f"✔ {len(chapter.exercises)} of {len(chapter.exercises)} ")


def test_the_reference_of_a_test_to_write_agrees_with_what_is_faulty() -> None:
    catches = [exercise for exercise in EXERCISES.values() if isinstance(exercise, Catch)]
    assert catches
    for exercise in catches:
        for implementation in exercise.implementations:
            assert bool(exercise.answer(implementation)) == implementation.faulty, implementation.about
            assert implementation.about and implementation.about not in implementation.source


def test_a_missed_mistake_is_described() -> None:
    exercise = EXERCISES["02_concepts-leaks"]
    (one_episode,) = [mistake for mistake in exercise.mistakes if mistake.name == "one_episode"]
    assert "does not notice this implementation: It leaks in every fifth" in exercise.check(one_episode.answer).text
    assert "finds fault with an implementation that is right: One draw" in exercise.check(lambda sampler: True).text


def test_a_test_that_is_the_wrong_way_round_is_told_so() -> None:
    exercise = EXERCISES["02_concepts-leaks"]
    assert "True and False are exchanged" in exercise.check(lambda sampler: not exercise.answer(sampler)).text
    assert "is a `return False` missing?" in exercise.check(lambda sampler: exercise.answer(sampler) or None).text


@pytest.mark.parametrize(
    "seeded", [EXERCISES["02_concepts-episode"], EXERCISES["06_applications-split"]], ids=["episode", "split"]
)
def test_a_sampler_goes_by_its_seed(seeded: Function) -> None:
    """`np.random.default_rng()` and a fixed seed draw as well as any other, and nobody can repeat or vary it."""
    drawn = iter(range(100))

    def without_a_seed(*arguments: object) -> object:
        return seeded.answer(*arguments[:-1], next(drawn))

    def always_one_seed(*arguments: object) -> object:
        return seeded.answer(*arguments[:-1], 7)

    assert seeded.check(without_a_seed).mistake == "seed_ignored"
    assert seeded.check(always_one_seed).mistake == "seed_unused"
    assert seeded.check(seeded.answer).kind == "pass"
