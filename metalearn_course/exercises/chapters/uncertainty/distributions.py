"""What a predicted normal distribution is worth, and whether it is honest."""

import numpy as np
from scipy import stats

from metalearn_course.exercises.engine import Choice, Function


def forecasts(rng: np.random.Generator) -> tuple:
    mean, deviation = rng.normal(size=40), rng.uniform(0.3, 3.0, size=40)
    return mean, deviation, mean + 1.3 * deviation * rng.normal(size=40)


def _draw_with_level(rng: np.random.Generator) -> tuple:
    return *forecasts(rng), float(rng.uniform(0.4, 0.9))


log_likelihood_exercise = Function(
    "The log-likelihood",
    r"""
    A learner predicts for each target $y$ a normal distribution with mean $\mu$ and standard deviation $\sigma$. Return
    the mean log-density of the targets, in nats:
    $\log p(y) = -\log\sigma - \frac{(y-\mu)^2}{2\sigma^2} - \frac12\log 2\pi$.
    """,
    example=(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([1.0, 5.0])),
    draw=forecasts,
    hints=(
        "Standardise first: z = (y − μ) / σ. Then three terms.",
        "`-(np.log(deviation) + z**2 / 2 + np.log(2 * np.pi) / 2).mean()`.",
    ),
)


@log_likelihood_exercise.reference(
    "The first term punishes being unsure, the second being wrong, the more so the surer the prediction was."
)
def log_likelihood(mean, deviation, y):
    """Mean log-density of the targets y [Q] under normal distributions with mean [Q] and deviation [Q]."""
    z = (y - mean) / deviation
    return -(np.log(deviation) + z**2 / 2 + np.log(2 * np.pi) / 2).mean()


@log_likelihood_exercise.mistake(
    "log σ is missing: without it, claiming an enormous deviation would cost nothing and look best."
)
def free_deviation(mean, deviation, y):
    return log_likelihood(mean, deviation, y) + np.log(deviation).mean()


@log_likelihood_exercise.mistake(
    "You divide by σ where σ² belongs: it is the standardised error (y − μ)/σ that is squared."
)
def unsquared_deviation(mean, deviation, y):
    return -(np.log(deviation) + (y - mean) ** 2 / deviation / 2 + np.log(2 * np.pi) / 2).mean()


@log_likelihood_exercise.mistake(
    "You take σ for a variance: here it is the standard deviation, so log σ, and σ² below the squared error."
)
def deviation_as_variance(mean, deviation, y):
    return log_likelihood(mean, np.sqrt(deviation), y)


@log_likelihood_exercise.mistake("The sign: that is the negative log-likelihood, a loss, lower for better predictions.")
def negative(mean, deviation, y):
    return -log_likelihood(mean, deviation, y)


@log_likelihood_exercise.mistake(
    "The constant ½ log 2π is missing. It changes no comparison, but the number is no density then."
)
def no_constant(mean, deviation, y):
    return log_likelihood(mean, deviation, y) + np.log(2 * np.pi) / 2


@log_likelihood_exercise.mistake(
    "You return the sum over the targets: the mean does not depend on how many of them there are."
)
def total(mean, deviation, y):
    return log_likelihood(mean, deviation, y) * len(y)


@log_likelihood_exercise.mistake("The ½ of the square is lost: (y − μ)² is divided by 2σ².")
def half_lost(mean, deviation, y):
    z = (y - mean) / deviation
    return -(np.log(deviation) + z**2 + np.log(2 * np.pi) / 2).mean()


@log_likelihood_exercise.mistake(
    "That is the logarithm of the mean density. The logarithm comes first, the mean after it: a target that was "
    "thought impossible has to cost."
)
def log_of_the_mean(mean, deviation, y):
    z = (y - mean) / deviation
    return np.log((np.exp(-(z**2) / 2) / deviation / np.sqrt(2 * np.pi)).mean())


@log_likelihood_exercise.mistake("log 2π comes with a ½: it is the logarithm of √(2π).")
def whole_constant(mean, deviation, y):
    return log_likelihood(mean, deviation, y) - np.log(2 * np.pi) / 2


@log_likelihood_exercise.mistake("That is the density, averaged: its logarithm is asked for, target by target.")
def density(mean, deviation, y):
    z = (y - mean) / deviation
    return (np.exp(-(z**2) / 2) / deviation / np.sqrt(2 * np.pi)).mean()


@log_likelihood_exercise.also_right
def from_scipy(mu, sigma, targets):
    return np.mean([stats.norm.logpdf(t, m, s) for m, s, t in zip(mu, sigma, targets, strict=True)])


