"""Gaussian processes: the family's covariance measured, and its posterior against joint densities."""

import numpy as np
import pytest
from scipy import stats

import metalearn_lib as ml


def test_the_covariance_falls_with_the_distance_as_the_kernel_says():
    """E[y y'] = exp(−d²/2ℓ²) at distance d, and E[y²] = 1 + noise²; each task gives one independent pair."""
    task, y = ml.tasks.gather_tasks(ml.tasks.gaussian_processes(1, 1, 100, lengthscale=0.7, noise=0.5), 20_000)
    x, x_, y, y_ = (a[:, 0, 0].astype(float) for a in (task["support_x"], task["query_x"], task["support_y"], y))
    assert np.abs(x).max() <= 2
    expected = np.exp(-((x - x_) ** 2) / (2 * 0.7**2))
    for near, far in ((0, 0.3), (0.3, 0.7), (0.7, 1.2), (1.2, 4)):
        among = (near <= np.abs(x - x_)) & (np.abs(x - x_) < far)
        error = y[among] * y_[among] - expected[among]
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(among.sum())
    # The variance of a sample variance of n normal values v is 2v²/n: four standard errors.
    assert abs(y.var() - 1.25) < 4 * 1.25 * np.sqrt(2 / 20_000)


def test_the_posterior_is_the_joint_density_over_that_of_the_support_set():
    """ln p(y | support) = ln p(y, support) − ln p(support), by SciPy's multivariate normal."""
    (task, query_y), ell, noise = ml.tasks.gather_tasks(ml.tasks.gaussian_processes(5, 1, 4, 3), 4), 0.4, 0.1
    mean, deviation = ml.tasks.gaussian_process_posterior(task, ell, noise)
    for t in range(4):
        x = np.concatenate([task["support_x"][t], task["query_x"][t]])[:, 0].astype(float)
        y = np.concatenate([task["support_y"][t], query_y[t]])[:, 0].astype(float)
        covariance = np.exp(-((x[:, None] - x) ** 2) / (2 * ell**2)) + noise**2 * np.eye(6)
        joint = stats.multivariate_normal(np.zeros(6), covariance).logpdf(y)
        support = stats.multivariate_normal(np.zeros(5), covariance[:5, :5]).logpdf(y[:5])
        ours = stats.norm(mean[t, 0, 0], deviation[t, 0, 0]).logpdf(y[5])
        np.testing.assert_allclose(ours, joint - support, rtol=1e-8)


def test_the_posterior_is_calibrated_and_its_log_likelihood_is_its_entropy():
    """A target that is drawn from N(m, s²) has E[ln p] = −½ ln(2πe s²)."""
    task, query_y = ml.tasks.gather_tasks(ml.tasks.gaussian_processes(seed=1), 2_000)
    mean, deviation = ml.tasks.gaussian_process_posterior(task)
    score = ml.evaluation.log_likelihood(mean, deviation, query_y)
    entropy = 0.5 * np.log(2 * np.pi * np.e * deviation**2).mean(axis=(1, 2))
    error = score.values + entropy
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    for level, share in ml.evaluation.calibration(mean, deviation, query_y).items():
        # Nine intervals of 95 % would miss once in three times: the width is doubled.
        assert abs(share.mean - level) < 2 * share.half_width


def test_a_seed_fixes_the_stream_and_another_changes_it():
    (task, y), (again, y_again) = (ml.tasks.gather_tasks(ml.tasks.gaussian_processes(seed=3), 40) for _ in range(2))
    other, _ = ml.tasks.gather_tasks(ml.tasks.gaussian_processes(seed=4), 40)
    np.testing.assert_array_equal(y, y_again)
    np.testing.assert_array_equal(task["support_x"], again["support_x"])
    assert not np.isin(other["support_x"], task["support_x"]).all(axis=(1, 2)).any()


@pytest.mark.parametrize("name", ["lengthscale", "noise"])
def test_what_is_not_positive_is_refused(name):
    with pytest.raises(ValueError, match=rf"^{name} is 0, expected a positive number$"):
        ml.tasks.gaussian_processes(**{name: 0})
