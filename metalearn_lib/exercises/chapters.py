"""All chapters that have exercises."""

from metalearn_lib.exercises import concepts, mathematics

CHAPTERS = (concepts.chapter, mathematics.chapter)
