"""What a learned update sees, and the opponents it has to beat."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function


def _draw_gradients(rng: np.random.Generator) -> tuple:
    """Gradients of all sizes on both sides of e^(−p)."""
    return rng.choice([-1, 1], size=8) * np.exp(rng.uniform(-9, 3, size=8)), float(rng.uniform(3, 6))


preprocess_exercise = Function(
    "Gradients of all sizes",
    r"""
    Gradients differ by many orders of magnitude, and a network cannot deal with that. So the learned optimiser sees two
    numbers for each (Andrychowicz et al. 2016, appendix A): $\left(\frac{\ln|\nabla|}{p},\ \mathrm{sgn}\,\nabla\right)$
    where $|\nabla| \ge e^{-p}$, and $(-1,\ e^p\,\nabla)$ elsewhere. Return them, a row for each gradient. A gradient
    may be 0.
    """,
    example=(np.array([1.0, -np.exp(-2), 0.0, np.exp(-5)]), 4.0),
    draw=_draw_gradients,
    hints=(
        "`np.where(large, a, b)` computes both a and b everywhere: keep zero out of the logarithm.",
        "`np.log(np.maximum(abs(g), e^-p)) / p`, and `np.clip(g * e^p, -1, 1)`: both cases are in it.",
    ),
)


@preprocess_exercise.reference(
    "The logarithm tells the size, the second number the direction; both are of order one, and continuous."
)
def preprocess(gradients, p):
    """Two numbers for each of the gradients [P]: [P, 2]."""
    size = np.maximum(np.abs(gradients), np.exp(-p))
    return np.stack([np.log(size) / p, np.clip(gradients * np.exp(p), -1, 1)], axis=1)


@preprocess_exercise.mistake(
    "You use the first formula everywhere. For tiny gradients the logarithm has no lower end, and ln 0 = −∞."
)
def no_lower_end(gradients, p):
    size = np.maximum(np.abs(gradients), 1e-30)
    return np.stack([np.log(size) / p, np.sign(gradients)], axis=1)


@preprocess_exercise.mistake(
    "For tiny gradients the second number is e^p ∇, between −1 and 1: the sign alone jumps around zero."
)
def sign_everywhere(gradients, p):
    return np.stack([preprocess(gradients, p)[:, 0], np.sign(gradients)], axis=1)


@preprocess_exercise.mistake("The direction is lost: the second number carries the sign of the gradient.")
def no_direction(gradients, p):
    return preprocess(np.abs(gradients), p)


@preprocess_exercise.mistake("The logarithm is not divided by p: the first number has to start at −1.")
def undivided(gradients, p):
    return preprocess(gradients, p) * np.array([p, 1.0])


@preprocess_exercise.mistake(
    "The question asks for one row per gradient, [P, 2]; you return a row for each of the two numbers."
)
def wrong_axis(gradients, p):
    return preprocess(gradients, p).T


@preprocess_exercise.mistake(
    "The logarithm of 0: where a gradient is smaller than e^{-p}, the second form holds, (−1, eᵖ∇)."
)
def log_of_zero(gradients, p):
    with np.errstate(divide="ignore"):
        return np.stack([np.log(np.abs(gradients)) / p, np.sign(gradients)], axis=1)


@preprocess_exercise.mistake(
    "A small number inside the logarithm keeps it finite, and gives numbers that nobody defined: use the second form "
    "below e^{-p}."
)
def log_with_epsilon(gradients, p):
    return np.stack([np.log(np.abs(gradients) + 1e-8) / p, np.sign(gradients)], axis=1)


@preprocess_exercise.also_right
def case_by_case(values, p):
    from math import copysign, exp, log

    return [(log(abs(v)) / p, copysign(1, v)) if abs(v) >= exp(-p) else (-1, exp(p) * v) for v in values]


def _draw_path(rng: np.random.Generator) -> tuple:
    return rng.normal(size=(int(rng.integers(3, 7)), 2)) * [1.0, 1e-4], float(rng.uniform(0.05, 0.5))


def _adam(gradients, rate, decay=(0.9, 0.999), corrected=(True, True), root=True, shift=0):
    m, v, w = 0.0, 0.0, np.zeros(gradients.shape[1])
    for t, g in enumerate(gradients, start=1 + shift):
        m, v = decay[0] * m + (1 - decay[0]) * g, decay[1] * v + (1 - decay[1]) * g**2
        a = m / (1 - decay[0] ** t) if corrected[0] else m
        b = v / (1 - decay[1] ** t) if corrected[1] else v
        w = w - rate * a / ((np.sqrt(b) if root else b) + 1e-8)
    return w


adam_exercise = Function(
    "The opponent: Adam",
    r"""
    A learned update has to beat Adam, so Adam has to be right (Kingma and Ba 2015, algorithm 1). Start at $w = 0$ with
    $m = v = 0$, and for the gradients $g_1, g_2, \dots$ in turn: $m \leftarrow 0.9\,m + 0.1\,g_t$,
    $v \leftarrow 0.999\,v + 0.001\,g_t^2$, then $w \leftarrow w - \alpha\,\hat m / (\sqrt{\hat v} + 10^{-8})$ with
    $\hat m = m / (1 - 0.9^t)$, $\hat v = v / (1 - 0.999^t)$. Return the last $w$.
    """,
    example=(np.array([[2.0, 0.01], [2.0, -0.01]]), 0.1),
    draw=_draw_path,
    hints=(
        "In the first step m̂ = g and v̂ = g²: each weight moves by α, whatever the size of its gradient.",
        "Loop with `enumerate(gradients, start=1)`; all operations act on each weight by itself.",
    ),
)


@adam_exercise.reference(
    "Dividing by (1 − βᵗ) takes out that m and v started at zero; else the first steps would be wrong."
)
def adam(gradients, alpha):
    """The weights [D] after Adam's steps with the gradients [T, D], from zero."""
    m = v = w = np.zeros(gradients.shape[1])
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - alpha * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


