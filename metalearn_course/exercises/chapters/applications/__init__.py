"""Exercises of chapter 6: what adapting can gain, whom to test on, and what a support set has to show."""

from metalearn_course.exercises.chapters.applications.claims import q1, q2, q3
from metalearn_course.exercises.chapters.applications.identification import q6
from metalearn_course.exercises.chapters.applications.roll_out import q7, q8
from metalearn_course.exercises.chapters.applications.shrinkage import q4
from metalearn_course.exercises.chapters.applications.split import q5
from metalearn_course.exercises.engine import Chapter

chapter = Chapter(
    "06_applications",
    "Exercises 6 · Applications",
    "To [chapter 6](../notebooks/06_applications.ipynb): what adapting to a patient, a user or a road can gain, whom "
    "to test it on, and what a support set has to show.",
    {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7, "q8": q8},
)
