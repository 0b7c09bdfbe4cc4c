"""Pages 6a and 6b: a prior learned from patients, and a new user of a catalogue."""

import numpy as np

from metalearn_course.applications.medicine.patients import simulated_patients
from metalearn_course.applications.medicine.pharmacokinetics import (
    ROUGH_MEAN,
    fit_concentrations,
    learn_prior,
    log_concentration,
)
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import seed_from
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, TRANSDUCTION


def _draw_patients(rng):
    patients = simulated_patients(260, seed=seed_from(rng))
    training = patients.select(np.arange(60))
    new, query_y = patients.select(np.arange(60, 260)).tasks(3, "spread", queries=10, seed=seed_from(rng))
    return (new, *training.examples), query_y


learned_from_patients_exercise = Training(
    "A prior learned from patients (page 6a)",
    """
    `x` [60, N, 2] and `y` [60, N, 1] are the blood samples of 60 patients (minutes since the infusion began and its
    length; the logarithm of concentration over rate). Of each new patient there are three samples. Predict the queries
    of `new`: learn a prior from the 60, adapt it to each new patient's samples, and evaluate the curve. Page 6a's
    functions do it, from `metalearn_course.applications.medicine.pharmacokinetics`: `learn_prior`,
    `fit_concentrations`, `log_concentration`. Wanted: a mean squared error of the logarithm below 0.095.
    """,
    draw=_draw_patients,
    bar=0.095,
    probes=FOR_VALUES,
    trained=False,
    hints=(
        "`prior = learn_prior(x, y)` has `coefficients` [1, 6] (the mean θ), `covariance` and `noise`.",
        "`theta, _ = fit_concentrations(support_x, support_y, mean, covariance, noise)`, with the mean repeated for "
        "each patient, `np.repeat(prior.coefficients, len(support_x), axis=0)`.",
    ),
)


@learned_from_patients_exercise.reference(
    "The 60 patients say in which ways curves differ, and how much; three samples say where this patient lies. Neither "
    "would do alone."
)
def learned_from_patients(new, x, y):
    """Predictions [T, Q, 1] for new patients, from the samples of 60 others."""
    from metalearn_course.applications.medicine.pharmacokinetics import (
        fit_concentrations,
        learn_prior,
        log_concentration,
    )

    prior = learn_prior(x, y)
    mean = np.repeat(prior.coefficients, len(new["support_x"]), axis=0)
    theta, _ = fit_concentrations(new["support_x"], new["support_y"], mean, prior.covariance, prior.noise)
    return log_concentration(theta, new["query_x"])


@learned_from_patients_exercise.also_right
def by_the_nearest_curves(tasks, times, logs):
    """A weighted mean of the curves that fit the three samples best."""
    prior = learn_prior(times, logs)
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(prior.coefficients[0], prior.covariance, size=3000)
    found = []
    for sx, sy, qx in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"], strict=True):
        at = log_concentration(drawn, np.broadcast_to(sx, (3000, *sx.shape)))
        weight = np.exp(-0.5 * (((at - sy) / (1.5 * prior.noise)) ** 2).sum((1, 2)))
        curves = log_concentration(drawn, np.broadcast_to(qx, (3000, *qx.shape)))
        found.append((weight[:, None, None] * curves).sum(0) / weight.sum())
    return np.array(found)


@learned_from_patients_exercise.mutant(SUPPORT_UNUSED)
def the_mean_patient(new, x, y):
    mean = np.repeat(learn_prior(x, y).coefficients, len(new["query_x"]), axis=0)
    return log_concentration(mean, new["query_x"])


@learned_from_patients_exercise.mistake(
    "The error is that of a fit without a learned prior: six numbers from three samples, and whatever these leave open "
    "stays as guessed. Where do the 60 patients come in?",
    shows=lambda case, got: learned_from_patients_exercise.score_of(case, got).mean > 0.15,
)
def from_scratch(new, x, y):
    rough = np.repeat(ROUGH_MEAN[None], len(new["support_x"]), axis=0)
    theta, _ = fit_concentrations(new["support_x"], new["support_y"], rough, 1e6 * np.eye(6), steps=100)
    return log_concentration(theta, new["query_x"])


@learned_from_patients_exercise.mutant(TRANSDUCTION)
def shifted_to_a_common_mean(new, x, y):
    found = learned_from_patients(new, x, y)
    return found - found.mean(axis=1, keepdims=True) + new["support_y"].mean(axis=1, keepdims=True)


ITEMS = 80


