"""Exercises of chapter 2: support and query, episodes without leakage, prototypes, and honest intervals."""

from metalearn_lib.exercises import Chapter
from metalearn_lib.exercises.concepts.episodes import q1, q2, q3
from metalearn_lib.exercises.concepts.leakage import q7
from metalearn_lib.exercises.concepts.scores import q5, q6
from metalearn_lib.exercises.concepts.similarity import q4

chapter = Chapter(
    "02_concepts",
    "Exercises 2 · Concepts",
    "To [chapter 2](../notebooks/02_concepts.ipynb): from what a query is for to an interval that one can believe.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
