"""Rules for whoever writes exercises, see docs/authors.md: how many, with what, and nothing to guess by."""

import inspect

import numpy as np
import pytest

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Catch, Chapter, Choice, Exercise, Function, Training

CHAPTERS = all_chapters()
EXERCISES = {f"{c.name}-{name}": exercise for c in CHAPTERS for name, exercise in c.exercises.items()}
FUNCTIONS = {name: exercise for name, exercise in EXERCISES.items() if isinstance(exercise, Function)}
EACH = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_has_four_exercises_or_more(chapter: Chapter) -> None:
    assert len(chapter.exercises) >= 4


@EACH
def test_three_mistakes_with_feedback_and_two_hints(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 3 and len(exercise.hints) >= 2
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert len({mistake.feedback for mistake in exercise.mistakes}) == len(exercise.mistakes)


@pytest.mark.parametrize("exercise", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_has_a_right_answer_that_is_written_differently(exercise: Function) -> None:
    """Only that tells whether the solution itself is right."""
    assert exercise.right_answers


def test_no_letter_is_the_one_to_guess() -> None:
    letters = [exercise.answer() for exercise in EXERCISES.values() if isinstance(exercise, Choice)]
    assert len(letters) >= 16 and max(letters.count(letter) for letter in "abcde") <= len(letters) / 3


FIXED_BY_CASE = {name: exercise for name, exercise in FUNCTIONS.items() if not isinstance(exercise, Catch | Training)}


@pytest.mark.parametrize("exercise", FIXED_BY_CASE.values(), ids=FIXED_BY_CASE)
def test_no_argument_can_be_left_out(exercise: Function) -> None:
    """Else an answer passes that does not read it: numbers vary, integers come in any order, and some size differs."""
    cases = [case for seed in range(6) for case in exercise.cases(seed)]
    sizes = set()
    for name, values in zip(inspect.signature(exercise.answer).parameters, zip(*cases, strict=True), strict=True):
        arrays = [np.asarray(value) for value in values]
        sizes.update((name, array.shape) for array in arrays)
        if all(array.ndim == 0 for array in arrays):
            assert len({float(array) for array in arrays}) > 1, name
        elif all(array.dtype.kind in "iu" for array in arrays):
            assert not all((np.diff(array.ravel()) >= 0).all() for array in arrays), f"{name} is always sorted"
    assert len(sizes) > len(cases[0]), "the example and the drawn cases have the same sizes"
