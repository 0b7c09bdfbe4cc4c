"""Exercises of chapter 13: reading an audit, and writing the measurements it is made of."""

from metalearn_course.exercises.chapters.museum.distance import q5
from metalearn_course.exercises.chapters.museum.labels import q2
from metalearn_course.exercises.chapters.museum.number import q3
from metalearn_course.exercises.chapters.museum.reading import q1
from metalearn_course.exercises.chapters.museum.transduction import q4
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "13_museum",
    "Exercises 13 · The museum of mistakes",
    "To [chapter 13](../notebooks/13_museum.ipynb): from reading an audit to the measurements that it is made of.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5},
)
