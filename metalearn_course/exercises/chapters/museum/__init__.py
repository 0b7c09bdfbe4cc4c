"""Exercises of chapter 13: reading an audit, and writing the measurements it is made of."""

from metalearn_course.exercises.chapters.museum import distance, labels, number, reading, repaired, transduction
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "13_museum",
    "Exercises 13 · The museum of mistakes",
    "To [chapter 13](../notebooks/13_museum.ipynb): from reading an audit to the measurements that it is made of.",
    [reading, labels, number, transduction, distance, repaired],
)
