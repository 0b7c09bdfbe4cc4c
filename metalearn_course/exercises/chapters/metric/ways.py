"""How accuracy depends on the number of ways, and what a training step with more of them compares."""

import math

import numpy as np
from scipy.special import binom

from metalearn_course.exercises.engine import Function, Value


def _draw(rng: np.random.Generator) -> tuple:
    others = int(rng.integers(12, 20))
    return rng.integers(0, 5, size=8), others, int(rng.integers(3, 7))


expected_accuracy_exercise = Function(
    "All ways from one measurement",
    r"""
    Among all $B + 1$ classes, `ranks` says for each query how many of the $B$ = `others` wrong classes were nearer
    than the right one. An N-way task has the right class and $N - 1$ of the $B$ others, drawn **without replacement**.
    Return the expected accuracy at N = `ways`, the mean over queries.
    """,
    example=(np.array([0, 1, 4]), 4, 3),
    draw=_draw,
    hints=(
        "A query is answered rightly if all N − 1 others come from the B − r farther ones. The first drawn is farther "
        "with probability (B − r)/B; and the second?",
        "C(B − r, N − 1) / C(B, N − 1) for each query; `scipy.special.binom` takes arrays.",
    ),
)


@expected_accuracy_exercise.reference(
    "So a 5-way and a 20-way accuracy are two readings of one curve. With two ways it is the mean share of farther "
    "classes, with all ways the share of queries with rank 0."
)
def expected_accuracy(ranks, others, ways):
    """Expected accuracy, a number, from ranks [Q] among `others` wrong classes."""
    from scipy.special import binom

    return np.mean(binom(others - ranks, ways - 1) / binom(others, ways - 1))


@expected_accuracy_exercise.mistake(
    "That is drawing with replacement. A class comes once in a task, so after each draw one fewer is left."
)
def with_replacement(ranks, others, ways):
    return np.mean(((others - ranks) / others) ** (ways - 1))


@expected_accuracy_exercise.mistake(
    "N ways are N − 1 *others*: the right class is one of the ways, and no rival of itself."
)
def all_ways_are_rivals(ranks, others, ways):
    return np.mean(binom(others - ranks, ways) / binom(others, ways))


@expected_accuracy_exercise.mistake(
    "You take the mean rank first. The formula is curved in r: average the probabilities, not the ranks."
)
def of_the_mean_rank(ranks, others, ways):
    return binom(others - np.mean(ranks), ways - 1) / binom(others, ways - 1)


@expected_accuracy_exercise.mistake(
    "That is the share of queries that win against all others: the accuracy with B + 1 ways, not with N."
)
def against_all(ranks, others, ways):
    return np.mean(ranks == 0)


@expected_accuracy_exercise.mistake(
    "That is the chance to win against one other: two ways. A query has to win against N − 1 at once."
)
def against_one(ranks, others, ways):
    return np.mean(1 - ranks / others)


@expected_accuracy_exercise.mistake("That is the probability of an error: one minus the accuracy.")
def errors(ranks, others, ways):
    return 1 - expected_accuracy(ranks, others, ways)


@expected_accuracy_exercise.also_right
def draw_after_draw(ranks, total, n):
    chances = [math.prod((total - r - i) / (total - i) for i in range(n - 1)) for r in ranks.tolist()]
    return sum(max(chance, 0.0) for chance in chances) / len(chances)


more_ways = Value(
    "Why more ways teach more",
    """
    A training step shows 120 images: either one 60-way task, or twelve 5-way tasks, all with 1 support image and 1
    query per class. Each query is compared with the *wrong* classes of its task, and pushed away from them. Give the
    number of such comparisons in a step, [one 60-way task, twelve 5-way tasks]. And what is guessing worth in each of
    the two: can their training accuracies be compared?
    """,
    answer=[3540, 240],
    why="60 · 59 against 12 · 5 · 4: from the same images nearly fifteen times as many comparisons, and among 59 "
    "rivals more often a hard one. Training accuracies of 60-way and 5-way tasks do not compare at all (guessing has "
    "1.7 and 20 %): to choose between them, test both on the same tasks.",
    hints=(
        "How many queries are there in a step? The same number in both.",
        "A query of an N-way task has N − 1 wrong classes.",
    ),
    rtol=1e-4,
)
more_ways.mistake(
    "You count the query's own class as well: it is pulled there, not pushed away. N − 1 are wrong.", [3600, 300]
)
more_ways.mistake("Twelve tasks: the second number is that of one 5-way task.", [3540, 20])
more_ways.mistake("That is the number of queries. Each is compared with several wrong classes.", [60, 60])
more_ways.mistake("Tasks do not see each other: a query of a 5-way task has 4 rivals, not 59.", [3540, 3540])
more_ways.mistake("That is for one query. A step has 60 queries.", [59, 4])
more_ways.mistake("A pair of classes is compared twice, once with a query of each.", [1770, 120])
more_ways.also_right((60 * 59, 12 * 5 * 4))
