"""Joint training on a family of curves finds their mean; adapting finds each of them."""

import numpy as np

from metalearn_course.exercises.engine import Function, Value

what_joint_training_learns = Value(
    "Derive: what joint training learns",
    r"""
    A family of curves $y = A \sin(x - \varphi)$, with $A$ uniform in [1, 3] and $\varphi$ uniform in $[0, \pi/2]$,
    independent. Joint training fits one function to all of them, without knowing which curve a point comes from. What
    does that function give at $x = \pi/2$ if nothing limits it, and what is its mean squared error there? Two numbers.
    """,
    answer=[1.2732, 0.5455],
    why="What is nearest to all curves is their mean: minimising E[(y − c)²] gives c = E[y]. At π/2, y = A cos φ, so "
    "c = E[A] E[cos φ] = 2 · 2/π. What remains is the variance, E[A²] E[cos² φ] − c² = 13/3 · 1/2 − 16/π². No training "
    "gets below that; looking at the support set does.",
    hints=(
        "sin(π/2 − φ) = cos φ. Which constant c has the least E[(A cos φ − c)²]?",
        "c = E[A] E[cos φ], and the error is the variance E[A²] E[cos² φ] − c², with E[A²] = 13/3.",
    ),
)
what_joint_training_learns.mistake(
    "The sign of the amplitude: sin(x − φ) has its mean over φ at −cos x only if it is written as a multiple of sin; "
    "check it at x = 0 and π/2.",
    [-1.2732, 0.5455],
    "sign",
)
what_joint_training_learns.mistake(
    "That is the curve with the mean amplitude and the mean phase. The mean of curves is not the curve of the mean "
    "parameters: average the y, not the φ.",
    [1.4142, 0.5655],
    "curve of the means",
)
what_joint_training_learns.mistake(
    "The curve y = 0 would be right if phases went once around. These are all within a quarter, so the curves have "
    "much in common. (With phases up to π, as in the chapter, the mean at π/2 is 0 too.)",
    [0, 2.1667],
    "y = 0",
)
what_joint_training_learns.mistake(
    "E[A²] is not E[A]²: the amplitudes differ as well. For A uniform in [1, 3] it is 13/3.",
    [1.2732, 0.3789],
    "E[A]² for E[A²]",
)
what_joint_training_learns.mistake(
    "You gave the root of the error; the question asks for the mean squared error itself.", [1.2732, 0.7386], "root"
)
what_joint_training_learns.mistake(
    "Nothing limits the function, but it is *one* function: at π/2 it gives one number, and the curves differ there.",
    [1.2732, 0],
    "no error",
)
what_joint_training_learns.mistake(
    "That is the mean of cos φ alone. The amplitude belongs to it: c = E[A] E[cos φ], with E[A] = 2.",
    [0.6366, 1.7614],
    "no amplitude",
)
what_joint_training_learns.also_right((4 / np.pi, 13 / 6 - 16 / np.pi**2))
what_joint_training_learns.also_right(np.array([1.27, 0.55]))


def _curves(rng: np.random.Generator) -> tuple:
    tasks, support, queries = 3, 4, 4
    x = rng.uniform(-5, 5, size=(tasks, support + queries))
    y = rng.uniform(1, 3, size=(tasks, 1)) * np.sin(x - rng.uniform(0, np.pi / 2, size=(tasks, 1)))
    y = y + 0.3 * rng.normal(size=x.shape)
    return x[:, :support], y[:, :support], x[:, support:], y[:, support:]


joint_and_adapted_exercise = Function(
    "Joint training against adaptation, computed",
    r"""
    Both now use the same model $a \sin x + b \cos x$ and the same examples, and fit it by least squares. **Joint
    training** fits one pair $(a, b)$ to the support points of all tasks together; **adaptation** fits a pair to each
    task's own support points. Return the mean squared error on the queries of the joint one and of the adapted ones.
    """,
    example=(
        np.array([[0.0, 1.5708, 3.1416], [0.0, 1.5708, 1.5708]]),
        np.array([[1.0, 2.0, -1.0], [3.0, -1.0, -1.0]]),
        np.array([[3.1416], [1.5708]]),
        np.array([[-1.0], [-1.5]]),
    ),
    draw=_curves,
    hints=(
        "`np.stack([np.sin(x), np.cos(x)], axis=-1)` is the matrix of a least squares problem, a row for each point.",
        "`np.linalg.lstsq(matrix, y)[0]` is (a, b): once with all points in one column, once for each task.",
    ),
)


