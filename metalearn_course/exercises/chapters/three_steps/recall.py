"""The order of the three steps, and what a memory recalls: in its family and outside of it."""

import numpy as np

from metalearn_course.exercises.engine import Function, Order, Value

steps_in_order = Order(
    "The three steps in order",
    'The article\'s recipe with its memory, as a program; what is in the loop follows it. A word such as "abcde".',
    lines={
        "a": "learn: several times θ ← θ − α∇L(θ, D)",
        "b": "initialise: θ₀ ← random weights, M ← {}",
        "c": "store: M ← M ∪ {(θ, D)}",
        "d": "for each task, with its support set D:",
        "e": "transfer: θ ← what M recalls for D (θ₀ while M is empty)",
    },
    right="bdeac",
    why="Initialise once. Then for each task: recall needs D, learning starts from what was recalled, and what is "
    "stored is what learning reached.",
    hints=("What happens once, and what for each task?", "Recall needs D; storing needs the θ that learning reached."),
)
steps_in_order.mistake(
    "You initialise inside the loop: the memory is emptied before every task, so each starts from scratch.",
    "dbeac",
    "forgets",
)
steps_in_order.mistake(
    "You store before you have learned: the memory keeps what the task started from, not what it taught.",
    "bdeca",
    "stored too early",
)
steps_in_order.mistake(
    "The transfer comes after learning and overwrites what was learned. It gives the *start* of learning.",
    "bdaec",
    "transfer too late",
)
steps_in_order.mistake(
    "You store before you recall: nearest to D is then D itself, with weights that have learned nothing of it.",
    "bdcea",
    "recalls itself",
)
steps_in_order.mistake(
    "You recall before the loop, where there is no D yet: every task would start from the same θ.", "bedac", "no task"
)


def _tasks(rng: np.random.Generator) -> tuple:
    x = rng.uniform(-3, 3, size=(4, 5))
    y = rng.uniform(0.5, 3, size=(4, 1)) * np.sin(x - rng.uniform(0, np.pi, size=(4, 1))) + 0.1 * rng.normal(
        size=(4, 5)
    )
    return x[:3], y[:3], x[3], y[3], rng.normal(size=6)


recall_exercise = Function(
    "The memory's recall from scratch",
    r"""
    Two tasks are as far apart as the simple functions that their support sets suggest. With $F$ given frequencies,
    a row $\varphi(x)$ is all $\cos(x f)$ followed by all $\sin(x f)$, divided by $\sqrt F$. Ridge regression fits
    $w = \varphi(X)^\top (\varphi(X) \varphi(X)^\top + \lambda I)^{-1} y$ with λ = 0.1, and the distance is
    $\lVert w - w' \rVert$. Return a pair: the position of the stored task that is nearest to the new one, and the
    distances to all of them.
    """,
    example=(
        np.array([[0.0, 1.0], [1.0, 2.0], [0.0, 2.0]]),
        np.array([[1.0, 1.0], [0.0, 2.0], [-1.0, -1.0]]),
        np.array([0.5, 1.5]),
        np.array([0.0, 1.0]),
        np.array([0.5, 1.0]),
    ),
    draw=_tasks,
    hints=(
        "First a function that gives w for one support set; then it is called for the new one and for each stored one.",
        "`angles = np.outer(x, frequencies)`, features `[S, 2F]`, and `np.linalg.solve` for the inverse times y.",
    ),
)


def _waves(x, frequencies):
    angles = np.outer(x, frequencies)
    return np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(len(frequencies))


def _embed(x, y, frequencies, ridge=0.1):
    waves = _waves(x, frequencies)
    return waves.T @ np.linalg.solve(waves @ waves.T + ridge * np.eye(len(x)), y)


def _nearest(distances):
    return int(np.argmin(distances)), np.array(distances)


@recall_exercise.reference(
    "Points of two tasks lie at different places and cannot be compared one by one; functions can. It is "
    "`metalearn_lib.memory.task_embedding` in five lines, and `Memory.recall` takes the least distance."
)
def recall(stored_x, stored_y, x, y, frequencies):
    """Nearest position, and distances [N]: for stored_x, stored_y [N, S], the new x, y [S] and frequencies [F]."""
    count = len(frequencies)

    def embed(x, y):
        angles = np.outer(x, frequencies)
        waves = np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(count)
        return waves.T @ np.linalg.solve(waves @ waves.T + 0.1 * np.eye(len(x)), y)

    here = embed(x, y)
    distances = [np.linalg.norm(embed(a, b) - here) for a, b in zip(stored_x, stored_y, strict=True)]
    return np.argmin(distances), distances


@recall_exercise.mistake(
    "You compare the answers point by point. The first point of one task lies elsewhere than the first of another: "
    "their difference says nothing, and there may be more points here than there. Compare the fitted w."
)
def point_by_point(stored_x, stored_y, x, y, frequencies):
    return _nearest(np.linalg.norm(stored_y - y, axis=1))


@recall_exercise.mistake(
    "You compare where the examples happen to lie, not what they answer: two tasks with the same x would be the same."
)
def where_the_examples_lie(stored_x, stored_y, x, y, frequencies):
    return _nearest(np.linalg.norm(stored_x - x, axis=1))


@recall_exercise.mistake(
    "λ is missing: w then goes through every point exactly, and blows up where two of them nearly coincide."
)
def no_ridge(stored_x, stored_y, x, y, frequencies):
    here = _embed(x, y, frequencies, 0.0)
    return _nearest(
        [np.linalg.norm(_embed(a, b, frequencies, 0.0) - here) for a, b in zip(stored_x, stored_y, strict=True)]
    )


