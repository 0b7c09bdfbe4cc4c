"""The test that catches a program without a memory: plain gradient descent over a sequence of tasks."""

import itertools

import numpy as np

from metalearn_course.exercises.engine import Catch


def nearest_line(xs, ys, x, y):
    """Each task's line by least squares; it recalls the one nearest to the line of the new task."""
    lines = [np.polyfit(a, b, 1)[::-1] for a, b in zip(xs, ys, strict=True)]
    here = np.polyfit(x, y, 1)[::-1]
    return min(lines, key=lambda line: np.linalg.norm(line - here))


def least_loss(xs, ys, x, y):
    """Lines learned with a little weight decay, so not exactly; it recalls the one that fits the new points best."""
    lines = []
    for a, b in zip(xs, ys, strict=True):
        features = np.stack([np.ones(len(a)), a], axis=1)
        lines.append(np.linalg.solve(features.T @ features + 0.02 * np.eye(2), features.T @ np.asarray(b)))
    return min(lines, key=lambda line: ((line[0] + line[1] * np.asarray(x) - y) ** 2).mean())


def in_sequence(xs, ys, x, y):
    """Plain gradient descent over the sequence, as in the published program: a task starts where the last one ended."""
    theta = np.zeros(2)
    for a, b in zip(xs, ys, strict=True):
        features = np.stack([np.ones(len(a)), a], axis=1)
        for _ in range(100):
            theta = theta - features.T @ (features @ theta - b) / np.linalg.norm(features, 2) ** 2
    return theta


def decaying(xs, ys, x, y):
    """Plain gradient descent over the sequence with a rate that decays: the first task decides."""
    theta = np.zeros(2)
    for i, (a, b) in enumerate(zip(xs, ys, strict=True)):
        features = np.stack([np.ones(len(a)), a], axis=1)
        for _ in range(50):
            theta = theta - 0.001**i * features.T @ (features @ theta - b) / np.linalg.norm(features, 2) ** 2
    return theta


def joint(xs, ys, x, y):
    """One line for the points of all tasks: joint training."""
    return np.polyfit(np.concatenate(xs), np.concatenate(ys), 1)[::-1]


def mean_of_all(xs, ys, x, y):
    """It stores every task's line, and starts from the mean of the whole memory."""
    return np.mean([np.polyfit(a, b, 1)[::-1] for a, b in zip(xs, ys, strict=True)], axis=0)


def by_inputs(xs, ys, x, y):
    """It recalls the task whose inputs lie nearest, whatever the answers are."""
    lines = [np.polyfit(a, b, 1)[::-1] for a, b in zip(xs, ys, strict=True)]
    return lines[int(np.argmin([abs(np.mean(a) - np.mean(x)) for a in xs]))]


def farthest(xs, ys, x, y):
    """It stores every task's line and recalls the one that is farthest: a sign is wrong."""
    lines = [np.polyfit(a, b, 1)[::-1] for a, b in zip(xs, ys, strict=True)]
    here = np.polyfit(x, y, 1)[::-1]
    return max(lines, key=lambda line: np.linalg.norm(line - here))


no_memory_exercise = Catch(
    "The test that catches a missing memory",
    r"""
    A published program for the three steps has no memory at all: it is plain gradient descent over a sequence of tasks,
    presented as meta-learning. Others have a memory that is not used, or that is searched for the wrong thing. Write
    the test: `no_memory(start)` is False if a new task starts from what was learned in the earlier task that is most
    like it, and True if it does not. `start(xs, ys, x, y)` learns lines $\theta_0 + \theta_1 x$: first the tasks in the
    rows of xs and ys, in order, then it returns the (θ₀, θ₁) that the new task x, y starts from. Some learn a line
    well, but not exactly.
    """,
    right=[nearest_line, least_loss],
    faulty=[in_sequence, decaying, joint, mean_of_all, by_inputs, farthest],
    hints=(
        "Make up two or three lines that differ a lot. A new task that repeats one of them should start near that one.",
        "A place in the sequence must not matter: let the new task repeat the first, then the last, in several orders.",
    ),
)

