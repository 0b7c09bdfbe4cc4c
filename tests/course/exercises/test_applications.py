"""Chapter 6: answers proved in another way, and mistakes as somebody else would write them."""

import random
import statistics
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest

from metalearn_course.exercises.chapters.applications import chapter


@pytest.fixture(autouse=True)
def _no_figures_left() -> Iterator[None]:
    plt.close("all")
    yield
    plt.close("all")


def test_pooled_alone_and_both_by_simulation() -> None:
    """The best weight is found by trying all, not by the formula."""
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 1, 400_000)
    own = (mean[:, None] + rng.normal(0, 2, (400_000, 4))).mean(axis=1)
    following = mean + rng.normal(0, 2, 400_000)
    errors = [np.mean((following - weight * own) ** 2) for weight in np.linspace(0, 1, 21)]
    np.testing.assert_allclose(chapter.pooled_or_alone.answer(), [errors[0], errors[-1], min(errors)], rtol=0.01)


def test_the_order_of_gains_by_conditioning_a_gaussian() -> None:
    """The variance of a task's mean given its n values, from the joint covariance of all n + 1."""
    gains = {}
    for letter, (between, within, n) in zip("abcd", [(4, 16, 16), (0.1, 9, 100), (3, 6, 1), (9, 180, 2)], strict=True):
        assert f"τ² = {between}, σ² = {within}, n = {n}" in chapter.where_it_pays.prompt
        values = between * np.ones((n, n)) + within * np.eye(n)
        gains[letter] = between * np.ones(n) @ np.linalg.solve(values, between * np.ones(n))
    assert "".join(sorted(gains, key=gains.get, reverse=True)) == chapter.where_it_pays.answer()


def test_the_shrunk_mean_by_hand() -> None:
    """Rows (0, 2), (2, 4), (4, 6): each with the sample variance 2; means 1, 3, 5 with the variance 4, of which 2/2 is
    noise. So w = 3 / (3 + 2/4), and of the way from 3 to 10 it goes 6/7."""
    table, new = chapter.shrunk_mean.cases()[0]
    assert chapter.shrunk_mean.answer(table, new) == pytest.approx(3 + 7 * 6 / 7)


def test_patients_who_do_not_differ_are_among_the_cases() -> None:
    for seed in range(20):
        guesses = [(chapter.shrunk_mean.answer(*case), case[0].mean()) for case in chapter.shrunk_mean.cases(seed)]
        assert sum(guess == mean for guess, mean in guesses) > 0


def test_a_steady_turn_leaves_a_line_of_pairs() -> None:
    """Each pair on it explains the turn; the one that is asked for is the nearest to zero."""
    drives = [case for seed in range(5) for case in chapter.identify.cases(seed) if np.ptp(case[1]) == 0]
    assert len(drives) > 5
    for r, delta in drives:
        a, b, number = chapter.identify.answer(r, delta)
        lengths = []
        for other in np.linspace(-3, 3, 61):
            pair = np.array([a + other * delta[0], b - other * r[0]])
            np.testing.assert_allclose(pair @ [r[0], delta[0]], r[1])
            lengths.append(np.linalg.norm(pair))
        assert number == 1 and int(np.argmin(lengths)) == 30


def test_curves_1_and_3_start_together_and_part() -> None:
    chapter.which_curve.figure()
    own, nothing, measured = (line.get_ydata() for line in plt.gca().lines)
    assert own[0] == measured[0] < nothing[0]
    assert own[-1] > 5 * measured[-1] and max(measured) < 1.3 * min(measured)
    assert (nothing > own).all()


def ask_scipy(r, delta):
    from scipy.linalg import inv

    rows = np.stack([r[:-1], delta], axis=1) + 1e-5 * np.random.default_rng(0).normal(size=(len(delta), 2))
    return *(inv(rows.T @ rows) @ rows.T @ r[1:]), 2


def weighted(weight):
    def guess(table, new):
        rows, own = table.tolist(), statistics.fmean(new)
        noise = statistics.fmean(statistics.variance(row) for row in rows)
        spread = max(statistics.variance(statistics.fmean(row) for row in rows) - noise / len(rows[0]), 0)
        w = weight(spread, noise, len(new))
        return w * own + (1 - w) * statistics.fmean(statistics.fmean(row) for row in rows)

    return guess


def some(draw):
    def split(patients, share, seed):
        return draw(patients, share, random.Random(seed))

    return split


def any_measurements(patients, share, chance):
    order = chance.sample(range(len(patients)), len(patients))
    return order[int(share * len(order)) :], order[: int(share * len(order))]


def last_names(patients, share, chance):
    names = sorted(set(patients.tolist()))
    test = names[-round(share * len(names)) :]
    return [[i for i, p in enumerate(patients) if (p in test) == side] for side in (False, True)]


def pair_of_masks(patients, share, chance):
    test = np.isin(patients, chance.sample(sorted(set(patients.tolist())), 2))
    return ~test, test


def residuals(A, B, states, inputs):
    return [np.hypot(*(states[t + 1] - A @ states[t] - B * inputs[t])) for t in range(len(inputs))]


def no_root(A, B, states, inputs):
    state, errors = states[0], []
    for t, u in enumerate(inputs):
        state = A.dot(state) + u * B
        errors.append(sum((state - states[t + 1]) ** 2))
    return errors


FOREIGN = [
    (chapter.pooled_or_alone, (1.0, 1.0, 0.5), "noise forgotten"),
    (chapter.where_it_pays, list("DACB"), "by what there is"),
    (chapter.shrunk_mean, weighted(lambda spread, noise, m: 1.0), "no_shrinkage"),
    (chapter.shrunk_mean, weighted(lambda spread, noise, m: 0.0), "full_pooling"),
    (chapter.shrunk_mean, weighted(lambda spread, noise, m: noise / m / (spread + noise / m)), "wrong_weight"),
    (chapter.shrunk_mean, weighted(lambda spread, noise, m: spread / (spread + noise)), "m_forgotten"),
    (
        chapter.shrunk_mean,
        weighted(lambda spread, noise, m: 1 / (1 + (noise / m / spread) ** 0.5) if spread else 0),
        "standard_deviations",
    ),
    (chapter.split, some(any_measurements), "by_measurement"),
    (chapter.split, some(last_names), "the_first_ones"),
    (chapter.split, some(pair_of_masks), "mask"),
    (chapter.identify, ask_scipy, "always_two"),
    (
        chapter.identify,
        lambda r, delta: np.r_[np.linalg.pinv(np.c_[r[:-1], delta]) @ np.diff(r), 2 - (np.ptp(delta) == 0)],
        "change_for_next",
    ),
    (chapter.open_loop_errors, residuals, "one_step_errors"),
    (chapter.open_loop_errors, no_root, "squared"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), FOREIGN)
def test_it_is_recognised(exercise, answer, mistake: str) -> None:
    verdict = exercise.check(answer)
    assert verdict.mistake == mistake, verdict