def _matrix(x):
    return np.stack([np.sin(x), np.cos(x)], axis=-1)


def _fit(x, y):
    return np.linalg.lstsq(_matrix(np.ravel(x)), np.ravel(y), rcond=None)[0]


def _error(weights, x, y):
    """Mean squared error of pairs [T, 2], or of one pair for all tasks."""
    predicted = (_matrix(x) * np.reshape(weights, (-1, 1, 2))).sum(axis=-1)
    return ((predicted - y) ** 2).mean()


@joint_and_adapted_exercise.reference(
    "The same model, the same points: the joint fit lands near the mean curve of the family and keeps the "
    "variance around it as its error. Only a learner that looks at a task's own support set gets below that."
)
def joint_and_adapted(support_x, support_y, query_x, query_y):
    """Both errors, from support_x, support_y [T, S] and query_x, query_y [T, Q]."""
    tasks = list(zip(support_x, support_y, strict=True))

    def matrix(x):
        return np.stack([np.sin(x), np.cos(x)], axis=-1)

    joint = np.linalg.lstsq(matrix(support_x.ravel()), support_y.ravel(), rcond=None)[0]
    own = [np.linalg.lstsq(matrix(x), y, rcond=None)[0] for x, y in tasks]
    adapted = np.einsum("tqf,tf->tq", matrix(query_x), np.array(own))
    return ((matrix(query_x) @ joint - query_y) ** 2).mean(), ((adapted - query_y) ** 2).mean()


def _own(x, y):
    return np.array([_fit(a, b) for a, b in zip(x, y, strict=True)])


@joint_and_adapted_exercise.mistake(
    "Both are scored on the support points, to which they were fitted. What counts are the queries."
)
def on_the_support(support_x, support_y, query_x, query_y):
    joint, own = _fit(support_x, support_y), _own(support_x, support_y)
    return _error(joint, support_x, support_y), _error(own, support_x, support_y)


@joint_and_adapted_exercise.mistake(
    "You fit to the queries, which have to be predicted. Fit to the support points only."
)
def fitted_to_the_queries(support_x, support_y, query_x, query_y):
    return _error(_fit(query_x, query_y), query_x, query_y), _error(_own(query_x, query_y), query_x, query_y)


@joint_and_adapted_exercise.mistake(
    "Your joint pair is the mean of the adapted pairs. Joint training does not average solutions: it fits once, "
    "to all points, and tasks whose points carry more information count more."
)
def mean_of_the_pairs(support_x, support_y, query_x, query_y):
    own = _own(support_x, support_y)
    return _error(own.mean(axis=0), query_x, query_y), _error(own, query_x, query_y)


@joint_and_adapted_exercise.mistake("The two are swapped: first joint training, then adaptation.")
def swapped(support_x, support_y, query_x, query_y):
    return joint_and_adapted(support_x, support_y, query_x, query_y)[::-1]


@joint_and_adapted_exercise.mistake(
    "Your joint one is the best constant. It may use x: the mean of the family is a curve, not a number.",
)
def a_constant(support_x, support_y, query_x, query_y):
    return ((support_y.mean() - query_y) ** 2).mean(), _error(_own(support_x, support_y), query_x, query_y)


@joint_and_adapted_exercise.mistake("You took roots. The question asks for the mean squared error itself.")
def roots(support_x, support_y, query_x, query_y):
    return np.sqrt(joint_and_adapted(support_x, support_y, query_x, query_y))


@joint_and_adapted_exercise.also_right
def normal_equations(xs, ys, new_xs, new_ys):
    def fit(points):
        s = [(np.sin(x), np.cos(x), y) for x, y in points]
        left = [[sum(p[i] * p[j] for p in s) for j in (0, 1)] for i in (0, 1)]
        return np.linalg.solve(left, [sum(p[i] * p[2] for p in s) for i in (0, 1)])

    def errors(pair, new_x, new_y):
        return [(pair[0] * np.sin(x) + pair[1] * np.cos(x) - y) ** 2 for x, y in zip(new_x, new_y, strict=True)]

    tasks = [list(zip(x, y, strict=True)) for x, y in zip(xs, ys, strict=True)]
    everything = fit([point for task in tasks for point in task])
    joint = [e for a, b in zip(new_xs, new_ys, strict=True) for e in errors(everything, a, b)]
    own = [e for task, a, b in zip(tasks, new_xs, new_ys, strict=True) for e in errors(fit(task), a, b)]
    return [sum(joint) / len(joint), sum(own) / len(own)]
