"""Exercises of chapter 8: distances and cosines, attention, prototypes as a linear layer, ways, and a hidden order."""

from metalearn_course.exercises.chapters.metric.order import q7
from metalearn_course.exercises.chapters.metric.prototypes import q3, q4
from metalearn_course.exercises.chapters.metric.rules import q1, q2
from metalearn_course.exercises.chapters.metric.ways import q5, q6
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "08_metric",
    "Exercises 8 · Learning a metric",
    "To [chapter 8](../notebooks/08_metric.ipynb): from two ways to be near to a test that finds a hidden order.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
