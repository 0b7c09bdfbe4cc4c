"""Chapter 10: neural processes on functions of a Gaussian process, beside the exact distribution."""

from functools import cache

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

STEPS, TASKS, KNOWN = 4_000, 400, (1, 3, 5, 10)
FAMILIES = {
    "as trained": {},
    "length scale halved": {"lengthscale": 0.2},
    "five times the noise": {"noise": 0.5},
}
EXACT = ml.tasks.gaussian_process_posterior


@cache
def gathered(seed, name="as trained"):
    """Tasks with ten known points and fifty queries: seeds 1 and 3 for the test, 2 to choose by."""
    stream = ml.tasks.gaussian_processes(shots=10, queries=50, seed=seed, **FAMILIES[name])
    return ml.tasks.gather_tasks(stream, TASKS)


def first(count, task):
    """The tasks with their first known points only."""
    return {**task, **{name: task[name][:, :count] for name in ("support_x", "support_y")}}


def process(aggregation):
    """A neural process."""

    def train(seed, rate):
        learner = ml.NeuralProcess(ml.networks.mlp(1, 32, (32,)), aggregation=aggregation, width=64)
        schedule = keras.optimizers.schedules.CosineDecay(rate, STEPS)
        learner.compile(keras.optimizers.Adam(schedule), steps_per_execution=100)  # pyright: ignore[reportArgumentType]
        learner.fit(ml.tasks.gaussian_processes(seed=1_000 + seed), steps_per_epoch=STEPS, verbose=0)
        return learner.predict_distribution

    return train


def exact(seed):
    """The posterior of the family it was made for, wherever it is used."""
    return EXACT


def prior(seed):
    """It never looks at the support set."""
    return lambda task: (np.zeros_like(task["query_x"]), np.full_like(task["query_x"], np.sqrt(1.01)))


def validate(predict):
    """The error that is to be small: minus the log-likelihood, averaged over numbers of known points."""
    task, query_y = gathered(2)
    values = [ml.evaluation.log_likelihood(*predict(first(n, task)), query_y).values for n in KNOWN]  # pyright: ignore[reportCallIssue]
    return ml.Score(-np.mean(values, axis=0), "minus log-likelihood", fingerprint(query_y))


def held(predicted, query_y):
    """The share of targets in the 90 % intervals."""
    return ml.evaluation.calibration(*predicted, query_y, [0.9])[0.9]  # pyright: ignore[reportCallIssue]


def measure(predict):
    """Log-likelihoods, with one deviation for all queries too, and shares of targets in 90 % intervals."""
    (task, query_y), (other, other_y) = gathered(1), gathered(2)
    found = {}
    for n in KNOWN:
        mean, deviation = predict(first(n, task))
        missed = np.sqrt(np.mean((predict(first(n, other))[0] - other_y) ** 2))
        label = f"{n} known" if n > 1 else "1 known"
        found[f"log-likelihood, {label}"] = ml.evaluation.log_likelihood(mean, deviation, query_y)
        constant = np.full_like(np.asarray(deviation), missed)
        found[f"log-likelihood, one deviation, {label}"] = ml.evaluation.log_likelihood(mean, constant, query_y)
        found[f"in 90 % intervals, {label}"] = held((mean, deviation), query_y)
    for name in FAMILIES:
        strange, strange_y = gathered(3, name)
        found[f"in 90 % intervals, {name}"] = held(predict(strange), strange_y)
    return found


RATES = {"rate": [0.0003, 0.001, 0.002, 0.004, 0.008, 0.016]}
STUDY = Study(
    name="distributions",
    chapter="10",
    question="How near do neural processes come to the exact distribution, and do their intervals hold what they say?",
    budget="4,000 meta-batches of 16 tasks for each training",
    rivals={
        "ignores the support set": Rival(prior, untuned="the spread of the family", trained=False),
        "conditional (mean)": Rival(process("mean"), RATES),
        "attentive": Rival(process("attention"), RATES),
        "exact": Rival(exact, untuned="a formula", trained=False),
    },
    validate=validate,
    measure=measure,
)
