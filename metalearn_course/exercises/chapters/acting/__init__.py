"""Exercises of chapter 12: regret, what to believe about an arm, and how trials are learned from."""

from metalearn_course.exercises.chapters.acting.bandits import q1, q2, q3
from metalearn_course.exercises.chapters.acting.policies import q4, q5, q6
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "12_acting",
    "Exercises 12 · Learning to act",
    "To [chapter 12](../notebooks/12_acting.ipynb): regret, upper bounds and posteriors, and the policy gradient.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6},
)
