"""Pages 6c, 6d and 6e: languages from single names, arms from a few samples, assets from a few months."""

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.applications.finance.factors import NOISE, factor_returns
from metalearn_course.applications.language.names import grouped_by, invented_names, labelled_names
from metalearn_course.applications.language.ngrams import weighted_profile
from metalearn_course.applications.robotics.arm import ACCELERATION_NOISE, random_motions, regressors
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import seed_from
from metalearn_course.exercises.engine.probes import FOR_CLASSES, FOR_VALUES, SUPPORT_UNUSED, TRANSDUCTION


def _draw_names(rng):
    languages = labelled_names(invented_names(branches=20, names=80, seed=seed_from(rng)), fewest=40)
    stream = ml.tasks.episodes(grouped_by(languages, "script"), 5, 3, 4, 10, seed_from(rng), within_alphabet=True)
    new, query_y = ml.tasks.gather_tasks(stream, 100)
    return (new,), query_y


three_names_exercise = Training(
    "A language from three names (page 6c)",
    """
    A task has five invented languages of one script, three names of each, and names whose language is wanted. Train a
    learner on other invented languages, and return class scores for the queries of `new`. Page 6c's parts are
    `invented_names(seed=seed)`, `labelled_names`, `grouped_by(languages, "script")` from
    `metalearn_course.applications.language.names`, `ml.tasks.episodes(..., within_alphabet=True)`, and
    `weighted_profile()` from `metalearn_course.applications.language.ngrams`, an embedding that learns which
    combinations of letters count. Wanted: an accuracy above 45 %. Chance is 20 %.
    """,
    draw=_draw_names,
    bar=0.45,
    probes=FOR_CLASSES,
    hints=(
        "`ml.PrototypicalNetwork(weighted_profile())`, the cross-entropy of logits, Adam with 0.03: weights of n-grams "
        "start at 1 and take large steps.",
        "`ml.tasks.episodes(grouped_by(labelled_names(invented_names(seed=seed), fewest=40), 'script'), ways=5, "
        "shots=3, queries=4, meta_batch_size=8, seed=seed, within_alphabet=True)`, 200 steps.",
    ),
)


@three_names_exercise.reference(
    "Nothing was learned about the new languages before they came. What was learned is which differences between names "
    "are worth looking at; and counting n-grams, without any learning, is most of it: see page 6c."
)
def three_names(new, seed):
    """Scores [T, Q, 5] of the languages of the queries of `new`, after training on others with this seed."""
    from metalearn_course.applications.language.names import grouped_by, invented_names, labelled_names
    from metalearn_course.applications.language.ngrams import weighted_profile

    keras.utils.set_random_seed(seed)
    languages = grouped_by(labelled_names(invented_names(seed=seed), fewest=40), "script")
    tasks = ml.tasks.episodes(languages, 5, 3, 4, 8, seed, within_alphabet=True)
    learner = ml.PrototypicalNetwork(weighted_profile())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(0.03), loss, steps_per_execution=20)
    learner.fit(tasks, steps_per_epoch=100, verbose=0)
    return learner.predict(new, verbose=0)


@three_names_exercise.also_right
def by_counting_pairs_of_letters(tasks, number):
    def profiles(x):
        found = np.zeros((*x.shape[:2], 4096))
        codes = np.rint(x[..., 0, :, 0] * (255 if x.max() <= 1 else 1)).astype(int)
        padded = np.pad(codes, [(0, 0), (0, 0), (1, 1)])
        for a, b in zip(np.moveaxis(padded, -1, 0)[:-1], np.moveaxis(padded, -1, 0)[1:], strict=True):
            at = ((a * 257 + b) % 4095 + 1) * ((a > 0) | (b > 0))
            np.put_along_axis(found, at[..., None], np.take_along_axis(found, at[..., None], -1) + 1, -1)
        found = np.sqrt(found[..., 1:])
        return found / np.linalg.norm(found, axis=-1, keepdims=True)

    support, query = profiles(tasks["support_x"]), profiles(tasks["query_x"])
    centres = np.einsum("tsd,tsc->tcd", support, np.eye(5)[tasks["support_y"]]) / 3
    return np.einsum("tqd,tcd->tqc", query, centres) + 1e-9 * number


def _shuffled_pixels(new, seed, network):
    keras.utils.set_random_seed(seed)
    learner = ml.PrototypicalNetwork(network)
    learner.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return learner.predict(new, verbose=0)


@three_names_exercise.mistake(
    "It is hardly better than chance. A name is a row of bytes, and bytes are no amounts: 'b' is not between 'a' and "
    "'c'. Count combinations of letters, or embed each letter.",
    shows=lambda case, got: three_names_exercise.score_of(case, got).mean < 0.36,
)
def bytes_as_numbers(new, seed):
    shape = new["support_x"].shape[2:]
    network = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(32)])
    return _shuffled_pixels(new, seed, network)


@three_names_exercise.mutant(SUPPORT_UNUSED)
def classifier_of_all_languages(new, seed):
    rng = np.random.default_rng(seed)
    return (
        np.eye(5)[rng.integers(5, size=5)][None, : new["query_x"].shape[1] // 4]
        .repeat(4, axis=1)
        .repeat(len(new["query_x"]), axis=0)
    )


@three_names_exercise.mutant(TRANSDUCTION)
def each_language_as_often(new, seed):
    scores = _shuffled_pixels(new, seed, weighted_profile())
    return scores - scores.mean(axis=1, keepdims=True)


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


SPREAD = 1.0


def _draw_assets(rng):
    old, _ = ml.tasks.gather_tasks(factor_returns(SPREAD, 24, 1, seed=seed_from(rng)), 300)
    new, query_y = ml.tasks.gather_tasks(factor_returns(SPREAD, 24, 24, seed=seed_from(rng)), 300)
    return (new, old["support_x"], old["support_y"]), query_y


shrunk_exposures_exercise = Training(
    "How far to trust 24 months (page 6e)",
    rf"""
    An asset's return is $x \cdot w$ plus noise with σ = {NOISE:g} % a month; its three exposures w are normal around a
    mean m with a standard deviation τ. You know neither m nor τ. Estimate both from 300 old assets, `x` [300, 24, 3]
    and `y` [300, 24, 1], estimate each new asset's w from its 24 months *and* from them, and predict the queries of
    `new`. Wanted: a mean squared error below 2.4. Each asset alone has about 9, all pooled about 3.
    """,
    draw=_draw_assets,
    bar=2.4,
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
