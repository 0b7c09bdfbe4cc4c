"""Concentrations of a drug given by infusion, and what patients have in common: a mixed-effects model.

Concentrations are proportional to the rate of the infusion. So an example is x = (minutes since the start, minutes
that the infusion lasts), and y = log(concentration / rate), with the quotient in min/l.
"""

from dataclasses import dataclass

import numpy as np

from metalearn_course.applications.checks import arrays, broadcast_to, measurements, numbers_in
from metalearn_lib.core.checks import at_least

# A guess without data: three rates a decade apart, which cover the minutes to hours of an infusion, and shares of
# 1/3 that give a clearance of 1 l/min. Each of them is uncertain by a factor of about e.
ROUGH_MEAN = np.log([1 / 3, 1 / 3, 1 / 3, 1.0, 0.1, 0.01])
ROUGH_COVARIANCE = np.eye(6)


def log_concentration(parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
    """y = log Σᵢ aᵢ exp(−λᵢ (t − d)₊) (1 − exp(−λᵢ min(t, d))): an infusion of d minutes into compartments in exchange.

    Any linear model with E compartments has this form (Gabrielsson and Weiner, "Pharmacokinetic and Pharmacodynamic
    Data Analysis", infusions); 1 / Σ aᵢ is the clearance in l/min.

    Args:
        parameters: [T, 2E], the logarithms of aᵢ in min/l and, after them, of λᵢ in 1/min.
        x: [T, S, 2], t > 0 and d in minutes.

    Returns:
        y [T, S, 1].
    """
    arrays(parameters=(parameters, "T P"), x=(x, "T S 2"))
    numbers_in("(0, inf)", x=x)
    _check_pairs(parameters=parameters)
    return _log_sum(_terms(parameters, x))[0]


def fit_concentrations(
    x: np.ndarray, y: np.ndarray, mean: np.ndarray, covariance: np.ndarray, noise: float = 0.1, steps: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable parameters under a normal prior, by Levenberg and Marquardt's method, for all tasks at once.

    With a very wide prior this is least squares that starts at `mean`. The method finds a minimum near its start.

    Args:
        x: [T, S, 2].
        y: [T, S, 1]; samples that are NaN are left out.
        mean: of the prior, [2E] or one for each task [T, 2E]; also where the search starts.
        covariance: of the prior, [2E, 2E].
        noise: standard deviation of y.
        steps: of the method; a step that does not lower the cost is undone.

    Returns:
        Parameters [T, 2E], and the inverse Hessians [T, 2E, 2E] of half the cost there, the covariances of a normal
        approximation to the posterior (Laplace's).

    Raises:
        ValueError: if the prior's mean and covariance do not fit together, or the covariance has no inverse.
    """
    measurements(x=(x, "T S 2"), y=(y, "T S 1"))
    arrays(mean=(mean, "... P"), covariance=(covariance, "P P"))
    numbers_in("(0, inf)", noise=noise)
    at_least(1, steps=steps)
    _check_pairs(mean=mean)
    broadcast_to((len(y), np.shape(mean)[-1]), mean=mean)
    known = np.isfinite(y)
    x, y, weight = np.where(known, x, 1.0), np.where(known, y, 0.0), known[..., 0] / noise**2
    mean = np.broadcast_to(mean, (len(y), np.shape(mean)[-1]))
    precision, parameters, damping = _inverse(covariance), mean.copy(), np.full(len(y), 1e-2)

    def cost(parameters: np.ndarray) -> np.ndarray:
        residuals, gap = (y - log_concentration(parameters, x))[..., 0], parameters - mean
        return (weight * residuals**2).sum(axis=1) + (gap @ precision * gap).sum(axis=1)

    def hessian_and_descent(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        predicted, share = _log_sum(_terms(parameters, x))
        jacobian = np.concatenate([share, share * _by_log_rate(parameters, x)], axis=-1)
        weighted = (weight[..., None] * jacobian).swapaxes(1, 2)
        descent = (weighted @ (y - predicted))[..., 0] - (parameters - mean) @ precision
        return weighted @ jacobian + precision, descent

    lowest = cost(parameters)
    for _ in range(steps):
        hessian, descent = hessian_and_descent(parameters)
        ridge = (damping * np.trace(hessian, axis1=1, axis2=2))[:, None, None] * np.eye(parameters.shape[1])
        step = np.linalg.solve(hessian + ridge, descent[..., None])[..., 0]
        candidate = parameters + step.clip(-1, 1)
        reached = cost(candidate)
        better = reached < lowest
        parameters = np.where(better[:, None], candidate, parameters)
        lowest = np.where(better, reached, lowest)
        damping = np.where(better, damping / 3, damping * 4).clip(1e-6, 1e6)
    return parameters, np.linalg.inv(hessian_and_descent(parameters)[0])


@dataclass(frozen=True)
class Prior:
    """The prior over patients: log parameters are normal, with a mean that is linear in covariates.

    Args:
        coefficients: [C, 2E], so that covariates [T, C] have the means covariates @ coefficients.
        covariance: [2E, 2E] between patients.
        noise: standard deviation of y.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    noise: float


def learn_prior(x: np.ndarray, y: np.ndarray, covariates: np.ndarray | None = None, rounds: int = 15) -> Prior:
    """A mixed-effects model (Lindstrom and Bates 1990), fitted to many patients by an approximate EM algorithm.

    Each round fits all patients under the prior so far, and then makes the prior of these fits and their Laplace
    approximations; the noise is the root mean square of the residuals.

    Args:
        x: [T, S, 2], samples of many patients.
        y: [T, S, 1]; NaN where there is none.
        covariates: [T, C], with a column of ones; None for that column alone.
        rounds: of EM.
    """
    measurements(x=(x, "T S 2"), y=(y, "T S 1"))
    covariates = np.ones((len(y), 1)) if covariates is None else covariates
    arrays(covariates=(covariates, f"{len(y)} C"))
    at_least(1, rounds=rounds)
    mean, covariance, noise = np.tile(ROUGH_MEAN, (len(y), 1)), ROUGH_COVARIANCE, 0.2
    coefficients = np.zeros((covariates.shape[1], ROUGH_MEAN.size))
    for number in range(rounds):
        parameters, posterior = fit_concentrations(x, y, mean, covariance, noise, steps=5 if number else 40)
        noise = float(np.sqrt(np.nanmean((y - log_concentration(parameters, np.nan_to_num(x, nan=1.0))) ** 2)))
        coefficients = np.linalg.lstsq(covariates, parameters, rcond=None)[0]
        mean = covariates @ coefficients
        covariance = (parameters - mean).T @ (parameters - mean) / len(y) + posterior.mean(axis=0)
    return Prior(coefficients, covariance, noise)


def _inverse(covariance: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(covariance)
    except np.linalg.LinAlgError:
        raise ValueError("covariance is singular, expected one with an inverse") from None


def _check_pairs(**arguments: np.ndarray) -> None:
    for name, value in arguments.items():
        if np.shape(value)[-1] % 2:
            raise ValueError(f"{name} has shape {np.shape(value)}, expected [..., 2E]: E logarithms of a, then E of λ")


def _terms(parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The logarithms of the E terms of the sum [T, S, E]."""
    log_a, rate, during, after = _parts(parameters, x)
    return log_a - rate * after + np.log(-np.expm1(-rate * during))


def _by_log_rate(parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The derivatives of `_terms` with respect to log λ."""
    _, rate, during, after = _parts(parameters, x)
    # exp(700) is nearly the largest number there is; by then the quotient is 0 to every digit.
    return rate * (during / np.expm1((rate * during).clip(max=700)) - after)


def _parts(parameters: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """log a and λ [T, 1, E]; minutes of infusion until t, and minutes since its end [T, S, 1]."""
    log_a, log_rate = np.split(parameters[:, None], 2, axis=-1)
    time, duration = x[..., :1], x[..., 1:]
    return log_a, np.exp(log_rate), np.minimum(time, duration), np.maximum(time - duration, 0.0)


def _log_sum(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log Σ exp of terms [T, S, E], as [T, S, 1], and each term's share in the sum."""
    largest = terms.max(axis=-1, keepdims=True)
    share = np.exp(terms - largest)
    total = share.sum(axis=-1, keepdims=True)
    return largest + np.log(total), share / total
