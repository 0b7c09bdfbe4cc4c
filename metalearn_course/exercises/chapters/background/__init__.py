"""Exercises of chapter 1: what a learner gains, against whom, where from, and figures that lie about it."""

from metalearn_course.exercises.chapters.background import baselines, curves, figures, first_training
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "01_background",
    "Exercises 1 · Background",
    "To [chapter 1](../notebooks/01_background.ipynb): what a learner gains, against whom, and figures that lie.",
    [baselines, curves, figures, first_training],
)