def _stars(rng, users, each):
    """Ratings of users who differ most in generosity; taste says less."""
    quality, features = rng.normal(size=ITEMS) * 0.5, rng.normal(size=(ITEMS, 2)) * 0.3

    def of(number, count):
        items = np.argsort(rng.random((number, ITEMS)), axis=1)[:, :count]
        generosity, taste = rng.normal(size=(number, 1)) * 0.6, rng.normal(size=(number, 1, 2))
        exact = 3.5 + generosity + quality[items] + (taste * features[items]).sum(-1)
        return items, exact + 0.8 * rng.normal(size=items.shape)

    return of(users, each), of(600, 15)


def _draw_users(rng):
    (items, stars), (new_items, new_stars) = _stars(rng, 200, 20)
    new = {
        "support_x": new_items[:, :5, None].astype("float32"),
        "support_y": new_stars[:, :5, None],
        "query_x": new_items[:, 5:, None].astype("float32"),
    }
    return (new, items, stars), new_stars[:, 5:, None]


new_user_exercise = Training(
    "A new user (page 6b)",
    """
    200 users have rated 20 of 80 items each: `items` [200, 20] holds numbers from 0 to 79, `stars` [200, 20] the
    ratings. A task of `new` is a new user: five items with their stars, and the items whose stars are to be predicted
    (the examples x are item numbers, as floats, [T, ..., 1]). Wanted: a mean squared error below 1.1, of which 0.64 is
    noise.
    """,
    draw=_draw_users,
    bar=1.1,
    probes=FOR_VALUES,
    trained=False,
    hints=(
        "First the mean of each item over the users who have rated it. Then: by how much does the new user lie above "
        "or below these means?",
        "Five ratings are noisy: of the mean of the user's five differences take the share n / (n + λ). λ is the "
        "variance of one difference around the user's own mean, over the variance of these means between users: about "
        "2 here.",
    ),
)


@new_user_exercise.reference(
    "Most of what five ratings can tell is how generous a user is, and the 200 others say how much of it to believe. "
    "Measure this simple rival before you train anything on taste."
)
def new_user(new, items, stars):
    """Predicted stars [T, Q, 1] for the queries of new users."""
    count = np.bincount(items.ravel(), minlength=80)
    quality = (np.bincount(items.ravel(), stars.ravel(), 80) + 3 * stars.mean()) / (count + 3)
    apart = stars - quality[items]
    within = apart.var(axis=1, ddof=1).mean()
    between = max(apart.mean(axis=1).var(ddof=1) - within / items.shape[1], 1e-6)
    seen, asked = new["support_x"].astype(int), new["query_x"].astype(int)
    n = seen.shape[1]
    generosity = (new["support_y"] - quality[seen]).mean(axis=1, keepdims=True) * n / (n + within / between)
    return quality[asked] + generosity


@new_user_exercise.also_right
def by_a_ridge_over_items(tasks, numbers, ratings):
    """A normal distribution of the 80 ratings of a user, from the others, conditioned on five."""
    table = np.full((len(numbers), 80), np.nan)
    np.put_along_axis(table, numbers, ratings, axis=1)
    mean = np.nan_to_num(np.nanmean(table, axis=0), nan=ratings.mean())
    table -= mean
    offset = np.nanmean(table, axis=1)
    between = offset.var()
    rest = np.nanvar(table - offset[:, None])
    found = []
    for seen, got, asked in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"], strict=True):
        seen, asked = seen[:, 0].astype(int), asked[:, 0].astype(int)
        covariance = between * np.ones((5, 5)) + rest * np.eye(5)
        found.append(
            mean[asked] + between * np.ones((len(asked), 5)) @ np.linalg.solve(covariance, got[:, 0] - mean[seen])
        )
    return np.array(found)[..., None]


@new_user_exercise.mutant(SUPPORT_UNUSED)
def item_means(new, items, stars):
    count = np.maximum(np.bincount(items.ravel(), minlength=80), 1)
    quality = np.bincount(items.ravel(), stars.ravel(), 80) / count
    return quality[new["query_x"].astype(int)]


@new_user_exercise.mistake(
    "Every item gets the same prediction for a user: the items' own quality is missing, which the 200 others tell.",
    shows=lambda case, got: np.ptp(got, axis=1).max() < 1e-6,
)
def mean_of_the_user(new, items, stars):
    return np.repeat(new["support_y"].mean(axis=1, keepdims=True), new["query_x"].shape[1], axis=1)


@new_user_exercise.mistake(
    "The user's own difference is taken in full. Five ratings are noisy: believe a share of it, the larger the more "
    "ratings there are.",
    shows=lambda case, got: np.abs(got - in_full(*case)).mean() < 0.1 * np.std(got),
)
def in_full(new, items, stars):
    count = np.maximum(np.bincount(items.ravel(), minlength=80), 1)
    quality = np.bincount(items.ravel(), stars.ravel(), 80) / count
    seen, asked = new["support_x"].astype(int), new["query_x"].astype(int)
    return quality[asked] + (new["support_y"] - quality[seen]).mean(axis=1, keepdims=True)