@recall_exercise.mistake(
    "Your φ is not divided by √F: φ(x)·φ(x′) then grows with the number of frequencies, and λ means little."
)
def features_too_long(stored_x, stored_y, x, y, frequencies):
    ridge = 0.1 / len(frequencies)
    scale = np.sqrt(len(frequencies))
    here = _embed(x, y, frequencies, ridge)
    pairs = zip(stored_x, stored_y, strict=True)
    return _nearest([np.linalg.norm(_embed(a, b, frequencies, ridge) - here) / scale for a, b in pairs])


@recall_exercise.mistake(
    "Those are squared distances. The order stays the same; the question asks for ‖w − w′‖ itself."
)
def squared(stored_x, stored_y, x, y, frequencies):
    nearest, distances = recall(stored_x, stored_y, x, y, frequencies)
    return nearest, np.square(distances)


@recall_exercise.mistake("You recall the farthest one: take the least distance.")
def farthest(stored_x, stored_y, x, y, frequencies):
    _, distances = recall(stored_x, stored_y, x, y, frequencies)
    return np.argmax(distances), distances


@recall_exercise.mistake(
    "That is how badly each stored function fits the new points. It asks about these few places only, and in one "
    "direction; ‖w − w′‖ compares the two functions everywhere."
)
def misfit(stored_x, stored_y, x, y, frequencies):
    waves = _waves(x, frequencies)
    pairs = zip(stored_x, stored_y, strict=True)
    return _nearest([np.linalg.norm(waves @ _embed(a, b, frequencies) - y) for a, b in pairs])


@recall_exercise.also_right
def other_side(xs, ys, new_x, new_y, f):
    def fit(x, y):
        phi = np.array([[np.cos(a * b) for b in f] + [np.sin(a * b) for b in f] for a in x]) / len(f) ** 0.5
        return np.linalg.inv(phi.T @ phi + 0.1 * np.eye(2 * len(f))) @ phi.T @ y

    apart = [float(np.sqrt(((fit(x, y) - fit(new_x, new_y)) ** 2).sum())) for x, y in zip(xs, ys, strict=True)]
    return [apart.index(min(apart)), apart]


@recall_exercise.also_right
def by_the_kernel(xs, ys, new_x, new_y, f):
    def kernel(a, b):
        return np.cos((a[:, None, None] - b[None, :, None]) * f).mean(axis=-1)

    def solve(x, y):
        return np.linalg.solve(kernel(x, x) + 0.1 * np.eye(len(x)), y)

    new, apart = solve(new_x, new_y), []
    for x, y in zip(xs, ys, strict=True):
        old = solve(x, y)
        squares = old @ kernel(x, x) @ old + new @ kernel(new_x, new_x) @ new - 2 * old @ kernel(x, new_x) @ new
        apart.append(np.sqrt(squares))
    return int(np.argmin(apart)), np.array(apart)


outside_the_family = Value(
    "Predict: a task from outside the family",
    r"""
    A memory holds sinusoids $A \sin(x - \varphi)$ of every amplitude from 0 to 5 and every phase from 0 to π, densely.
    A new task comes with A = 4 and φ = 5π/4, a phase that it has never seen, and so many examples that there is no
    doubt about the curve. Distances are those of the functions over a whole period. Which entry does it recall? Give
    its amplitude and its phase (in rad), as a list.
    """,
    answer=[2.8284, 3.1416],
    why="A sin(x − φ) = a sin x − b cos x with (a, b) = A (cos φ, sin φ), and over a period distances are those in the "
    "plane of (a, b). The memory fills the half-disc b ≥ 0; the new task is at (−2.83, −2.83), and the nearest point "
    "of the half-disc is (−2.83, 0): A = 2.83, φ = π. Recall always gives something, here a wave that is too small and "
    "shifted; only the distance, as large as its amplitude, tells that it is not the task.",
    hints=(
        "Draw the plane of a = A cos φ and b = A sin φ. Which part of it does the memory fill?",
        "The new task is at (−2.83, −2.83). Which point with b ≥ 0 is nearest to it?",
    ),
)
outside_the_family.mistake(
    "The same amplitude at the nearest phase is (−4, 0) in the plane, 3.06 away. Amplitude and phase are not recalled "
    "one by one: a smaller wave is nearer.",
    [4, np.pi],
    "phase clipped",
)
outside_the_family.mistake(
    "That is the task itself, and it is not in the memory: recall gives what was stored, it does not extend it.",
    [4, 5 * np.pi / 4],
    "the task itself",
)
outside_the_family.mistake(
    "Half a wave length away is the same curve upside down: of that amplitude it is the farthest there is.",
    [4, np.pi / 4],
    "upside down",
)
outside_the_family.mistake(
    "The flat curve is 4 away. Some overlap with the task is better than none: at φ = π there is some.", [0, 0], "flat"
)
outside_the_family.mistake(
    "An amplitude of 0 is the flat curve, whatever its phase: it is 4 away. A wave at φ = π overlaps with the task.",
    [0, np.pi],
    "flat, with a phase",
)
outside_the_family.mistake(
    "The amplitude is right. At φ = 0 the wave is upside down: a = A cos φ is −2.83 at φ = π.", [2.8284, 0], "φ = 0"
)
outside_the_family.also_right((2 * np.sqrt(2), np.pi))
outside_the_family.also_right(np.array([2.83, 3.14]))
