"""The rate of the inner loop, found by training."""

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training

STEPS = 3


def _lines(rng, tasks):
    x = rng.normal(size=(tasks, 60, 2)) * np.array([1.5, 0.4])
    y = (x @ rng.normal(size=(tasks, 2, 1)) * np.array([1.0]))[..., 0]
    return x[:, :40], y[:, :40], x[:, 40:], y[:, 40:]


def _losses(rate, lines, steps=STEPS):
    """The query loss of each task after the steps, from a start of zeros."""
    support_x, support_y, query_x, query_y = lines
    weights = np.zeros((len(support_x), 2))
    for _ in range(steps):
        residual = (support_x @ weights[..., None])[..., 0] - support_y
        weights = weights - rate * 2 * (residual[:, None] @ support_x)[:, 0] / support_x.shape[1]
    return (((query_x @ weights[..., None])[..., 0] - query_y) ** 2).mean(axis=1)


def _draw(rng):
    return (*_lines(rng, 300), STEPS), _lines(rng, 6000)


def _loss_with(rate, lines):
    if rate.shape != ():
        raise ValueError("expected one number, the rate α")
    return ml.Score(np.minimum(_losses(float(rate), lines), 10.0), f"mean squared error after {STEPS} steps")


trained_rate_exercise = Training(
    "Train the rate",
    """
    300 tasks, lines with two inputs of different scale. Every task starts at zero and takes `steps` steps of gradient
    descent on its support set (the mean squared error). Which rate α makes the query loss after them, averaged over
    tasks, smallest? Find it with a search or with the derivative by α, and return it. It is measured on 6,000 other
    tasks. Wanted: a mean squared error below 0.13.
    """,
    draw=_draw,
    bar=0.13,
    trained=False,
    measure=_loss_with,
    hints=(
        "A function of α that returns the mean query loss, and `min` over `np.linspace(0.01, 0.6, 200)`.",
        "Draw the function first: it falls slowly, and rises steeply once the steps overshoot in the steep direction.",
    ),
)


@trained_rate_exercise.reference(
    "α is a number like the others: the outer loss says what it should be. It is the same for all tasks only because "
    "nobody told it more."
)
def trained_rate(support_x, support_y, query_x, query_y, steps):
    """The rate α, from inputs [T, S, 2] and [T, Q, 2] and targets [T, S] and [T, Q]."""

    def loss(rate):
        weights = np.zeros((len(support_x), 2))
        for _ in range(steps):
            residual = (support_x @ weights[..., None])[..., 0] - support_y
            weights = weights - rate * 2 * (residual[:, None] @ support_x)[:, 0] / support_x.shape[1]
        return (((query_x @ weights[..., None])[..., 0] - query_y) ** 2).mean()

    return min(np.linspace(0.01, 0.6, 300), key=loss)


@trained_rate_exercise.also_right
def by_scipy(sx, sy, qx, qy, number):
    from scipy.optimize import minimize

    def loss(rate):
        return _losses(rate[0], (sx, sy, qx, qy), number).mean()

    return minimize(loss, [0.1], method="Nelder-Mead").x[0]


def _best(lines, steps):
    return min(np.linspace(0.005, 0.6, 400), key=lambda rate: _losses(rate, lines, steps).mean())


@trained_rate_exercise.mistake(
    "The rate is negative: it goes up the gradient. Is the largest loss taken for the smallest?",
    shows=lambda case, got: float(got) < 0,
)
def uphill(support_x, support_y, query_x, query_y, steps):
    return -0.1


@trained_rate_exercise.mistake(
    "It is a tenth of what is best, or less: safe, and slow. The loss still falls as the rate grows.",
    shows=lambda case, got: 0 <= float(got) < 0.4 * _best(case[:4], STEPS),
)
def too_careful(support_x, support_y, query_x, query_y, steps):
    return 0.01


@trained_rate_exercise.mistake(
    "At this rate the steps overshoot in the steep direction of many tasks, and the loss grows.",
    shows=lambda case, got: float(got) > 1.3 * _best(case[:4], STEPS),
)
def too_bold(support_x, support_y, query_x, query_y, steps):
    return 0.6
