"""Exercises of chapter 5: what a program really does, two outer loops from scratch, and tests for what went wrong."""

from metalearn_course.exercises.chapters.code.axis import q5
from metalearn_course.exercises.chapters.code.batch_norm import q8
from metalearn_course.exercises.chapters.code.before_after import q6
from metalearn_course.exercises.chapters.code.best_epoch import q7
from metalearn_course.exercises.chapters.code.maml import q4
from metalearn_course.exercises.chapters.code.program import q1, q2
from metalearn_course.exercises.chapters.code.reptile import q3
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "05_code",
    "Exercises 5 · Code",
    "To [chapter 5](../notebooks/05_code.ipynb): read a program, write the outer loops of Reptile and MAML, and write "
    "the tests that would have caught the mistakes of four published tutorials.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7, "q8": q8},
)
