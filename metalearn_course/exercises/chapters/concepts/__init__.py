"""Exercises of chapter 2: support and query, episodes without leakage, prototypes, and honest intervals."""

from metalearn_course.exercises.chapters.concepts import episodes, leakage, scores, similarity, two_families
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "02_concepts",
    "Exercises 2 · Concepts",
    "To [chapter 2](../notebooks/02_concepts.ipynb): from what a query is for to an interval that one can trust.",
    [episodes, similarity, scores, leakage, two_families],
)
