"""Exercises of chapter 4: the update, the loss after it, and its gradient in first and second order."""

from metalearn_course.exercises.chapters.mathematics import meta_gradient, trained_rate, trained_start, update
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "04_mathematics",
    "Exercises 4 · Mathematics",
    "To [chapter 4](../notebooks/04_mathematics.ipynb): from one update by hand to the gradient of the loss after it.",
    [update, meta_gradient, trained_start, trained_rate],
)
