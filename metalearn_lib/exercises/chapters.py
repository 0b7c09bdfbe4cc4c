"""All chapters that have exercises."""

from metalearn_lib.exercises import (
    background,
    code,
    concepts,
    mathematics,
    optimiser,
    uncertainty,
)

CHAPTERS = (
    background.chapter,
    concepts.chapter,
    mathematics.chapter,
    code.chapter,
    uncertainty.chapter,
    optimiser.chapter,
)
