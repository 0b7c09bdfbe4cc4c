"""The test that tells a squared distance from any other: does the code compute what its text says?"""

import numpy as np

from metalearn_course.exercises.engine import Catch


def squared(query, prototypes):
    """Minus the squared distance."""
    return -((query[:, None] - prototypes) ** 2).sum(axis=-1)


def halved(query, prototypes):
    """Half of it, the exponent of a Gaussian: another temperature, but straight."""
    return -((query[:, None] - prototypes) ** 2).sum(axis=-1) / 2


def multiplied_out(query, prototypes):
    """2 q·c − |c|²: the part of |q|² is left out, which is the same for all classes and cancels in the softmax."""
    return 2 * query @ prototypes.T - (prototypes**2).sum(axis=-1)


def unsquared(query, prototypes):
    """The distance is not squared."""
    return -np.sqrt(((query[:, None] - prototypes) ** 2).sum(axis=-1))


def nearly(query, prototypes):
    """A root that is hidden well: `np.linalg.norm` is the distance, not its square."""
    return -np.linalg.norm(query[:, None] - prototypes, axis=-1) * 3


def taxi(query, prototypes):
    """The sum of absolute differences, no Euclidean distance at all."""
    return -np.abs(query[:, None] - prototypes).sum(axis=-1)


def _line():
    return np.linspace([-2.0, -1.0], [2.0, 2.0], 9), np.array([[-1.0, 0.0], [1.0, 0.5]])


not_squared_exercise = Catch(
    "The test that tells which distance it is",
    """
    A text says "squared Euclidean distances"; does its code have them? Another distance is no worse once its scale is
    tuned (see the chapter), but it is another method. With squared distances the difference of two logits,
    2 q·(c₁ − c₂) + const, is a straight line along any straight line of queries. Write the test: `not_squared(logits)`
    is True if `logits(query, prototypes)`, from [Q, D] and [N, D] to [Q, N], has another distance. What the softmax
    does not see, and a factor (a temperature), do not count.
    """,
    right=[squared, halved, multiplied_out],
    faulty=[unsquared, nearly, taxi],
    hints=(
        "Queries along a line: `np.linspace([-2, -1], [2, 2], 9)`. What are the second differences of a straight line?",
        "`difference = values[:, 0] - values[:, 1]`, then `np.diff(difference, n=2)` against zero.",
    ),
)


@not_squared_exercise.reference(
    "Straight along a line means second differences of zero, whatever the slope and the constant are."
)
def not_squared(logits):
    """Whether the difference of two logits bends along a straight line of queries."""
    values = logits(np.linspace([-2.0, -1.0], [2.0, 2.0], 9), np.array([[-1.0, 0.0], [1.0, 0.5]]))
    return not np.allclose(np.diff(values[:, 0] - values[:, 1], n=2), 0)


@not_squared_exercise.mistake(
    "It finds nothing. So does a test that looks at who wins: the nearest prototype is the nearest with or without the "
    "square."
)
def by_winner(logits):
    query, prototypes = _line()
    return bool((logits(query, prototypes).argmax(1) != squared(query, prototypes).argmax(1)).any())


@not_squared_exercise.mistake(
    "You compare with one formula. Half of it is another temperature, and 2 q·c − |c|² gives the same softmax: compare "
    "what they have in common, the difference of two logits is straight."
)
def by_value(logits):
    query, prototypes = _line()
    return not np.allclose(logits(query, prototypes), squared(query, prototypes))


@not_squared_exercise.mistake(
    "You look at one logit. −|q − c|² bends, as it should; only the difference of two is straight."
)
def one_logit(logits):
    return not np.allclose(np.diff(logits(*_line())[:, 0], n=2), 0)


@not_squared_exercise.mistake(
    "You compare with the squared distance, or with its probabilities. Half of it has another temperature, but "
    "is squared: look for what both have in common, straight differences of logits."
)
def by_probability(logits):
    def softmax(values):
        exponentials = np.exp(values - values.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    query, prototypes = _line()
    return not np.allclose(softmax(logits(query, prototypes)), softmax(squared(query, prototypes)))


@not_squared_exercise.also_right
def fits_a_line(logits):
    t = np.arange(7.0)
    values = logits(np.stack([t - 3, 2 - t], axis=1), np.array([[0.0, 1.0], [1.0, -1.0], [2.0, 2.0]]))
    bends = [values[:, 0] - values[:, k] - np.polyval(np.polyfit(t, values[:, 0] - values[:, k], 1), t) for k in (1, 2)]
    return bool(np.abs(bends).max() > 1e-6)
