"""Exercises of chapter 3: the order of the steps, what a memory keeps, recalls and gives to start from."""

from metalearn_course.exercises.chapters.three_steps.copies import q4
from metalearn_course.exercises.chapters.three_steps.recall import q1, q2, q5
from metalearn_course.exercises.chapters.three_steps.sequence import q7
from metalearn_course.exercises.chapters.three_steps.transfer import q3, q6
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "03_three_steps",
    "Exercises 3 · The three steps",
    "To [chapter 3](../notebooks/03_three_steps.ipynb): a memory from scratch, and tests for those that are none.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7},
)