coverage_exercise = Function(
    "How much an interval holds",
    r"""
    The central interval of level $p$ (0.9, say) of a normal distribution is $\mu \pm z\sigma$ and has the probability
    $p$ under it. Return the share of the targets that lie inside. `scipy.stats.norm.ppf(q)` gives the point below which
    the standard normal distribution has the probability $q$.
    """,
    example=(np.zeros(4), np.array([1.0, 1.0, 2.0, 0.5]), np.array([0.7, 1.2, 2.2, -1.0]), 0.8),
    draw=_draw_with_level,
    hints=(
        "How much probability is left out above the interval, and how much below?",
        "z = norm.ppf((1 + level) / 2), and inside is where |y − μ| ≤ z σ.",
    ),
)


@coverage_exercise.reference("A calibrated learner's share equals the level, for every level; less is overconfident.")
def coverage(mean, deviation, y, level):
    """Share of the targets y [Q] inside the central intervals of a level between 0 and 1."""
    from scipy.stats import norm

    return np.mean(np.abs(y - mean) <= norm.ppf((1 + level) / 2) * deviation)


@coverage_exercise.mistake(
    "A central interval leaves (1 − p)/2 out on either side: its end is at the quantile (1 + p)/2, not at p."
)
def one_tail(mean, deviation, y, level):
    return np.mean(np.abs(y - mean) <= stats.norm.ppf(level) * deviation)


@coverage_exercise.mistake("1.96 is the factor of the level 95 % only; here the level is an argument.")
def always_95(mean, deviation, y, level):
    return np.mean(np.abs(y - mean) <= 1.96 * deviation)


@coverage_exercise.mistake("That is the share outside the intervals.")
def outside(mean, deviation, y, level):
    return 1 - coverage(mean, deviation, y, level)


@coverage_exercise.mistake(
    "You count what lies below the upper end. What is too far below the mean is outside too: take |y − μ|."
)
def below_the_upper_end(mean, deviation, y, level):
    return np.mean(y - mean <= stats.norm.ppf((1 + level) / 2) * deviation)


@coverage_exercise.mistake("All your intervals are equally wide: each target has a deviation of its own.")
def mean_deviation(mean, deviation, y, level):
    return np.mean(np.abs(y - mean) <= stats.norm.ppf((1 + level) / 2) * deviation.mean())


@coverage_exercise.mistake(
    "The level itself is taken for z, the number of deviations. `norm.ppf` turns a probability into deviations."
)
def level_as_z(mean, deviation, y, level):
    return np.mean(np.abs(y - mean) <= level * deviation)


@coverage_exercise.mistake(
    "You count the targets below the level's point of the distribution, on one side. The central interval leaves (1 − "
    "p)/2 out on each side."
)
def one_sided_share(mean, deviation, y, level):
    from scipy.stats import norm

    return np.mean(norm.cdf((y - mean) / deviation) <= level)


@coverage_exercise.mistake("The deviation is taken for a variance: its root is not to be taken.")
def root_of_the_deviation(mean, deviation, y, level):
    return coverage(mean, np.sqrt(deviation), y, level)


@coverage_exercise.also_right
def by_counting(mu, sigma, targets, p):
    count = 0
    for m, s, t in zip(mu, sigma, targets, strict=True):
        low, high = stats.norm.interval(p, m, s)
        count += low <= t <= high
    return count / len(targets)


calibrated_and_then = Choice(
    "Calibrated, and then?",
    "On 500 tasks the intervals of a learner contain 10, 20, ..., 90 % of the targets at the levels 10, 20, ..., "
    "90 %. What do you know about it?",
    options={
        "a": (
            "It has learned the tasks well.",
            "One that ignores the support set and predicts how targets are spread in the whole family is as "
            "calibrated, and has learned nothing.",
        ),
        "b": (
            "No other learner has a higher log-likelihood on these tasks.",
            "Two calibrated learners can differ: the one with narrower intervals, equally honest, scores higher.",
        ),
        "c": (
            "Its deviations will be right on other families of tasks too.",
            "Its deviations were learned on this family. Elsewhere it claims the same ones, and they are wrong.",
        ),
        "d": (
            "On tasks of this family it says how far off it may be, and no more.",
            "Calibration is honesty. How much it knows is another question, and the log-likelihood measures both.",
        ),
    },
    right="d",
    hints=(
        "Could a learner that never looks at the support set do this?",
        "Distinguish being honest from being informed, and this family from others.",
    ),
)
