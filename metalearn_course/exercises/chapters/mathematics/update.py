"""The update rule: by hand, as a function, and which rates it allows."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function, Value

one_update = Value(
    "One update by hand",
    r"""
    A line $f(x) = \theta_0 + \theta_1 x$ stands at θ = (1, 0). The examples are (1, 1), (2, 3) and (3, 2), the loss is
    the **mean** squared error, and α = 0.3. Where is θ after one update? Give both numbers, as a list.
    """,
    answer=[1.6, 1.4],
    why="The residuals f(x) − y are 0, −2, −1. The gradient is ⅔ (Σ r, Σ r x) = (−2, −14/3), and θ − 0.3 times that is "
    "(1 + 0.6, 0 + 1.4).",
    hints=(
        "First the three residuals f(x) − y, at θ = (1, 0).",
        "∂L/∂θ₀ is ⅔ of the sum of r, ∂L/∂θ₁ is ⅔ of that of r x.",
    ),
)
one_update.mistake("The two numbers are exchanged: θ₀ first, then θ₁.", [1.4, 1.6], "swapped")
one_update.mistake("That is the change, −α∇L. Add it to θ = (1, 0).", [0.6, 1.4], "change only")
one_update.mistake("You went up the gradient: an update subtracts α∇L, so that the loss falls.", [0.4, -1.4], "uphill")
one_update.mistake(
    "Your gradient is that of the sum of squares; the loss is their mean, a third of it.", [2.8, 4.2], "sum"
)
one_update.mistake("The 2 of the square is missing: the derivative of r² is 2r.", [1.3, 0.7], "no factor 2")
one_update.mistake("That is the gradient. The update is θ − α times it.", [-2, -14 / 3], "gradient only")
one_update.mistake(
    "θ₁ got θ₀'s gradient: f changes by x when θ₁ changes, so each residual counts x times.", [1.6, 0.6], "no x"
)
one_update.also_right(np.array([1.6, 1.4]))
one_update.also_right((1 + 0.3 * 2, 0.3 * 14 / 3))

update_exercise = Function(
    "The update rule",
    r"""
    Now for any line and any examples: one step $\theta - \alpha \nabla L(\theta)$, where
    $L = \frac{1}{n} \sum_i (\theta_0 + \theta_1 x_i - y_i)^2$.
    """,
    example=(np.array([1.0, 0.0]), np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]), 0.3),
    draw=lambda rng: (rng.normal(size=2), rng.normal(size=5), rng.normal(size=5), rng.uniform(0.1, 0.5)),
    hints=(
        "Both derivatives come from the same residuals: compute these once, with the old θ.",
        "The gradient is `2 * np.array([r.mean(), (r * x).mean()])`.",
    ),
)


@update_exercise.reference("Both entries of the gradient are taken at the same θ, the old one; then θ moves at once.")
def update(theta, x, y, alpha):
    """Theta [2] after one step, from examples x [n], y [n] and the rate alpha."""
    r = theta[0] + theta[1] * x - y
    return theta - alpha * 2 * np.array([r.mean(), (r * x).mean()])


@update_exercise.mistake("You went up the gradient: the step has to subtract it.")
def uphill(theta, x, y, alpha):
    return theta + (theta - update(theta, x, y, alpha))


@update_exercise.mistake("Your loss is the sum over the examples; the mean makes the step independent of their number.")
def sum_for_mean(theta, x, y, alpha):
    return update(theta, x, y, alpha * len(x))


@update_exercise.mistake("The 2 of the square is missing: the derivative of r² is 2r.")
def no_factor_2(theta, x, y, alpha):
    return update(theta, x, y, alpha / 2)


@update_exercise.mistake(
    "θ₁ is updated with residuals of the new θ₀. A gradient is taken at one point: keep the old θ for both."
)
def one_after_the_other(theta, x, y, alpha):
    first = theta[0] - alpha * 2 * (theta[0] + theta[1] * x - y).mean()
    return np.array([first, theta[1] - alpha * 2 * ((first + theta[1] * x - y) * x).mean()])


@update_exercise.mistake("That is the gradient; the step is θ − α times it.")
def gradient_only(theta, x, y, alpha):
    return (theta - update(theta, x, y, alpha)) / alpha


@update_exercise.also_right
def with_loops(start, inputs, targets, rate):
    gradient = [0.0, 0.0]
    for a, b in zip(inputs, targets, strict=True):
        residual = start[0] + start[1] * a - b
        gradient[0] += 2 * residual / len(inputs)
        gradient[1] += 2 * residual * a / len(inputs)
    return [start[0] - rate * gradient[0], start[1] - rate * gradient[1]]


two_curvatures = Choice(
    "Predict: two curvatures",
    "A loss is a bowl with the curvature 8 in one direction and 0.5 in the other. What do many steps with α = 0.3 do?",
    options={
        "a": (
            "The loss falls in both directions.",
            "A step multiplies the distance to the minimum by 1 − αλ: −1.4 for λ = 8. Its size grows.",
        ),
        "b": (
            "It falls in the flat direction and grows without bound in the steep one.",
            "1 − αλ is 0.85 in the flat direction (shrinks) and −1.4 in the steep one (jumps over the minimum, further "
            "each time). The steepest direction alone limits the rate: α < 2/8.",
        ),
        "c": (
            "It falls in the steep direction; the flat one hardly moves.",
            "True for a small rate. Here α is above 2/λ of the steep direction, so just that one diverges.",
        ),
        "d": (
            "It swings from side to side in both directions, and settles.",
            "Swinging takes a negative 1 − αλ, settling one above −1. Here it is 0.85 and −1.4.",
        ),
    },
    right="b",
    hints=("What does one step do to the distance from the minimum?", "Compute 1 − αλ for both curvatures."),
)
