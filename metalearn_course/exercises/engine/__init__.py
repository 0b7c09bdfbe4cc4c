"""Exercises that answer in terms of the idea: each knows its solution and the mistakes that are usually made.

A chapter's exercises are one module here (`mathematics`, `concepts`, ...), and everything else follows from it: the
notebook with solutions, the one to fill in, the tests and the table of mistakes in exercises/README.md.
"""

from metalearn_course.exercises.engine.catch import Catch
from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.exercise import Exercise, Mistake
from metalearn_course.exercises.engine.questions import Choice, Order, Value

__all__ = ["Catch", "Chapter", "Choice", "Exercise", "Mistake", "Order", "Value"]
