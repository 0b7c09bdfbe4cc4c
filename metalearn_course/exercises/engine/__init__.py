"""The engine of the exercises: each knows its solution and the usual mistakes, with feedback on each.

A chapter declares its exercises in a package of `metalearn_course.exercises.chapters`. Everything else follows from
that: the notebook with solutions, the one to fill in, the tests, and the table in docs/mistakes.md.
"""

from metalearn_course.exercises.engine.catch import Catch
from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.exercise import Exercise, Mistake
from metalearn_course.exercises.engine.function import Function
from metalearn_course.exercises.engine.questions import Choice, Order, Value
from metalearn_course.exercises.engine.training import Training

__all__ = ["Catch", "Chapter", "Choice", "Exercise", "Function", "Mistake", "Order", "Training", "Value"]
