"""Chapter 1: answers proved in another way, and mistakes as somebody else would write them."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from metalearn_course.exercises.chapters.background import chapter


def test_the_mean_curve_by_quadrature() -> None:
    """E over A uniform in [1, 3] and φ uniform in [0, π/2] of y = A sin(π/2 − φ), and of its distance to the mean."""

    def over_phases(f):
        return quad(f, 0, math.pi / 2)[0] / (math.pi / 2)

    mean_a, mean_a2 = quad(lambda a: a, 1, 3)[0] / 2, quad(lambda a: a**2, 1, 3)[0] / 2
    mean = mean_a * over_phases(lambda phi: math.sin(math.pi / 2 - phi))
    error = mean_a2 * over_phases(lambda phi: math.sin(math.pi / 2 - phi) ** 2) - mean**2
    assert chapter.what_joint_training_learns.check([mean, error]).kind == "pass"


def test_on_many_sinusoids_joint_training_keeps_the_variance_and_adaptation_nothing() -> None:
    """For φ uniform in [0, π] the mean curve is −(2/π) E[A] cos x; on a whole period its mean square is half of that
    squared, and that of a curve is E[A²]/2."""
    rng = np.random.default_rng(0)
    a, phi = rng.uniform(1, 3, (4000, 1)), rng.uniform(0, np.pi, (4000, 1))
    x = rng.uniform(-np.pi, np.pi, (4000, 20))
    y = a * np.sin(x - phi)
    joint, adapted = chapter.joint_and_adapted.answer(x[:, :10], y[:, :10], x[:, 10:], y[:, 10:])
    assert joint == pytest.approx(13 / 3 / 2 - (2 / np.pi * 2) ** 2 / 2, rel=0.02)
    assert adapted < 1e-20


def pooled_with_the_queries_known(xs, ys, new_xs, new_ys):
    def fit(x, y):
        return np.linalg.pinv(np.column_stack([np.sin(x), np.cos(x)])) @ y

    def error(pair, x, y):
        return (pair[0] * np.sin(x) + pair[1] * np.cos(x) - y) ** 2

    everything = fit(np.concatenate(list(new_xs)), np.concatenate(list(new_ys)))
    own = [error(fit(x, y), x, y) for x, y in zip(new_xs, new_ys, strict=True)]
    return np.mean(error(everything, new_xs, new_ys)), np.mean(own)


def mean_of_the_answers(xs, ys, new_xs, new_ys, guessed):
    where = [
        [min(range(len(x)), key=lambda i: abs(x[i] - a)) for a in new_x] for x, new_x in zip(xs, new_xs, strict=True)
    ]
    nearest = [y[places] for y, places in zip(ys, where, strict=True)]
    constant = [[sum(y) / len(y)] * len(y) for y in new_ys]
    errors = [np.square(np.array(guess) - new_ys).mean() for guess in (constant, nearest, guessed)]
    return errors[0], errors[1], min(errors[:2]) - errors[2]


def nearest_labels(x, y, new_x):
    return np.array([y[int(np.argmin([math.dist(a, b) for b in x]))] for a in new_x])


def classes_renamed(x, y, new_x, new_y):
    names = itertools.permutations(range(y.max() + 1))
    return np.mean([nearest_labels(x, np.array(name)[y], new_x) == new_y for name in names])


def pairs_moved_together(x, y, new_x, new_y):
    orders = itertools.permutations(range(len(y)))
    return np.mean([nearest_labels(x[list(order)], y[list(order)], new_x) == new_y for order in orders])


FOREIGN = [
    (chapter.what_joint_training_learns, [1.414, 0.566], "curve of the means"),
    (chapter.what_joint_training_learns, (0, 13 / 6), "y = 0"),
    (chapter.joint_and_adapted, pooled_with_the_queries_known, "fitted_to_the_queries"),
    (chapter.gain, mean_of_the_answers, "peeking"),
    (chapter.control, classes_renamed, "one_over_n"),
    (chapter.control, pairs_moved_together, "nothing_permuted"),
    (chapter.how_much_it_lies, (1.115, 4.0), "swapped"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), FOREIGN)
def test_it_is_recognised(exercise, answer, mistake: str) -> None:
    verdict = exercise.check(answer)
    assert verdict.mistake == mistake, verdict
