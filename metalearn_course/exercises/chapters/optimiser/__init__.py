"""Exercises of chapter 11: the gradient of a rate, horizons, and what a learned update sees and has to beat."""

from metalearn_course.exercises.chapters.optimiser import learned_steps, rates, updates
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "11_optimiser",
    "Exercises 11 · Learning the optimiser",
    "To [chapter 11](../notebooks/11_optimiser.ipynb): rates, horizons, and updates that are learned.",
    [rates, updates, learned_steps],
)
