"""Exercises of chapter 9: reading by similarity, the best estimate from a context, attention as a gradient step."""

from metalearn_course.exercises.chapters.memory import attention, estimates, peeking, recall, trained_reader
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "09_memory",
    "Exercises 9 · Memory and in-context learning",
    "To [chapter 9](../notebooks/09_memory.ipynb): recall by attention, ridge with the right penalty, layers as steps.",
    [recall, estimates, attention, peeking, trained_reader],
)
