"""Pages 6d and 6e: arms from six samples, assets from 24 months."""

import numpy as np

import metalearn_lib as ml
from metalearn_course.applications.robotics.arm import ACCELERATION_NOISE, random_motions, regressors
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import seed_from
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED


def _arm_tasks(motions, shots):
    true = motions.arm.each().acceleration(motions.states, motions.torque)
    new = {
        "support_x": regressors(motions.measured[:, :shots], motions.torque[:, :shots]),
        "support_y": motions.acceleration[:, :shots, None],
        "query_x": regressors(motions.states[:, shots:], motions.torque[:, shots:]),
    }
    return new, true[:, shots:, None]


def _draw_arms(rng):
    old = random_motions(200, 60, seed_from(rng))
    new, query_y = _arm_tasks(random_motions(200, 40, seed_from(rng)), 6)
    return (new, regressors(old.measured, old.torque), old.acceleration), query_y


few_samples_exercise = Training(
    "An arm from six samples (page 6d)",
    r"""
    The acceleration of an arm is $x \cdot p$ with four known factors x (torque, rate, dry friction's, gravity's) and
    four numbers p of its own. `x` [200, 60, 4] and `y` [200, 60] are 200 old arms. Of a new arm there are six noisy
    samples: predict the accelerations of the queries of `new` (in rad/s²). Learn a prior, mean and covariance of p over
    arms, and combine it with the six samples. Wanted: a mean squared error below 4. Least squares on six samples
    alone fails on some arms by hundreds.
    """,
    draw=_draw_arms,
    bar=4.0,
    probes=FOR_VALUES,
    trained=False,
    hints=(
        "Least squares for every old arm, over its 60 samples; mean and covariance of the 200 results.",
        "For a new arm $(X^\\top X/\\sigma^2 + \\Sigma^{-1})^{-1}(X^\\top y/\\sigma^2 + \\Sigma^{-1}\\mu)$, with σ² "
        "from the residuals of the old arms.",
    ),
)


@few_samples_exercise.reference(
    "An equation with a learned prior: the equation says which four numbers, the other arms which values are likely, "
    "and six samples which of these. Page 6d measures it against MAML."
)
def few_samples(new, x, y):
    """Accelerations [T, Q, 1] of the queries of new arms, from six samples each and 200 old arms."""
    old = np.linalg.pinv(x) @ y[..., None]
    noise = np.mean((x @ old - y[..., None]) ** 2)
    mean, inverse = old[..., 0].mean(0), np.linalg.inv(np.cov(old[..., 0].T))
    support, target = new["support_x"], new["support_y"]
    left = support.transpose(0, 2, 1) @ support / noise + inverse
    right = support.transpose(0, 2, 1) @ target / noise + (inverse @ mean)[:, None]
    return new["query_x"] @ np.linalg.solve(left, right)


@few_samples_exercise.also_right
def by_weighted_old_arms(tasks, xs, ys):
    """The mean of draws from the old arms' distribution, weighted by how well they explain the six samples."""
    old = np.stack([np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(xs, ys, strict=True)])
    drawn = np.random.default_rng(0).multivariate_normal(old.mean(0), np.cov(old.T), size=20_000)
    found = []
    for sx, sy, qx in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"], strict=True):
        misfit = ((drawn @ sx.T - sy[:, 0]) ** 2).sum(1) / (2 * (2 * ACCELERATION_NOISE) ** 2)
        weight = np.exp(misfit.min() - misfit)
        found.append(qx @ (weight @ drawn / weight.sum()))
    return np.array(found)[..., None]


@few_samples_exercise.mutant(SUPPORT_UNUSED)
def the_mean_arm(new, x, y):
    return new["query_x"] @ (np.linalg.pinv(x) @ y[..., None]).mean(0)


@few_samples_exercise.mistake(
    "That is least squares on the six samples alone. Where they leave a direction open, it goes astray: the old arms "
    "are not in it.",
    shows=lambda case, got: np.median(np.abs(got - samples_alone(*case))) < 1e-3,
)
def samples_alone(new, x, y):
    return new["query_x"] @ (np.linalg.pinv(new["support_x"]) @ new["support_y"])


@few_samples_exercise.mistake(
    "The prior is pulled towards zero, as in plain ridge regression: an arm without mass. Pull towards the mean of the "
    "old arms.",
    shows=lambda case, got: np.abs(got - towards_zero(*case)).mean() < 0.02 * np.std(got),
)
def towards_zero(new, x, y):
    old = (np.linalg.pinv(x) @ y[..., None])[..., 0]
    noise = np.mean((x @ old[..., None] - y[..., None]) ** 2)
    support = new["support_x"]
    left = support.transpose(0, 2, 1) @ support / noise + np.linalg.inv(np.cov(old.T))
    return new["query_x"] @ np.linalg.solve(left, support.transpose(0, 2, 1) @ new["support_y"] / noise)


