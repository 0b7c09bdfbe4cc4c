"""Exercises of chapter 12: regret, what to believe about an arm, and how trials are learned from."""

from metalearn_course.exercises.chapters.acting import bandits, own_players, policies
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "12_acting",
    "Exercises 12 · Learning to act",
    "To [chapter 12](../notebooks/12_acting.ipynb): regret, upper bounds and posteriors, and the policy gradient.",
    [bandits, policies, own_players],
)
