"""Exercises of chapter 7: which start a learner looks for, gradients through the inner loop, and where it happens."""

from metalearn_course.exercises.chapters.initialisation import gradients, implicit, layers, learned_rates, start
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "07_initialisation",
    "Exercises 7 · Learning an initialisation",
    "To [chapter 7](../notebooks/07_initialisation.ipynb): from the start that MAML looks for to the layer that moves.",
    [start, gradients, implicit, layers, learned_rates],
)
