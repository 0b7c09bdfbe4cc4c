"""Exercises of chapter 3: the order of the steps, what a memory keeps, recalls and gives to start from."""

from metalearn_course.exercises.chapters.three_steps import better_recall, copies, recall, sequence, transfer
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "03_three_steps",
    "Exercises 3 · The three steps",
    "To [chapter 3](../notebooks/03_three_steps.ipynb): a memory from scratch, and tests for those that are none.",
    [recall, transfer, copies, sequence, better_recall],
)
