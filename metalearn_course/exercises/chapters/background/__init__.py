"""Exercises of chapter 1: what a learner gains, against whom, where from, and figures that lie about it."""

from metalearn_course.exercises.chapters.background.baselines import q1, q4, q5
from metalearn_course.exercises.chapters.background.curves import q2, q3
from metalearn_course.exercises.chapters.background.figures import q6, q7
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "01_background",
    "Exercises 1 · Background",
    "To [chapter 1](../notebooks/01_background.ipynb): what a learner gains, against whom, and figures that lie.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
