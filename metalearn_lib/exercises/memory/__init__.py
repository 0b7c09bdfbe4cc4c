"""Exercises of chapter 9: reading by similarity, the best estimate from a context, attention as a gradient step."""

from metalearn_lib.exercises import Chapter
from metalearn_lib.exercises.memory.attention import q5, q6
from metalearn_lib.exercises.memory.estimates import q3, q4
from metalearn_lib.exercises.memory.peeking import q7
from metalearn_lib.exercises.memory.recall import q1, q2

chapter = Chapter(
    "09_memory",
    "Exercises 9 · Memory and in-context learning",
    "To [chapter 9](../notebooks/09_memory.ipynb): recall by attention, ridge with the right penalty, layers as steps.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
