"""Which point to have labelled next."""

import itertools

import numpy as np

from metalearn_course.exercises.engine import Choice, Function


def _draw(rng: np.random.Generator) -> tuple:
    """Four points that lie unevenly, on both sides of the threshold."""
    while True:
        x, t = rng.uniform(-1, 1, size=5), rng.uniform(-0.6, 0.6)
        y = np.where(x < t, -1.0, 1.0)
        if len(set(y)) == 2 and np.ptp(x) < 1.7:
            return x, y


ask_exercise = Function(
    "The next question",
    r"""
    A task is a threshold $t$ in $[-1, 1]$: $y = -1$ to the left of it, $y = +1$ to the right. Some points are labelled,
    at least one on each side. Return the $x$ to ask for next, so that the gap that is then left is as small as possible
    in the worst case.
    """,
    example=(np.array([-0.5, 0.9, 0.3, -0.1]), np.array([-1.0, 1.0, 1.0, -1.0])),
    draw=_draw,
    hints=(
        "Where can the threshold still be? Which labelled points bound that gap?",
        "Halve the gap between the largest x with −1 and the smallest with +1.",
    ),
)


@ask_exercise.reference(
    "Whatever the answer is, half of the gap is left: bisection. It uses the labels, not only the places."
)
def ask(x, y):
    """The next point to ask for, given labelled points x [S] with labels y [S], −1 or +1."""
    return (x[y < 0].max() + x[y > 0].min()) / 2


@ask_exercise.mistake(
    "You ask where the points are farthest apart. That spreads them evenly and ignores the labels: most of the "
    "interval is decided already."
)
def widest_spacing(x, y):
    x = np.sort(np.concatenate([x, [-1.0, 1.0]]))
    widest = np.argmax(np.diff(x))
    return (x[widest] + x[widest + 1]) / 2


@ask_exercise.mistake(
    "You halve the whole interval: it is the gap where the threshold can still be that has to be halved."
)
def middle_of_everything(x, y):
    return 0.0


@ask_exercise.mistake(
    "Halfway between the means of the two classes is a good guess for prediction. The gap lies elsewhere."
)
def between_the_means(x, y):
    return (x[y < 0].mean() + x[y > 0].mean()) / 2


@ask_exercise.mistake("The ends are the wrong ones: the smallest −1 and the largest +1 are the points that say least.")
def outer_ends(x, y):
    return (x[y < 0].min() + x[y > 0].max()) / 2


@ask_exercise.mistake(
    "That is in the middle between the left end of the gap and 1. The gap ends at the leftmost point that is labelled "
    "+1."
)
def between_the_left_and_one(x, y):
    return (x[y < 0].max() + 1) / 2


@ask_exercise.mistake(
    "That is the middle of all labelled points. The threshold lies between the last −1 and the first +1."
)
def median(x, y):
    return np.median(x)


@ask_exercise.mistake("That point is labelled already.")
def a_known_one(x, y):
    return x[y > 0].min()


@ask_exercise.also_right
def in_order(places, labels):
    known = sorted(zip(places.tolist(), labels.tolist(), strict=True))
    for (a, before), (b, after) in itertools.pairwise(known):
        if before < after:
            return a + (b - a) / 2


when_asking_helps = Choice(
    "When does asking by σ help?",
    "A learner asks for the label of the point where its deviation is largest. On which family does that beat "
    "spreading the points evenly?",
    options={
        "a": (
            "Thresholds, where each answer says on which side to go on.",
            "The labels so far move the place where the learner is unsure, and the questions follow them.",
        ),
        "b": (
            "Smooth random functions from one Gaussian process.",
            "Their deviation depends on where the known points are, not on what was observed there: asking by σ "
            "spreads them evenly.",
        ),
        "c": (
            "Any family: the learner asks where it knows least.",
            "Only if what it has observed changes where it knows least; and only if its deviation is right there.",
        ),
        "d": (
            "Functions with strong noise in a part of the interval.",
            "There its deviation stays large however often it asks: noise cannot be removed by asking, and it asks in "
            "vain.",
        ),
    },
    right="a",
    hints=(
        "Does the deviation depend on the targets that were observed, or on their places only?",
        "What stays uncertain however much is asked?",
    ),
)