@adam_exercise.mistake(
    "The correction of v is missing: v starts at zero and grows slowly, so the first steps are far too long."
)
def v_uncorrected(gradients, alpha):
    return _adam(gradients, alpha, corrected=(True, False))


@adam_exercise.mistake("The correction of m is missing: m starts at zero, so the first steps are ten times too short.")
def m_uncorrected(gradients, alpha):
    return _adam(gradients, alpha, corrected=(False, True))


@adam_exercise.mistake("Neither m nor v is corrected for having started at zero.")
def uncorrected(gradients, alpha):
    return _adam(gradients, alpha, corrected=(False, False))


@adam_exercise.mistake("The root of v̂ is missing: then a weight with small gradients would get enormous steps.")
def no_root(gradients, alpha):
    return _adam(gradients, alpha, root=False)


@adam_exercise.mistake("0.9 and 0.999 are swapped: m forgets fast, v slowly.")
def swapped(gradients, alpha):
    return _adam(gradients, alpha, decay=(0.999, 0.9))


@adam_exercise.mistake(
    "Your 10⁻⁸ is under the root, where it is 10⁻⁴ in effect: weights with small gradients hardly move then."
)
def epsilon_under_the_root(gradients, alpha):
    m = v = w = np.zeros(gradients.shape[1])
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - alpha * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t) + 1e-8)
    return w


@adam_exercise.mistake("You go up the gradient.")
def uphill(gradients, alpha):
    return -adam(gradients, alpha)


@adam_exercise.also_right
def weight_by_weight(table, rate):
    result = []
    for column in table.T.tolist():
        m = v = w = 0.0
        for t, g in enumerate(column):
            m, v = m + (g - m) / 10, v + (g * g - v) / 1000
            w -= rate * m / (1 - 0.9 ** (t + 1)) / ((v / (1 - 0.999 ** (t + 1))) ** 0.5 + 1e-8)
        result.append(w)
    return result


honest_comparison = Choice(
    "An honest comparison",
    "A learned update is compared with Adam on 300 test tasks. Which comparison is fair to both?",
    options={
        "a": (
            "Adam with its default rate of 0.001.",
            "A default was chosen for no particular family. In ten steps of 0.001 Adam hardly moves, and anything "
            "beats it.",
        ),
        "b": (
            "Adam with the rate that is best on these 300 tasks.",
            "Then Adam has seen the test tasks. That makes the comparison cautious, but the number is not one "
            "that a user would get.",
        ),
        "c": (
            "Adam with the rate that is best on the loss after 100 steps, both compared after 10.",
            "Then one of them was chosen for what is measured and the other for something else.",
        ),
        "d": (
            "Adam with the rate that is best on other tasks of the same family, after as many steps.",
            "Both were fitted to the family with the same aim, and neither has seen the tasks of the test.",
        ),
    },
    right="d",
    hints=("What has each of the two been fitted to?", "Same aim, same family, other tasks."),
)
