"""MAML trained by hand: the start from which one step goes farthest, for a family of bowls."""

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training

ALPHA = 0.15


def _lines(rng, tasks):
    """Lines w · x in three inputs: three quarters are flat with w near 3, the others steep with w near 1."""
    steep = rng.random((tasks, 1, 1)) < 0.25
    x = rng.normal(size=(tasks, 48, 3)) * np.where(steep, 2.0, 0.7)
    w = np.where(steep[:, 0], 1.0, 3.0) + 0.3 * rng.normal(size=(tasks, 3))
    y = (x @ w[..., None])[..., 0]
    return x[:, :40], y[:, :40], x[:, 40:], y[:, 40:]


def _after_one_step(start, lines, alpha=ALPHA):
    support_x, support_y, query_x, query_y = lines
    residual = support_x @ start - support_y
    adapted = start - alpha * 2 * (residual[:, None] @ support_x)[:, 0] / support_x.shape[1]
    return (((query_x @ adapted[..., None])[..., 0] - query_y) ** 2).mean(axis=1)


def _best_start(lines, alpha, order=1):
    """The start at which the gradient vanishes, a linear system: the factors I − αH once, or not at all (order 0)."""
    support_x, support_y, query_x, query_y = lines
    matrix, vector = np.zeros((3, 3)), np.zeros(3)
    for x, y, new_x, new_y in zip(support_x, support_y, query_x, query_y, strict=True):
        shrink = np.eye(3) - 2 * alpha * x.T @ x / len(y)
        offset = 2 * alpha * x.T @ y / len(y)
        left = (shrink if order else np.eye(3)) @ new_x.T
        matrix += left @ new_x @ shrink
        vector += left @ (new_y - new_x @ offset)
    return np.linalg.solve(matrix, vector)


def _training_loss(start, case):
    return _after_one_step(start, case[:4]).mean()


def _draw(rng):
    return (*_lines(rng, 400), ALPHA), _lines(rng, 6000)


def _excess(start, lines):
    if start.shape != (3,):
        raise ValueError("expected three numbers, the start θ")
    return ml.Score(_after_one_step(start, lines), "mean squared error after one step")


trained_start_exercise = Training(
    "Train the start by hand",
    r"""
    The arrays hold 400 tasks, lines $f(x) = \theta \cdot x$ with three inputs and the mean squared error as loss. Find
    the start θ for which the query loss *after one step* θ − α∇L(θ, support), averaged over tasks, is smallest: MAML's
    objective, with its exact gradient. Write the loop yourself, with NumPy: a few hundred outer steps are enough. It is
    measured on 6,000 other tasks. (The best start for no step at all is another one, and so is FOMAML's.)
    """,
    draw=_draw,
    bar=1.75,
    trained=False,
    measure=_excess,
    hints=(
        "For one task, with H = 2 XᵀX / n of the support set: θ′ = θ − α∇L, and the gradient of the query loss at θ′, "
        "multiplied by I − αH.",
        "An outer rate of 0.05 and 2,000 steps over all tasks at once, with `np.einsum` or `@` on stacks of matrices. "
        "Or solve for the θ where the mean meta-gradient is zero: it is linear in θ.",
    ),
)


@trained_start_exercise.reference(
    "The outer loop sees what one step will do, and puts the start near the tasks that one step leaves where they are: "
    "steep tasks find home from anywhere."
)
def trained_start(support_x, support_y, query_x, query_y, alpha):
    """The start [3], from inputs [T, S, 3] and [T, Q, 3] and targets [T, S] and [T, Q]."""
    theta = np.zeros(3)
    shrink = np.eye(3) - alpha * 2 * support_x.transpose(0, 2, 1) @ support_x / support_x.shape[1]
    for _ in range(2000):
        residual = support_x @ theta - support_y
        adapted = theta - alpha * 2 * (residual[:, None] @ support_x)[:, 0] / support_x.shape[1]
        wrong = (query_x @ adapted[..., None])[..., 0] - query_y
        gradient = 2 * (wrong[:, None] @ query_x)[:, 0] / query_x.shape[1]
        theta = theta - 0.05 * (shrink @ gradient[..., None])[..., 0].mean(axis=0)
    return theta


@trained_start_exercise.also_right
def by_the_linear_system(sx, sy, qx, qy, rate):
    return _best_start((sx, sy, qx, qy), rate)


@trained_start_exercise.also_right
def by_scipy(sx, sy, qx, qy, rate):
    from scipy.optimize import minimize

    return minimize(lambda theta: _after_one_step(theta, (sx, sy, qx, qy), rate).mean(), np.ones(3)).x


def _near(alpha: float, order: int = 1, support: bool = False):
    def shows(case, got):
        lines = (*case[:2], *case[:2]) if support else case[:4]
        right, wrong = _best_start(case[:4], ALPHA), _best_start(lines, alpha, order)
        return bool(np.linalg.norm(got - wrong) < 0.2 * np.linalg.norm(wrong - right))

    return shows


@trained_start_exercise.mistake(
    "This is the start that is best *without* a step: joint training. The query loss is taken at θ, not at θ′.",
    shows=_near(0.0),
)
def joint(support_x, support_y, query_x, query_y, alpha):
    return _best_start((support_x, support_y, query_x, query_y), 0.0)


@trained_start_exercise.mistake(
    "This is where FOMAML ends: the gradient at θ′ without the factor I − αH.", shows=_near(ALPHA, order=0)
)
def first_order(support_x, support_y, query_x, query_y, alpha):
    return _best_start((support_x, support_y, query_x, query_y), alpha, order=0)


@trained_start_exercise.mistake(
    "This start makes the *support* loss after the step smallest. The outer loss is that of the queries.",
    shows=_near(ALPHA, support=True),
)
def support_for_query(support_x, support_y, query_x, query_y, alpha):
    return _best_start((support_x, support_y, support_x, support_y), alpha)


@trained_start_exercise.mistake(
    "The loop has not arrived: its last steps were still far from the minimum. More steps, or a larger outer rate.",
    shows=lambda case, got: _training_loss(got, case) > 1.3 * _training_loss(_best_start(case[:4], ALPHA), case),
)
def too_few_steps(support_x, support_y, query_x, query_y, alpha):
    return 0.5 * _best_start((support_x, support_y, query_x, query_y), alpha)