SPREAD, NOISE = 1.0, 8.0  # of exposures over assets and of an asset's month, in %: see `factors`


def _draw_assets(rng):
    from metalearn_course.applications.finance.factors import factor_returns

    old, _ = ml.tasks.gather_tasks(factor_returns(SPREAD, 24, 1, seed=seed_from(rng)), 300)
    new, query_y = ml.tasks.gather_tasks(factor_returns(SPREAD, 24, 24, seed=seed_from(rng)), 300)
    return (new, old["support_x"], old["support_y"]), query_y


shrunk_exposures_exercise = Training(
    "How far to trust 24 months (page 6e)",
    rf"""
    An asset's return is $x \cdot w$ plus noise with σ = {NOISE:g} % a month; its three exposures w are normal around a
    mean m with a standard deviation τ. You know neither m nor τ. Estimate both from 300 old assets, `x` [300, 24, 3]
    and `y` [300, 24, 1], estimate each new asset's w from its 24 months *and* from them, and predict the queries of
    `new`. Wanted: a mean squared error below 3.2. Each asset alone is far above it, all pooled a little.
    """,
    draw=_draw_assets,
    bar=3.2,
    probes=FOR_VALUES,
    trained=False,
    hints=(
        "Least squares for each old asset. Its variance over assets is τ² *plus* the error of each estimate, "
        "σ² times the diagonal of (XᵀX)⁻¹: subtract the mean of that.",
        "For each new asset $(X^\\top X + (\\sigma/\\tau)^2 I)^{-1}(X^\\top y + (\\sigma/\\tau)^2 m)$.",
    ),
)


@shrunk_exposures_exercise.reference(
    "One number decides between pooling and no pooling, and it can be measured. The variance of noisy estimates is not "
    "the variance of what is estimated."
)
def shrunk_exposures(new, x, y):
    """Predicted returns [T, Q, 1] of the queries of new assets, in % a month."""
    noise = 8.0**2
    old = (np.linalg.pinv(x) @ y)[..., 0]
    errors = noise * np.linalg.inv(x.transpose(0, 2, 1) @ x).diagonal(axis1=1, axis2=2)
    mean, between = old.mean(0), max((old.var(0, ddof=1) - errors.mean(0)).mean(), 1e-6)
    support, pull = new["support_x"], noise / between
    left = support.transpose(0, 2, 1) @ support + pull * np.eye(3)
    right = support.transpose(0, 2, 1) @ new["support_y"] + pull * mean[:, None]
    return new["query_x"] @ np.linalg.solve(left, right)


@shrunk_exposures_exercise.also_right
def by_likelihood(tasks, xs, ys):
    """τ by the likelihood of the old assets' estimates, on a grid."""
    estimates = np.stack([np.linalg.lstsq(a, b[:, 0], rcond=None)[0] for a, b in zip(xs, ys, strict=True)])
    noises = np.stack([64 * np.linalg.inv(a.T @ a) for a in xs])
    mean = estimates.mean(0)

    def surprise(tau):
        covariance = noises + tau**2 * np.eye(3)
        apart = estimates - mean
        return sum(np.linalg.slogdet(covariance)[1]) + sum(
            a @ np.linalg.solve(c, a) for a, c in zip(apart, covariance, strict=True)
        )

    tau = min(np.linspace(0.2, 3, 57), key=surprise)
    found = []
    for sx, sy, qx in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"], strict=True):
        residual = sy[:, 0] - sx @ mean
        weights = np.linalg.solve(tau**2 * sx @ sx.T + 64 * np.eye(len(sx)), residual)
        found.append(qx @ (mean + tau**2 * sx.T @ weights))
    return np.array(found)[..., None]


@shrunk_exposures_exercise.mutant(SUPPORT_UNUSED)
def all_pooled(new, x, y):
    return new["query_x"] @ (np.linalg.pinv(x) @ y).mean(0)


@shrunk_exposures_exercise.mistake(
    "That is least squares for each asset alone, no pooling: the old assets are not in it.",
    shows=lambda case, got: np.abs(got - each_alone(*case)).max() < 1e-2,
)
def each_alone(new, x, y):
    return new["query_x"] @ (np.linalg.pinv(new["support_x"]) @ new["support_y"])


@shrunk_exposures_exercise.mistake(
    "The pull is too weak: the variance of the old *estimates* was taken for τ². It contains the error of each "
    "estimate too.",
    shows=lambda case, got: np.abs(got - variance_of_the_estimates(*case)).max() < 0.3,
)
def variance_of_the_estimates(new, x, y):
    old = (np.linalg.pinv(x) @ y)[..., 0]
    support, pull = new["support_x"], 64 / old.var(0, ddof=1).mean()
    left = support.transpose(0, 2, 1) @ support + pull * np.eye(3)
    right = support.transpose(0, 2, 1) @ new["support_y"] + pull * old.mean(0)[:, None]
    return new["query_x"] @ np.linalg.solve(left, right)
