"""Exercises of chapter 11: the gradient of a rate, horizons, and what a learned update sees and has to beat."""

from metalearn_course.exercises.chapters.optimiser.rates import q1, q2, q3
from metalearn_course.exercises.chapters.optimiser.updates import q4, q5, q6
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "11_optimiser",
    "Exercises 11 · Learning the optimiser",
    "To [chapter 11](../notebooks/11_optimiser.ipynb): rates, horizons, and updates that are learned.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6},
)
