"""One factor that makes deviations right again."""

import numpy as np
from scipy import stats

from metalearn_course.exercises.chapters.uncertainty.distributions import forecasts
from metalearn_course.exercises.engine import Function

factor_exercise = Function(
    "One factor to repair it",
    r"""
    On a new family of tasks a learner's deviations are off. Return the factor $f$ for which
    $\mathcal N(\mu, (f\sigma)^2)$ gives the targets the largest likelihood. (Derive it: write down the log-likelihood,
    and set its derivative with respect to $f$ to zero.)
    """,
    example=(np.array([0.0, 0.0]), np.array([1.0, 2.0]), np.array([1.0, 14.0])),
    draw=forecasts,
    hints=(
        "With z = (y − μ)/σ, the terms that depend on f are −log f − z²/(2f²), averaged over the targets.",
        "−1/f + mean(z²)/f³ = 0.",
    ),
)


@factor_exercise.reference(
    "−1/f + mean(z²)/f³ = 0, so f² = mean(z²): the mean squared standardised error, which should be 1."
)
def factor(mean, deviation, y):
    """The factor on all deviations [Q] that fits the targets y [Q] best."""
    return np.sqrt(np.mean(((y - mean) / deviation) ** 2))


@factor_exercise.mistake("That is f²: the variance has to grow by mean(z²), the deviation by its root.")
def squared(mean, deviation, y):
    return factor(mean, deviation, y) ** 2


@factor_exercise.mistake("The inverse: where errors are larger than claimed, deviations have to grow.")
def inverse(mean, deviation, y):
    return 1 / factor(mean, deviation, y)


@factor_exercise.mistake("A mean of |z| fits a Laplace distribution; for a normal one squares are averaged.")
def absolute(mean, deviation, y):
    return np.mean(np.abs(y - mean) / deviation)


@factor_exercise.mistake(
    "You compare the mean squared error with the mean variance: the least certain targets decide alone. "
    "Standardise each error by its own deviation first."
)
def ratio_of_means(mean, deviation, y):
    return np.sqrt(np.mean((y - mean) ** 2) / np.mean(deviation**2))


@factor_exercise.mistake(
    "You subtract the mean of the standardised errors. It is part of how wrong the predictions are."
)
def centred(mean, deviation, y):
    return np.std((y - mean) / deviation)


@factor_exercise.mistake(
    "That is the root mean square error: by how much predictions are off, not by how much *more* than they said. "
    "Divide by the deviations first."
)
def plain_error(mean, deviation, y):
    return np.sqrt(np.mean((y - mean) ** 2))


@factor_exercise.mistake("Errors are divided by σ, not (y − μ)² by σ: the square of the quotient.")
def variance_for_deviation(mean, deviation, y):
    return np.sqrt(np.mean((y - mean) ** 2 / deviation))


@factor_exercise.mistake("That is the median's factor: it does not make the likelihood largest.")
def median(mean, deviation, y):
    return np.median(np.abs((y - mean) / deviation))


@factor_exercise.also_right
def by_search(mu, sigma, targets):
    from scipy.optimize import fminbound

    def loss(log_f):
        return -stats.norm.logpdf(targets, mu, np.exp(log_f) * sigma).mean()

    return np.exp(fminbound(loss, -5, 5, xtol=1e-9))
