"""Which start a learner looks for, where tasks are parabolas, and up to which rate the first order is good enough."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function, Value

counts_most = Choice(
    "Predict: which task counts most",
    r"""
    Three tasks are parabolas $\frac{1}{2} h (\theta - c)^2$ with the curvatures h = 1, 5 and 10. The inner loop is one
    step with α = 0.1. Which task counts most for the start that MAML looks for, and which for that of joint training?
    """,
    options={
        "a": (
            "h = 10 for both",
            "For joint training, yes. But a step multiplies the distance to the minimum by 1 − αh, which is 0 for "
            "h = 10: after it that task has no loss, wherever it started.",
        ),
        "b": (
            "h = 5 for MAML, h = 10 for joint training",
            "Joint training counts by h. MAML counts by h (1 − αh)²: 0.81 for h = 1, 1.25 for h = 5, and 0 for h = 10, "
            "which one step solves from anywhere.",
        ),
        "c": (
            "h = 1 for MAML, h = 10 for joint training",
            "The step leaves most of the distance for h = 1, 0.9 of it. But a distance also costs less there: "
            "h (1 − αh)² is 0.81, and more for another task.",
        ),
        "d": (
            "h = 10 for MAML, h = 1 for joint training",
            "The other way round, nearly: joint training counts by h, and the task with h = 10 is solved by one step.",
        ),
    },
    right="b",
    hints=(
        "What is left of θ − c after one step, and what does that cost?",
        "MAML's loss of a task is ½ h (1 − αh)² (θ − c)². Compute h (1 − αh)² for the three.",
    ),
)


def _parabolas(rng: np.random.Generator) -> tuple:
    return rng.uniform(0.2, 4, size=5), rng.normal(size=5), rng.uniform(0.1, 0.2), int(rng.integers(2, 5))


best_start_exercise = Function(
    "The best start for parabolas",
    r"""
    Tasks are parabolas $\frac{1}{2} h_t (\theta - c_t)^2$. The inner loop takes n gradient steps with the rate α from a
    common start. Derive the start with the smallest mean loss **after** the inner loop, the one MAML looks for.
    """,
    example=(np.array([1.0, 5.0, 10.0]), np.array([-1.0, 0.0, 2.0]), 0.1, 1),
    draw=_parabolas,
    hints=(
        "n steps multiply the distance to the minimum by (1 − αh)ⁿ. Write down the mean loss, and its derivative.",
        "The derivative is the mean of w (θ − c) with w = h (1 − αh)²ⁿ: it is zero at a weighted mean of c.",
    ),
)


@best_start_exercise.reference(
    "A weighted mean of the minima: w = h (1 − αh)²ⁿ says what a distance costs after the inner loop."
)
def best_start(h, c, alpha, n):
    """The start with the least mean loss after n steps, for curvatures h [T], minima c [T] and the rate alpha."""
    w = h * (1 - alpha * h) ** (2 * n)
    return (w * c).sum() / w.sum()


@best_start_exercise.mistake(
    "That is joint training's: the least loss before the inner loop. A task then counts by h alone."
)
def joint_training(h, c, alpha, n):
    return (h * c).sum() / h.sum()


@best_start_exercise.mistake(
    "That is where FOMAML comes to rest. The loss after the loop has (1 − αh)ⁿ squared, so it stands in the derivative "
    "twice: once for where the loop ends, once for how the end moves with the start."
)
def first_order(h, c, alpha, n):
    w = h * (1 - alpha * h) ** n
    return (w * c).sum() / w.sum()


@best_start_exercise.mistake(
    "That is Reptile's: it weighs a task by how much of the way to its minimum the inner loop goes."
)
def reptile(h, c, alpha, n):
    w = 1 - (1 - alpha * h) ** n
    return (w * c).sum() / w.sum()


@best_start_exercise.mistake(
    "You count all tasks the same: that is the start nearest to all minima. What counts is the loss, and when "
    "it is measured."
)
def plain_mean(h, c, alpha, n):
    return c.mean()


@best_start_exercise.mistake("h is missing in the weights: what is left of a distance costs more in a steep parabola.")
def distance_left(h, c, alpha, n):
    w = (1 - alpha * h) ** (2 * n)
    return (w * c).sum() / w.sum()


@best_start_exercise.mistake(
    "Your inner loop has one step. Each of the n steps multiplies the distance by 1 − αh again."
)
def one_step(h, c, alpha, n):
    return best_start(h, c, alpha, 1)


@best_start_exercise.mistake("You take the mean of w c without dividing by the mean of w.")
def not_normalised(h, c, alpha, n):
    return (h * (1 - alpha * h) ** (2 * n) * c).mean()


@best_start_exercise.also_right
def by_newton(curvatures, minima, rate, steps):
    def after(start):
        theta = np.full(len(minima), start)
        for _ in range(steps):
            theta = theta - rate * curvatures * (theta - minima)
        return np.mean(curvatures * (theta - minima) ** 2) / 2

    slope, curvature = (after(1.0) - after(-1.0)) / 2, after(1.0) - 2 * after(0.0) + after(-1.0)
    return -slope / curvature


largest_downhill_rate = Value(
    "Up to which rate does the first order lead downhill?",
    r"""
    One inner step on a support loss with the Hessian $H = \mathrm{diag}(4, 1)$; after it the gradient of the query loss
    is g = (3, 1). FOMAML takes g for the outer gradient, and steps against it. From which rate α on does that lead
    uphill?
    """,
    answer=10 / 37,
    why="The exact gradient is (I − αH) g, and its product with g is (1 − κ) ‖g‖² with κ = α gᵀHg / gᵀg = 3.7 α. The "
    "sign changes at κ = 1, so at α = 1/3.7.",
    hints=(
        "When is the scalar product of g and (I − αH) g negative?",
        "It is gᵀg − α gᵀHg = 10 − 37 α.",
    ),
)
largest_downhill_rate.mistake(
    "1/4 is the bound for a g along the steepest direction. Yours has a part in the flat one too.", 0.25
)
largest_downhill_rate.mistake("At 2/4 the inner loop itself diverges; the first order is wrong much earlier.", 0.5)
largest_downhill_rate.mistake(
    "Twice too large: at κ = 2 steps along g diverge, but the product changes its sign at κ = 1.", 20 / 37
)
largest_downhill_rate.mistake(
    "You weighed both curvatures the same. g has 9/10 of its squared length in the steep direction.", 0.4
)
largest_downhill_rate.mistake(
    "That is the curvature along g. The question is for the rate at which rate × curvature is 1.", 3.7
)
largest_downhill_rate.mistake("g counts with its square: gᵀHg = 4 · 9 + 1 · 1, and gᵀg = 9 + 1.", 4 / 13)
largest_downhill_rate.also_right(0.27)
largest_downhill_rate.also_right(np.float64(1 / 3.7))
