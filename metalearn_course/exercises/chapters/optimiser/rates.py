"""The gradient of a rate, and the horizon over which a rate is best."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function


def _draw(rng: np.random.Generator) -> tuple:
    return rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=7), float(rng.uniform(0.05, 0.3))


def _gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 2 * x.T @ (x @ w - y) / len(y)


hypergradient_exercise = Function(
    "The hypergradient",
    r"""
    One step of gradient descent leads from $w$ to $w' = w - \alpha \nabla L(w)$. Return the derivative of the loss
    *after* the step with respect to the rate, $\partial L(w') / \partial\alpha$, for the mean squared error
    $L(w) = \frac1n \sum_i (x_i \cdot w - y_i)^2$.
    """,
    example=(np.array([1.0, 0.0]), np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.0, 2.0]), 0.25),
    draw=_draw,
    hints=(
        "The chain rule: how does L change with w′, and how does w′ change with α?",
        "−∇L(w′) · ∇L(w), with ∇L(w) = 2 xᵀ(x w − y) / n.",
    ),
)


@hypergradient_exercise.reference(
    "∂w′/∂α = −∇L(w), so the derivative is −∇L(w′)·∇L(w): negative while both point the same way."
)
def hypergradient(w, x, y, alpha):
    """∂L(w′)/∂α, a number, for weights w [D], examples x [n, D] with targets y [n] and the rate alpha."""

    def gradient(w):
        return 2 * x.T @ (x @ w - y) / len(y)

    before = gradient(w)
    return -gradient(w - alpha * before) @ before


@hypergradient_exercise.mistake("The sign: a step goes *against* the gradient, so ∂w′/∂α = −∇L(w).")
def sign_flipped(w, x, y, alpha):
    return -hypergradient(w, x, y, alpha)


@hypergradient_exercise.mistake(
    "You multiply the gradient at w by itself. The outer one is that of the loss after the step, at w′."
)
def same_place(w, x, y, alpha):
    g = _gradient(w, x, y)
    return -g @ g


@hypergradient_exercise.mistake("There is one α too many: w′ = w − αg changes by −g when α changes by one, not by −αg.")
def times_alpha(w, x, y, alpha):
    return alpha * hypergradient(w, x, y, alpha)


@hypergradient_exercise.mistake(
    "Your loss is the sum over the examples; here it is the mean, so each gradient is n times smaller."
)
def sum_for_mean(w, x, y, alpha):
    n, g = len(y), _gradient(w, x, y) * len(y)
    return -n * _gradient(w - alpha * g, x, y) @ g


@hypergradient_exercise.mistake(
    "That is the change of the loss in this step, L(w′) − L(w), not its derivative with respect to α."
)
def change_of_the_loss(w, x, y, alpha):
    after = w - alpha * _gradient(w, x, y)
    return np.mean((x @ after - y) ** 2) - np.mean((x @ w - y) ** 2)


@hypergradient_exercise.mistake(
    "The gradients are without their 2, or with half of the loss: L is the mean of the squares, its gradient 2Xᵀ(Xw − "
    "y)/n."
)
def without_the_2(w, x, y, alpha):
    def slope(w):
        return x.T @ (x @ w - y) / len(y)

    return -slope(w - alpha * slope(w)) @ slope(w)


@hypergradient_exercise.mistake(
    "The two gradients are multiplied entry by entry. The derivative by one number is one number: their scalar product."
)
def entry_by_entry(w, x, y, alpha):
    def slope(w):
        return 2 * x.T @ (x @ w - y) / len(y)

    return -slope(w - alpha * slope(w)) * slope(w)


@hypergradient_exercise.also_right
def by_differences(start, inputs, targets, rate):
    def loss(a):
        w = start - a * _gradient(start, inputs, targets)
        return sum((row @ w - t) ** 2 for row, t in zip(inputs, targets, strict=True)) / len(targets)

    return (loss(rate + 1e-4) - loss(rate - 1e-4)) / 2e-4


best_rate_exercise = Function(
    "The best rate for one step",
    r"""
    A bowl has the curvatures $\lambda_1, \dots, \lambda_D$ along its axes, and its minimum is in a random place, with
    variance 1 along each axis. After one step with rate α the expected loss is
    $F(\alpha) = \sum_i \frac{\lambda_i}{2} (1 - \alpha\lambda_i)^2$. Return the α that makes it smallest.
    """,
    example=(np.array([1.0, 3.0]),),
    draw=lambda rng: (rng.uniform(0.1, 10, size=4),),
    hints=("Set the derivative with respect to α to zero.", "Σ λᵢ² (1 − αλᵢ) = 0. Solve for α."),
)


@best_rate_exercise.reference(
    "Σλ²(1 − αλ) = 0, so α = Σλ² / Σλ³: steep directions count most, and the flat ones hardly."
)
def best_rate(curvatures):
    """The rate that is best for one step, for curvatures [D]."""
    return (curvatures**2).sum() / (curvatures**3).sum()


@best_rate_exercise.mistake(
    "That is the best rate for very many steps, 2/(λmax + λmin), where the slowest direction decides."
)
def for_many_steps(curvatures):
    return 2 / (curvatures.max() + curvatures.min())


@best_rate_exercise.mistake("That rate settles the steepest direction in one step. The others count too, if less.")
def newton_of_the_steepest(curvatures):
    return 1 / curvatures.max()


@best_rate_exercise.mistake("One over the mean curvature: here each direction has to count with its share of the loss.")
def newton_of_the_mean(curvatures):
    return 1 / curvatures.mean()


@best_rate_exercise.mistake(
    "You minimise the distance to the minimum, Σ(1 − αλ)². The loss weighs each direction with λ/2."
)
def distance_for_loss(curvatures):
    return curvatures.sum() / (curvatures**2).sum()


@best_rate_exercise.mistake("That is where descent begins to diverge: the largest rate, not the best.")
def largest(curvatures):
    return 2 / curvatures.max()


@best_rate_exercise.also_right
def by_search(bowl):
    from scipy.optimize import minimize

    return minimize(lambda a: sum(c * (1 - a[0] * c) ** 2 for c in bowl), [0.0]).x[0]


short_horizon = Choice(
    "Predict: a short horizon",
    "One rate is trained so that the loss after 1 inner step is smallest, another so that it is smallest after 100. "
    "Both are then used for 100 steps, on tasks whose curvatures differ a hundredfold. What happens?",
    options={
        "a": (
            "The first is larger: it has only one step to get there.",
            "Too large a step in the steep direction costs more than all the others gain. One step ahead it pays to be "
            "careful.",
        ),
        "b": (
            "Both are the same: the best rate depends on the curvatures only.",
            "It depends on what counts: after one step the steep directions, after a hundred the flattest.",
        ),
        "c": (
            "The first is smaller, and after 100 steps its loss is higher.",
            "One step ahead only steep directions matter; the flat ones, which need a large rate, are paid for later. "
            "This is the short-horizon bias.",
        ),
        "d": (
            "The second diverges, since it is so close to the largest possible rate.",
            "Close to it, but below: in the steep direction it swings and still shrinks. That is what it was chosen "
            "for.",
        ),
    },
    right="c",
    hints=(
        "Which direction dominates the loss after one step? Which after a hundred?",
        "Chapter 11 draws the loss over α for several numbers of steps, with a dot at the best α: where do they lie?",
    ),
)
