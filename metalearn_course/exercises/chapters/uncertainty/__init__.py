"""Exercises of chapter 10: what a predicted distribution is worth, whether it is honest, and what to ask next."""

from metalearn_course.exercises.chapters.uncertainty import asking, distributions, own_process, repair
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "10_uncertainty",
    "Exercises 10 · Knowing what you don't know",
    "To [chapter 10](../notebooks/10_uncertainty.ipynb): likelihood, calibration, and the next point to label.",
    [distributions, repair, asking, own_process],
)
