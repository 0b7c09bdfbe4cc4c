"""Exercises of chapter 11: the gradient of a rate, horizons, and what a learned update sees and has to beat."""

from metalearn_lib.exercises import Chapter
from metalearn_lib.exercises.optimiser.rates import q1, q2, q3
from metalearn_lib.exercises.optimiser.updates import q4, q5, q6

chapter = Chapter(
    "11_optimiser",
    "Exercises 11 · Learning the optimiser",
    "To [chapter 11](../notebooks/11_optimiser.ipynb): rates, horizons, and updates that are learned.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6},
)
