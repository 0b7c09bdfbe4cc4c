"""Exercises of chapter 4: the update, the loss after it, and its gradient in first and second order."""

from metalearn_course.exercises.chapters.mathematics.meta_gradient import q4, q5, q6
from metalearn_course.exercises.chapters.mathematics.update import q1, q2, q3
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "04_mathematics",
    "Exercises 4 · Mathematics",
    "To [chapter 4](../notebooks/04_mathematics.ipynb): from one update by hand to the gradient of the loss after it.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6},
)
