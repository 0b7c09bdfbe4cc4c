"""Exercises of chapter 5: what a program really does, two outer loops from scratch, and tests for what went wrong."""

from metalearn_course.exercises.chapters.code import (
    axis,
    batch_norm,
    before_after,
    best_epoch,
    maml,
    own_learner,
    program,
    reptile,
)
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "05_code",
    "Exercises 5 · Code",
    "To [chapter 5](../notebooks/05_code.ipynb): read a program, write the outer loops of Reptile and MAML, and write "
    "the tests that would have caught the mistakes of four published tutorials.",
    [program, reptile, maml, axis, before_after, best_epoch, batch_norm, own_learner],
)
