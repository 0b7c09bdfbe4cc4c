"""All chapters that have exercises."""

from metalearn_lib.exercises import background, concepts, mathematics

CHAPTERS = (background.chapter, concepts.chapter, mathematics.chapter)
