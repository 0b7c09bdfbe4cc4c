"""All chapters that have exercises."""

from metalearn_lib.exercises import (
    code,
    concepts,
    mathematics,
)

CHAPTERS = (
    concepts.chapter,
    mathematics.chapter,
    code.chapter,
)
