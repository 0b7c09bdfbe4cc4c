"""How many tasks it takes to tell two learners apart."""

import numpy as np
from scipy import stats

from metalearn_course.exercises.engine import Function


def _draw(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(6, 20))
    hard = rng.normal(0.6, 0.15, size=n)
    return hard + rng.normal(0, 0.05, size=n) + 0.02, hard + rng.normal(0, 0.05, size=n)


def _needed(values: np.ndarray, half: float) -> float:
    return len(values) * (half / values.mean()) ** 2


def _half(values: np.ndarray, ddof: int = 1) -> float:
    return stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=ddof) / np.sqrt(len(values))


tasks_needed_exercise = Function(
    "How many tasks would it take?",
    """
    Two learners were scored on the same few tasks: `a` and `b`, one number per task. Estimate how many tasks it takes
    until the half width of the 95 % interval of the mean difference is as small as the difference itself. On the tasks
    at hand it is t · s / √n, with Student's t (`scipy.stats.t.ppf(0.975, n - 1)`) and the sample deviation s; it falls
    with the root of the number of tasks (take t as it is). Return the number, without rounding.
    """,
    example=(np.array([0.6, 0.8, 0.5, 0.7]), np.array([0.5, 0.8, 0.4, 0.5])),
    draw=_draw,
    hints=(
        "First the differences, task by task: their mean d, and the half width h of its interval.",
        "With m tasks the half width is h √(n / m). For which m is that |d|?",
    ),
)


@tasks_needed_exercise.reference(
    "h √(n / m) = |d| gives m = n (h / d)²: half the difference takes four times the tasks."
)
def tasks_needed(a, b):
    """The number of tasks at which the half width of the paired interval equals the mean difference."""
    from scipy import stats

    d = a - b
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    return len(d) * (half / d.mean()) ** 2


@tasks_needed_exercise.mistake(
    "The square is missing: the half width falls with √m, so twice as narrow takes four times the tasks."
)
def not_squared(a, b):
    return len(a) * abs(_half(a - b) / (a - b).mean())


@tasks_needed_exercise.mistake(
    "You treat the two scores as those of different tasks, and add their variances. Both learners met the same tasks: "
    "take the differences task by task, and how hard a task is cancels."
)
def unpaired(a, b):
    half = stats.t.ppf(0.975, len(a) - 1) * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
    return _needed(a - b, half)


@tasks_needed_exercise.mistake(
    "You divide by n in the deviation: these tasks are a sample, divide by n − 1 (`ddof=1`)."
)
def population_deviation(a, b):
    return _needed(a - b, _half(a - b, ddof=0))


@tasks_needed_exercise.mistake(
    "You use the deviation of one task for the half width: the mean of n tasks varies by s / √n."
)
def without_the_root(a, b):
    return _needed(a - b, _half(a - b) * np.sqrt(len(a)))


@tasks_needed_exercise.mistake(
    "1.96 belongs to a deviation that is known. Yours is estimated from few tasks: Student's t is larger."
)
def normal_for_student(a, b):
    return _needed(a - b, 1.96 * (a - b).std(ddof=1) / np.sqrt(len(a)))


@tasks_needed_exercise.mistake("The fraction is upside down: the wider the interval, the more tasks it takes.")
def upside_down(a, b):
    return len(a) * ((a - b).mean() / _half(a - b)) ** 2


@tasks_needed_exercise.mistake("Rounded up. The exercise asks for the number without rounding.")
def rounded_up(a, b):
    return np.ceil(tasks_needed(a, b))


@tasks_needed_exercise.mistake(
    "Student's t is taken at 0.95, which leaves 5 % out on one side alone. 95 % in the middle leaves 2.5 % on each: "
    "0.975."
)
def one_sided(a, b):
    from scipy import stats

    n = len(a)
    return tasks_needed(a, b) * (stats.t.ppf(0.95, n - 1) / stats.t.ppf(0.975, n - 1)) ** 2


@tasks_needed_exercise.mistake("Student's t with n degrees of freedom: it has n − 1, since the mean is estimated too.")
def n_degrees_of_freedom(a, b):
    from scipy import stats

    n = len(a)
    return tasks_needed(a, b) * (stats.t.ppf(0.975, n) / stats.t.ppf(0.975, n - 1)) ** 2


@tasks_needed_exercise.also_right
def with_scipy(a, b):
    difference = np.subtract(a, b)
    low, high = stats.t.interval(0.95, difference.size - 1, difference.mean(), stats.sem(difference))
    return difference.size * ((high - low) / 2) ** 2 / difference.mean() ** 2
