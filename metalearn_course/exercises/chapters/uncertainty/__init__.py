"""Exercises of chapter 10: what a predicted distribution is worth, whether it is honest, and what to ask next."""

from metalearn_course.exercises.chapters.uncertainty.asking import q5, q6
from metalearn_course.exercises.chapters.uncertainty.distributions import q1, q2, q3, q4
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "10_uncertainty",
    "Exercises 10 · Knowing what you don't know",
    "To [chapter 10](../notebooks/10_uncertainty.ipynb): likelihood, calibration, and the next point to label.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6},
)
