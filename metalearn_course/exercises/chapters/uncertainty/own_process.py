"""Trainings: a neural process that says how sure it is, and a spread that is repaired on validation tasks."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import seed_from
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.measures import log_likelihood_of_values
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION


def _draw(rng):
    new, query_y = ml.tasks.gather_tasks(ml.tasks.gaussian_processes(8, 12, seed=seed_from(rng)), 200)
    return (new,), query_y


own_process_exercise = Training(
    "A learner that knows how much it knows",
    """
    Functions are drawn from a Gaussian process (`ml.tasks.gaussian_processes(shots=8, queries=12)`). Train a neural
    process, and return for each query of `new` a mean *and a standard deviation*, [T, Q, 2]. The measure is the mean
    log-density of the targets: a wrong mean costs, and so does a spread that is too wide or too narrow. Wanted: above
    −1.1. A learner that says "0, with a standard deviation of 1" has about −1.42.
    """,
    draw=_draw,
    bar=-1.1,
    probes=FOR_VALUES,
    measure=log_likelihood_of_values,
    hints=(
        "`ml.NeuralProcess(ml.networks.mlp(1, 64, (64,)), width=64)`, `compile(keras.optimizers.Adam(0.002))`: its "
        "loss is the log-density already.",
        "`learner.predict_distribution(new)` gives mean and standard deviation; 2,000 steps are enough. "
        '`aggregation="attention"` is better than the mean of codes.',
    ),
)


@own_process_exercise.reference(
    "The spread is not an extra: the loss asks for it. Far from the examples the network learned to be unsure, because "
    "there its mean was often wrong."
)
def own_process(new, seed):
    """Means and standard deviations [T, Q, 2] for the queries of `new`, by a process that is trained here."""
    import keras

    keras.utils.set_random_seed(seed)
    process = ml.NeuralProcess(ml.networks.mlp(1, 32, (32,)), aggregation="attention", width=64)
    rate = keras.optimizers.schedules.CosineDecay(0.003, 1500)
    process.compile(keras.optimizers.Adam(rate), steps_per_execution=50)
    process.fit(ml.tasks.gaussian_processes(8, 12, seed=seed), steps_per_epoch=1500, verbose=0)
    mean, deviation = process.predict_distribution(new)
    return np.concatenate([mean, deviation], axis=-1)


@own_process_exercise.also_right
def with_the_mean_of_codes(tasks, number):
    keras.utils.set_random_seed(number)
    process = ml.NeuralProcess(ml.networks.mlp(1, 64, (64,)), width=96)
    process.compile(keras.optimizers.Adam(0.002), steps_per_execution=50)
    process.fit(ml.tasks.gaussian_processes(8, 12, seed=number), steps_per_epoch=3000, verbose=0)
    return np.concatenate(process.predict_distribution(tasks), axis=-1)


def _trained(seed, steps):
    keras.utils.set_random_seed(seed)
    process = ml.NeuralProcess(ml.networks.mlp(1, 32, (32,)), width=64)
    process.compile(keras.optimizers.Adam(0.002), steps_per_execution=50)
    process.fit(ml.tasks.gaussian_processes(8, 12, seed=seed), steps_per_epoch=steps, verbose=0)
    return process


@own_process_exercise.mistake(
    "Every query gets the same standard deviation, near the examples and far from them: the spread does not say where "
    "the learner knows something.",
    shows=lambda case, got: np.ptp(got[..., 1]) < 0.01 * got[..., 1].mean(),
)
def one_spread_for_all(new, seed):
    mean, _ = _trained(seed, 300).predict_distribution(new)
    return np.concatenate([mean, np.full_like(mean, 0.5)], axis=-1)


@own_process_exercise.mistake(
    "The spreads are much too small for the errors: a variance, or a logarithm, in place of a standard deviation? Most "
    "targets lie more than two of your deviations away.",
    shows=lambda case, got: _share_within(case, got, 2.0) < 0.5,
)
def far_too_sure(new, seed):
    mean, deviation = _trained(seed, 300).predict_distribution(new)
    return np.concatenate([mean, 0.1 * deviation], axis=-1)


@own_process_exercise.mistake(
    'It is about as good as "0, with a deviation of 1": the process has learned little. Was it trained, and long '
    "enough?",
    shows=lambda case, got: log_likelihood_of_values(got[: len(case.hidden)], case.hidden).mean < -1.25,
)
def untrained_process(new, seed):
    keras.utils.set_random_seed(seed)
    process = ml.NeuralProcess(ml.networks.mlp(1, 32, (32,)), width=64)
    process.compile("adam")
    return np.concatenate(process.predict_distribution(new), axis=-1)


@own_process_exercise.mutant(SUPPORT_UNUSED)
def never_looks(new, seed):
    spread = 1 + 0.2 * np.cos(new["query_x"])
    return np.concatenate([np.zeros_like(spread), spread], axis=-1)


@own_process_exercise.mutant(TRANSDUCTION)
def spread_of_the_queries(new, seed):
    mean, _ = _trained(seed, 200).predict_distribution(new)
    return np.concatenate([mean, np.tile(mean.std(axis=1, keepdims=True) + 0.3, (1, mean.shape[1], 1))], axis=-1)


@own_process_exercise.mutant(SURVIVING)
def means_of_two_tasks(new, seed):
    mean, deviation = _trained(seed, 200).predict_distribution(new)
    return np.concatenate([0.7 * mean + 0.3 * np.roll(mean, 1, axis=0), deviation], axis=-1)


def _share_within(case, got, deviations):
    found = got[: len(case.hidden)]
    return (np.abs(case.hidden[..., 0] - found[..., 0]) < deviations * found[..., 1]).mean()


def _forecasts(rng, tasks):
    """Means, spreads that are wrong in a way of their own, and targets."""
    mean = rng.normal(size=(tasks, 20))
    spread = np.exp(0.5 * rng.normal(size=(tasks, 20)))
    target = mean + (0.3 + 1.8 * spread) * rng.normal(size=(tasks, 20))
    return mean, spread, target


def _draw_forecasts(rng):
    mean, spread, target = _forecasts(rng, 200)
    return (*_forecasts(rng, 200), mean, spread), target[..., None]


repaired_exercise = Training(
    "A spread that is repaired on validation tasks",
    r"""
    A learner gives means and standard deviations [T, 20] of its targets, and is too sure. Repair it: choose a and b
    such that $\sigma' = a + b\,\sigma$ gives the targets of the *validation* tasks the largest mean log-density, and
    return means and repaired deviations [N, 20, 2] for the new ones. Wanted: above −2.25.
    """,
    draw=_draw_forecasts,
    bar=-2.25,
    trained=False,
    measure=log_likelihood_of_values,
    hints=(
        "The log-density of a normal distribution is −½ ((y − μ)/σ)² − log σ − ½ log 2π: a function of a and b, to be "
        "made as large as possible.",
        "A grid of 30 x 30 values of a in 0..1 and b in 0.5..3 is enough, or `scipy.optimize.minimize`.",
    ),
)


@repaired_exercise.reference(
    "Calibration is a property on *new* tasks, and two numbers chosen on validation tasks can give most of it back. "
    "They do not make the learner know more."
)
def repaired(mean, spread, target, new_mean, new_spread):
    """Means and repaired standard deviations [N, 20, 2] of the new tasks."""

    def likelihood(a, b):
        sigma = a + b * spread
        return np.mean(-0.5 * ((target - mean) / sigma) ** 2 - np.log(sigma))

    pairs = [(a, b) for a in np.linspace(0, 1, 41) for b in np.linspace(0.5, 3, 51)]
    a, b = max(pairs, key=lambda pair: likelihood(*pair))
    return np.stack([new_mean, a + b * new_spread], axis=-1)


@repaired_exercise.also_right
def by_scipy(means, spreads, targets, others, their_spreads):
    from scipy.optimize import minimize

    def surprise(logs):
        sigma = np.exp(logs[0]) + np.exp(logs[1]) * spreads
        return np.mean(0.5 * ((targets - means) / sigma) ** 2 + np.log(sigma))

    a, b = np.exp(minimize(surprise, [-1.0, 0.0], method="Nelder-Mead").x)
    return np.stack([others, a + b * their_spreads], axis=-1)


def _has(shows):
    return lambda case, got: bool(shows(got[..., 1], case[4], case))


@repaired_exercise.mistake(
    "The spreads are as they were: too sure.", shows=_has(lambda new, old, case: np.abs(new - old).max() < 1e-6)
)
def not_repaired(mean, spread, target, new_mean, new_spread):
    return np.stack([new_mean, new_spread], axis=-1)


@repaired_exercise.mistake(
    "Every target gets the same spread: the learner's own differences, which say where it knows more, are lost.",
    shows=_has(lambda new, old, case: np.ptp(new) < 1e-3),
)
def one_for_all(mean, spread, target, new_mean, new_spread):
    return np.stack([new_mean, np.full_like(new_mean, np.std(target - mean))], axis=-1)


@repaired_exercise.mistake(
    "The spreads are *smaller* than before, although the learner was too sure: is the factor upside down?",
    shows=_has(lambda new, old, case: new.mean() < 0.9 * old.mean()),
)
def upside_down(mean, spread, target, new_mean, new_spread):
    return np.stack([new_mean, new_spread / np.sqrt(np.mean(((target - mean) / spread) ** 2))], axis=-1)


@repaired_exercise.mistake(
    "The spreads are far larger than they need be. The wider, the more targets lie inside; the log-density also asks "
    "how much is said.",
    shows=_has(lambda new, old, case: new.mean() > 4 * old.mean()),
)
def everything_inside(mean, spread, target, new_mean, new_spread):
    return np.stack([new_mean, 10 * new_spread], axis=-1)
