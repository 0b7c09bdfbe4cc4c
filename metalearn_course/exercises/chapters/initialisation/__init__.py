"""Exercises of chapter 7: which start a learner looks for, gradients through the inner loop, and where it happens."""

from metalearn_course.exercises.chapters.initialisation.gradients import q4, q5, q6
from metalearn_course.exercises.chapters.initialisation.layers import q7
from metalearn_course.exercises.chapters.initialisation.start import q1, q2, q3
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "07_initialisation",
    "Exercises 7 · Learning an initialisation",
    "To [chapter 7](../notebooks/07_initialisation.ipynb): from the start that MAML looks for to the layer that moves.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
