"""Exercises of chapter 6: what adapting can gain, whom to test on, and what a support set has to show."""

from metalearn_course.exercises.chapters.applications import (
    adapted_vehicle,
    claims,
    five_names,
    identification,
    learned_priors,
    people,
    roll_out,
    shrinkage,
    split,
)
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "06_applications",
    "Exercises 6 · Applications",
    "To [chapter 6](../notebooks/06_applications.ipynb): what adapting to a patient, a user or a road can gain, whom "
    "to test it on, and what a support set has to show.",
    [claims, shrinkage, split, identification, roll_out, adapted_vehicle, people, five_names, learned_priors],
)
