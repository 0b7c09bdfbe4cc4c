"""Log-likelihood and calibration against closed forms."""

import numpy as np
import pytest
from scipy import stats

import metalearn_lib as ml


def test_log_likelihoods_by_hand():
    # ln N(y; m, s²) = −½ ln 2π − ln s − ½((y − m)/s)². Task 0: 0 of N(0, 1) and 3 of N(1, 2²); task 1: 0 of N(0, 1).
    constant = -0.5 * np.log(2 * np.pi)
    mean, deviation, y = np.array([[0.0, 1.0], [0, 0]]), np.array([[1.0, 2.0], [1, 1]]), np.array([[0.0, 3.0], [0, 0]])
    result = ml.evaluation.log_likelihood(mean, deviation, y)
    np.testing.assert_allclose(result.values, [constant + (-np.log(2) - 0.5) / 2, constant])
    assert result.measure == "log-likelihood"


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_coverage_of_deviations_that_are_wrong_by_a_factor(factor):
    """Targets N(0, 1), predicted N(0, c²): the interval of level p is ±c·z, which holds a share 2Φ(c·z) − 1."""
    y = np.random.default_rng(0).normal(size=(1_000, 10, 1))
    shares = ml.evaluation.calibration(np.zeros_like(y), np.full_like(y, factor), y)
    assert list(shares) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    for level, share in shares.items():
        expected = 2 * stats.norm.cdf(factor * stats.norm.ppf((1 + level) / 2)) - 1
        # The standard error of a share of 10,000 is at most 0.005: four of them.
        assert abs(share.mean - expected) < 0.02
        assert share.measure == "coverage" and len(share.values) == 1_000


def test_the_interval_of_a_share_counts_tasks_and_not_queries():
    # All queries of a task are missed together: ten of them say no more than one.
    y = np.repeat(np.random.default_rng(0).normal(size=(500, 1)), 10, axis=1)
    one, ten = (ml.evaluation.calibration(np.zeros_like(t), np.ones_like(t), t, [0.5])[0.5] for t in (y[:, :1], y))
    assert one.mean == ten.mean and one.half_width == ten.half_width


def test_what_does_not_fit_is_refused():
    y = np.zeros((2, 3, 1))
    with pytest.raises(ValueError, match=r"^mean has shape \(2, 3\), expected that of query_y, \(2, 3, 1\)$"):
        ml.evaluation.log_likelihood(y[..., 0], y + 1, y)
    with pytest.raises(ValueError, match=r"^deviation has 0\.0, expected positive numbers$"):
        ml.evaluation.calibration(y, y, y)
    with pytest.raises(ValueError, match=r"^levels has 1, expected numbers between 0 and 1$"):
        ml.evaluation.calibration(y, y + 1, y, levels=[0.5, 1])
