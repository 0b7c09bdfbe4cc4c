"""Rules for whoever writes exercises, see docs/authors.md: how many, with what, and nothing to guess by."""

import pytest

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Chapter, Choice, Exercise, Function

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