_LINES = np.array([[1.0, 2.0], [-1.0, -2.0], [2.0, -1.0]])
_X = np.linspace(-1, 1, 8)


def _starts(start, lines, repeated):
    """θ for a new task that repeats one of the lines."""
    ys = lines[:, :1] + lines[:, 1:] * _X
    return np.asarray(start(np.tile(_X, (len(lines), 1)), ys, _X, repeated[0] + repeated[1] * _X))


def _lands_elsewhere(start, lines, repeated) -> bool:
    theta = _starts(start, lines, repeated)
    return bool(np.linalg.norm(theta - repeated) > 0.5)


@no_memory_exercise.reference(
    "Whichever of its tasks comes back, wherever that was in the sequence, a memory starts near that one. Descent "
    "in sequence starts from the last task, or from a mixture, whatever the new task is."
)
def no_memory(start):
    """Whether a task that comes back starts elsewhere than near what was learned in it."""
    from itertools import permutations

    x = np.linspace(-1, 1, 8)
    for lines in permutations([(1.0, 2.0), (-1.0, -2.0), (2.0, -1.0)]):
        ys = np.array([a + b * x for a, b in lines])
        for line, y in zip(lines, ys, strict=True):
            if np.linalg.norm(np.array(start(np.tile(x, (3, 1)), ys, x, y)) - line) > 0.5:
                return True
    return False


@no_memory_exercise.mistake(
    "Only the last task comes back in your test. That is where plain descent over the sequence starts anyway: let an "
    "earlier one come back."
)
def only_the_last_comes_back(start):
    return _lands_elsewhere(start, _LINES, _LINES[-1])


@no_memory_exercise.mistake(
    "Only the first task comes back in your test. A program in which the first task decides, or one that takes the "
    "first of equals, looks like a memory there: let each of them come back."
)
def only_the_first_comes_back(start):
    return _lands_elsewhere(start, _LINES, _LINES[0])


@no_memory_exercise.mistake(
    "You demand exactly the line of the earlier task. Learning ends near it, seldom on it: ask whether the start "
    "is nearer to that line than to the others."
)
def exactly(start):
    return any(np.abs(_starts(start, _LINES, line) - line).max() > 1e-6 for line in _LINES)


@no_memory_exercise.mistake(
    "You ask whether the order of the tasks matters. It does for descent in sequence; but joint training and a mean of "
    "the whole memory don't care about it, and recall nothing."
)
def by_order(start):
    return any(
        np.abs(_starts(start, _LINES[list(order)], _LINES[0]) - _starts(start, _LINES, _LINES[0])).max() > 0.5
        for order in itertools.permutations(range(3))
    )


@no_memory_exercise.mistake(
    "You ask whether the start depends on the new task. It also does if the wrong entry is recalled: ask whether "
    "it is near the right one."
)
def any_dependence(start):
    starts = [_starts(start, _LINES, line) for line in _LINES]
    return bool(np.abs(starts[0] - starts[1]).max() < 0.1)


@no_memory_exercise.mistake("It finds nothing, whatever the program does: a test that cannot fail is no test.")
def never(start):
    _starts(start, _LINES, _LINES[0])
    return False


@no_memory_exercise.also_right
def by_loss(begin):
    chance = np.random.default_rng(0)
    for _ in range(20):
        lines = chance.permutation([(0, 3), (0, -3), (4, 0), (-4, 0)])
        xs = chance.uniform(-2, 2, size=(4, 10))
        ys = lines[:, :1] + lines[:, 1:] * xs
        x = chance.uniform(-2, 2, size=10)
        a, b = lines[chance.integers(4)]
        t0, t1 = begin(xs, ys, x, a + b * x)
        if np.mean((t0 + t1 * x - a - b * x) ** 2) > 0.5:
            return True
    return False
