"""Exercises of chapter 2: support and query, episodes without leakage, prototypes, and honest intervals."""

from metalearn_course.exercises.chapters.concepts.episodes import q1, q2, q3
from metalearn_course.exercises.chapters.concepts.leakage import q7
from metalearn_course.exercises.chapters.concepts.scores import q5, q6
from metalearn_course.exercises.chapters.concepts.similarity import q4
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "02_concepts",
    "Exercises 2 · Concepts",
    "To [chapter 2](../notebooks/02_concepts.ipynb): from what a query is for to an interval that one can trust.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
