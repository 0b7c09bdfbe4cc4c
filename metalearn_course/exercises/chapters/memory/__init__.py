"""Exercises of chapter 9: reading by similarity, the best estimate from a context, attention as a gradient step."""

from metalearn_course.exercises.chapters.memory.attention import q5, q6
from metalearn_course.exercises.chapters.memory.estimates import q3, q4
from metalearn_course.exercises.chapters.memory.peeking import q7
from metalearn_course.exercises.chapters.memory.recall import q1, q2
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "09_memory",
    "Exercises 9 · Memory and in-context learning",
    "To [chapter 9](../notebooks/09_memory.ipynb): recall by attention, ridge with the right penalty, layers as steps.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
