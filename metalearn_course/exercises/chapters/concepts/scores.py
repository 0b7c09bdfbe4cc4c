"""An interval that covers what it says, and what two of them do not say."""

import numpy as np
from scipy import stats

from metalearn_course.exercises.engine import Choice, Function


def _draw(rng: np.random.Generator) -> tuple:
    tasks = int(rng.integers(3, 12))
    return (rng.uniform(size=(tasks, 1)) + rng.normal(0, 0.1, size=(tasks, 6)),)


def _interval(values: np.ndarray, deviation: float, factor: float) -> list[float]:
    half = factor * deviation / np.sqrt(values.size)
    return [values.mean() - half, values.mean() + half]


def _t(n: int) -> float:
    return float(stats.t.ppf(0.975, n - 1))


interval_exercise = Function(
    "A confidence interval over tasks",
    """
    `scores` holds a number for each query of each task. Return both ends of the 95 % confidence interval of the mean
    over **tasks** (Student's: `scipy.stats.t.ppf(0.975, n - 1)` is the factor for n of them). The queries of a task are
    answered after the same few examples: they are no independent samples of the family of tasks.
    """,
    example=(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]),),
    draw=_draw,
    hints=(
        "First one number per task. How many independent numbers are there then?",
        "mean ± t · s / √n, with n tasks and the sample deviation s = `values.std(ddof=1)`.",
    ),
)


@interval_exercise.reference(
    "What varies independently are the tasks: n is their number, s the sample deviation of their means."
)
def interval(scores):
    """Lower and upper end of the interval of the mean, for scores [tasks, queries]."""
    from scipy import stats

    values = scores.mean(axis=1)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


@interval_exercise.mistake(
    "You divide by n in the deviation, as for a whole population. These tasks are a sample, around a mean that was "
    "fitted to them: divide by n − 1 (`ddof=1`)."
)
def population_deviation(scores):
    values = scores.mean(axis=1)
    return _interval(values, values.std(), _t(values.size))


@interval_exercise.mistake(
    "1.96 belongs to a deviation that is known. Yours is estimated from few tasks: Student's t is larger."
)
def normal_for_student(scores):
    values = scores.mean(axis=1)
    return _interval(values, values.std(ddof=1), 1.96)


@interval_exercise.mistake(
    "Two things: 1.96 holds for a known deviation (take Student's t), and a sample's deviation divides by n − 1 "
    "(`ddof=1`)."
)
def population_and_normal(scores):
    values = scores.mean(axis=1)
    return _interval(values, values.std(), 1.96)


@interval_exercise.mistake(
    "You count every query as a sample. The queries of a task rise and fall together: n is the number of tasks."
)
def over_queries(scores):
    values = scores.ravel()
    return _interval(values, values.std(ddof=1), _t(values.size))


@interval_exercise.mistake("√n is missing: that is where single tasks lie. The mean of n tasks varies by s/√n only.")
def deviation_of_one_task(scores):
    values = scores.mean(axis=1)
    return _interval(values, values.std(ddof=1) * np.sqrt(values.size), _t(values.size))


@interval_exercise.mistake(
    "The wrong axis: you average over tasks first and keep the queries. One number per task is the mean along axis 1."
)
def wrong_axis(scores):
    values = scores.mean(axis=0)
    return _interval(values, values.std(ddof=1), _t(values.size))


@interval_exercise.mistake("The factor for 95 % leaves 2.5 % out at either end: t at 0.975, not at 0.95.")
def one_sided(scores):
    values = scores.mean(axis=1)
    return _interval(values, values.std(ddof=1), float(stats.t.ppf(0.95, values.size - 1)))


@interval_exercise.mistake("Those are the mean and half of the width. Return the two ends.")
def mean_and_half_width(scores):
    low, high = interval(scores)
    return (low + high) / 2, (high - low) / 2


@interval_exercise.mistake(
    "The width is given in place of its half: t · s / √n is the distance from the mean to *one* end."
)
def twice_as_wide(scores):
    low, high = interval(scores)
    return low - (high - low) / 2, high + (high - low) / 2


@interval_exercise.also_right
def with_the_standard_library(table):
    from statistics import mean, stdev

    means = [mean(row) for row in table.tolist()]
    half = _t(len(means)) * stdev(means) / len(means) ** 0.5
    return [mean(means) - half, mean(means) + half]


@interval_exercise.also_right
def with_scipy(scores):
    values = scores.mean(1)
    return np.array(stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values)))


overlapping_intervals = Choice(
    "Two intervals that overlap",
    "On the same 600 tasks one learner scores 70.0 ± 1.5 %, another 71.5 ± 1.5 %. Their paired difference is "
    "1.5 ± 0.4 % (all of them 95 % intervals). What follows?",
    options={
        "a": (
            "The second is better on this family of tasks, by about 1.5 points.",
            "The paired interval, from 1.1 to 1.9, does not contain zero. What both have in common, how hard each "
            "task is, cancels in the difference.",
        ),
        "b": (
            "Nothing: the intervals overlap.",
            "Overlap of two intervals is no test. Both learners met the same easy and hard tasks; that common part "
            "makes each interval wide, and cancels in the difference.",
        ),
        "c": (
            "The second is better on every task.",
            "The interval is of the mean difference. On single tasks either may win.",
        ),
        "d": (
            "The second would be better on other families of tasks too.",
            "The interval is about the family that the 600 tasks were drawn from, and about no other.",
        ),
    },
    right="a",
    hints=(
        "Why is the interval of the difference so much narrower?",
        "Does the interval of the difference contain zero?",
    ),
)
