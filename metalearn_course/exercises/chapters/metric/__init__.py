"""Exercises of chapter 8: distances and cosines, attention, prototypes as a linear layer, ways, and a hidden order."""

from metalearn_course.exercises.chapters.metric import order, own_prototypes, prototypes, rules, ways
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "08_metric",
    "Exercises 8 · Learning a metric",
    "To [chapter 8](../notebooks/08_metric.ipynb): from two ways to be near to a test that finds a hidden order.",
    [rules, prototypes, ways, order, own_prototypes],
)
