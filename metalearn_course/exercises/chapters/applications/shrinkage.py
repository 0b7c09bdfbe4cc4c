"""A new patient's mean, between his own few measurements and everybody else's."""

import numpy as np

from metalearn_course.exercises.engine import Function


def _draw(rng: np.random.Generator) -> tuple:
    """Earlier patients that differ, or (more often than not) that differ less than noise alone would make them."""
    noise = rng.normal(0, 2, (6, 4))
    if rng.random() < 0.7:
        noise = rng.permuted(np.repeat(noise[:1], 6, axis=0), axis=1)
        return 10 + noise, 12 + rng.normal(0, 2, 2)
    return 10 + rng.normal(0, 3, (6, 1)) + noise, 12 + rng.normal(0, 2, int(rng.integers(2, 4)))


shrunk_mean_exercise = Function(
    "A new patient's mean",
    r"""
    `table` [P, n] holds n measurements of each of P earlier patients, `new` [m] those of a new one. Return the best
    guess at the new patient's mean (empirical Bayes), with everything estimated from the table:

    - $\sigma^2$ within patients: the mean of their sample variances;
    - $\tau^2$ between patients: the sample variance of their means, less the share $\sigma^2/n$ that is noise; 0 if
      that is negative;
    - the guess: from the mean of the table towards that of `new`, by the share $w = \tau^2 / (\tau^2 + \sigma^2/m)$.
    """,
    example=(np.array([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]]), np.array([8.0, 9.0, 11.0, 12.0])),
    draw=_draw,
    hints=(
        "Two variances first: `table.var(axis=1, ddof=1).mean()`, and that of `table.mean(axis=1)`, corrected.",
        "In the example σ² = 2; the means 1, 3, 5 have the variance 4, so τ² = 4 − 2/2 = 3 and w = 3/(3 + 2/4) = 6/7.",
    ),
)


@shrunk_mean_exercise.reference(
    "This is what a learned prior does: with few noisy measurements it trusts the others, with many the patient, "
    "and where patients do not differ (τ² = 0) it does not adapt at all. MAML's start and a few steps do the "
    "same, less openly."
)
def shrunk_mean(table, new):
    """A guess at the mean of a patient with measurements new [m], after earlier patients' table [P, n]."""
    within = table.var(axis=1, ddof=1).mean()
    between = max(table.mean(axis=1).var(ddof=1) - within / table.shape[1], 0.0)
    weight = between / (between + within / len(new))
    return table.mean() + weight * (new.mean() - table.mean())


def _variances(table, ddof=1):
    within = table.var(axis=1, ddof=ddof).mean()
    return within, table.mean(axis=1).var(ddof=ddof) - within / table.shape[1]


def _mixed(table, new, weight):
    return table.mean() + weight * (new.mean() - table.mean())


@shrunk_mean_exercise.mistake(
    "That is the patient's own mean: no shrinkage. A few noisy measurements do not deserve full trust."
)
def no_shrinkage(table, new):
    return new.mean()


@shrunk_mean_exercise.mistake(
    "That is everybody's mean: full pooling. The measurements of the new patient do not count."
)
def full_pooling(table, new):
    return table.mean()


@shrunk_mean_exercise.mistake(
    "Every measurement counts the same: the earlier patients outvote the new one by their number, however much "
    "patients differ. The two variances decide, not the counts."
)
def all_in_one(table, new):
    return np.concatenate([table.ravel(), new]).mean()


@shrunk_mean_exercise.mistake(
    "The weights are swapped: the more patients differ, the *less* the others say about this one. w belongs to `new`."
)
def wrong_weight(table, new):
    within, between = _variances(table)
    return _mixed(table, new, 1 - max(between, 0) / (max(between, 0) + within / len(new)))


@shrunk_mean_exercise.mistake("You weigh by standard deviations. Precisions add up, and these are one over a variance.")
def standard_deviations(table, new):
    within, between = _variances(table)
    return _mixed(table, new, max(between, 0) ** 0.5 / (max(between, 0) ** 0.5 + (within / len(new)) ** 0.5))


@shrunk_mean_exercise.mistake(
    "m is forgotten: the mean of m measurements has the variance σ²/m. With every measurement the patient's own mean "
    "earns more trust."
)
def m_forgotten(table, new):
    within, between = _variances(table)
    return _mixed(table, new, max(between, 0) / (max(between, 0) + within))


@shrunk_mean_exercise.mistake(
    "Your τ² still has noise in it: the means of n measurements differ even where patients do not. Take off σ²/n."
)
def noise_between(table, new):
    within, between = _variances(table)
    between += within / table.shape[1]
    return _mixed(table, new, between / (between + within / len(new)))


@shrunk_mean_exercise.mistake(
    "Your τ² becomes negative where the patients' means are closer together than noise alone would put them. Then they "
    "are taken for equal: τ² = 0."
)
def negative_variance(table, new):
    within, between = _variances(table)
    return _mixed(table, new, between / (between + within / len(new)))


@shrunk_mean_exercise.mistake("The new patient has m measurements, not n: σ²/n is the noise of the earlier ones.")
def n_for_m(table, new):
    within, between = _variances(table)
    return _mixed(table, new, max(between, 0) / (max(between, 0) + within / table.shape[1]))


@shrunk_mean_exercise.mistake(
    "You take the variance of the whole table for that within patients; it has the differences between them in "
    "it. First one variance per patient (`axis=1`), then their mean."
)
def total_for_within(table, new):
    within = table.var(ddof=1)
    between = max(table.mean(axis=1).var(ddof=1) - within / table.shape[1], 0)
    return _mixed(table, new, between / (between + within / len(new)))


@shrunk_mean_exercise.mistake(
    "You divide by the number in both variances. These are samples: divide by one less (`ddof=1`)."
)
def population_variances(table, new):
    within, between = _variances(table, ddof=0)
    return _mixed(table, new, max(between, 0) / (max(between, 0) + within / len(new)))


@shrunk_mean_exercise.mistake(
    "From τ² you take σ²/m, the noise of the *new* patient's mean. The means in the table are of n measurements each: "
    "σ²/n."
)
def m_in_the_table(table, new):
    within = table.var(axis=1, ddof=1).mean()
    between = max(table.mean(axis=1).var(ddof=1) - within / len(new), 0.0)
    weight = between / (between + within / len(new))
    return table.mean() + weight * (new.mean() - table.mean())


@shrunk_mean_exercise.also_right
def by_precisions(earlier, patient):
    from statistics import fmean, variance

    rows = earlier.tolist()
    everybody, own = fmean(map(fmean, rows)), fmean(patient)
    noise = fmean(map(variance, rows))
    spread = variance(map(fmean, rows)) - noise / len(rows[0])
    if spread <= 0:
        return everybody
    prior, data = 1 / spread, len(patient) / noise
    return (prior * everybody + data * own) / (prior + data)
