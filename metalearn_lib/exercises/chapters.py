"""All chapters that have exercises."""

from metalearn_lib.exercises import (
    acting,
    applications,
    background,
    code,
    concepts,
    initialisation,
    mathematics,
    memory,
    metric,
    museum,
    optimiser,
    three_steps,
    uncertainty,
)

CHAPTERS = (
    background.chapter,
    concepts.chapter,
    three_steps.chapter,
    mathematics.chapter,
    code.chapter,
    applications.chapter,
    initialisation.chapter,
    metric.chapter,
    memory.chapter,
    uncertainty.chapter,
    optimiser.chapter,
    acting.chapter,
    museum.chapter,
)
