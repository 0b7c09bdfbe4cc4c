"""Gradients with respect to the rates, through a long inner loop, and at its minimum."""

import numpy as np

from metalearn_course.exercises.engine import Function


def _lines(rng: np.random.Generator) -> tuple:
    return (
        rng.normal(size=3),
        rng.uniform(0.05, 0.3, size=3),
        rng.normal(size=(4, 3)),
        rng.normal(size=4),
        rng.normal(size=(5, 3)),
        rng.normal(size=5),
    )


rate_gradient_exercise = Function(
    "Meta-SGD: the gradient with respect to the rates",
    r"""
    A linear model $w \cdot x$ with the loss $L = \frac{1}{2n} \sum_i (w \cdot x_i - y_i)^2$. Every weight has its own
    rate, $w' = w - a \circ \nabla L_\text{support}(w)$. Return the gradient of the query loss $L_\text{query}(w')$ with
    respect to the **rates** a.
    """,
    example=(
        np.array([1.0, 2.0]),
        np.array([0.5, 0.1]),
        np.array([[1.0, 0.0], [0.0, 1.0]]),
        np.array([0.0, 0.0]),
        np.array([[1.0, 1.0]]),
        np.array([0.0]),
    ),
    draw=_lines,
    hints=(
        "Each rate moves one weight: the derivative of w′ₖ with respect to aₖ is −∂L_support/∂wₖ.",
        "The gradient of the mean loss is `x.T @ (x @ w - y) / len(y)`. You need it twice, at two points.",
    ),
)


def _slope(w, x, y):
    return x.T @ (x @ w - y) / len(y)


@rate_gradient_exercise.reference(
    "−∇L_support(w) ∘ ∇L_query(w′): a rate grows while the two gradients agree in a weight, and falls, below zero if "
    "need be, where they do not (Li et al. 2017, algorithm 1)."
)
def rate_gradient(w, a, x, y, query_x, query_y):
    """The gradient [D] with respect to a [D], at w [D], for a support x [S, D], y [S] and queries [Q, D], [Q]."""
    slope = x.T @ (x @ w - y) / len(y)
    after = w - a * slope
    return -slope * (query_x.T @ (query_x @ after - query_y) / len(query_y))


@rate_gradient_exercise.mistake(
    "The sign is missing: w′ falls as a rate grows along its slope, so its derivative is minus the slope."
)
def no_sign(w, a, x, y, query_x, query_y):
    return -rate_gradient(w, a, x, y, query_x, query_y)


@rate_gradient_exercise.mistake(
    "You take the query gradient before the step, at w: the loss whose derivative is wanted is that of w′."
)
def before_the_step(w, a, x, y, query_x, query_y):
    return -_slope(w, x, y) * _slope(w, query_x, query_y)


@rate_gradient_exercise.mistake(
    "You measure the outer loss on the support set: it is the queries' loss that the rates are to lower."
)
def support_as_query(w, a, x, y, query_x, query_y):
    return rate_gradient(w, a, x, y, x, y)


@rate_gradient_exercise.mistake(
    "That is the derivative for one rate common to all weights. Here each weight has its own: no sum."
)
def one_rate(w, a, x, y, query_x, query_y):
    return rate_gradient(w, a, x, y, query_x, query_y).sum()


@rate_gradient_exercise.mistake(
    "a itself is in your result: that is the derivative with respect to log a. w′ is linear in a."
)
def of_the_logarithm(w, a, x, y, query_x, query_y):
    return a * rate_gradient(w, a, x, y, query_x, query_y)


@rate_gradient_exercise.mistake(
    "That is the gradient with respect to w′. By the chain rule it is multiplied by how w′ moves with a."
)
def with_respect_to_the_end(w, a, x, y, query_x, query_y):
    return _slope(w - a * _slope(w, x, y), query_x, query_y)


@rate_gradient_exercise.mistake(
    "That is MAML's gradient, with respect to the start w. The question asks for that with respect to the rates."
)
def with_respect_to_the_start(w, a, x, y, query_x, query_y):
    v = with_respect_to_the_end(w, a, x, y, query_x, query_y)
    return v - x.T @ (x @ (a * v)) / len(y)


@rate_gradient_exercise.mistake("The loss has ½: its gradient is xᵀ(xw − y)/n, without a 2.")
def factor_2(w, a, x, y, query_x, query_y):
    slope = 2 * x.T @ (x @ w - y) / len(y)
    after = w - a * slope
    return -slope * (2 * query_x.T @ (query_x @ after - query_y) / len(query_y))


@rate_gradient_exercise.mistake("The gradients are sums over examples; the loss is a mean: divide by n.")
def sum_for_mean(w, a, x, y, query_x, query_y):
    slope = x.T @ (x @ w - y)
    after = w - a * slope
    return -slope * (query_x.T @ (query_x @ after - query_y))


@rate_gradient_exercise.mistake(
    "The product with the support gradient is summed to one number: each weight has a rate of its own."
)
def one_number(w, a, x, y, query_x, query_y):
    return np.full_like(w, rate_gradient(w, a, x, y, query_x, query_y).sum())


@rate_gradient_exercise.also_right
def by_differences(start, rates, xs, ys, qx, qy):
    def outer(r):
        end = start - r * (xs.T @ (xs @ start - ys)) / len(ys)
        return np.mean((qx @ end - qy) ** 2) / 2

    return [(outer(rates + 0.5 * e) - outer(rates - 0.5 * e)) for e in np.eye(len(rates))]


def hessians(rng: np.random.Generator, number: int) -> np.ndarray:
    halves = rng.normal(size=(number, 3, 3))
    return halves @ np.swapaxes(halves, 1, 2)


walk_back_exercise = Function(
    "Walking back through the inner loop",
    r"""
    An inner loop of n steps $\varphi_{k+1} = \varphi_k - \alpha \nabla L(\varphi_k)$ went from $\varphi_0 = \theta$ to
    $\varphi_n$. You kept the Hessians $H_0, \dots, H_{n-1}$ of $L$ at the points where a step began. Given g, the
    gradient of the outer loss at $\varphi_n$, return its gradient with respect to θ, exactly.
    """,
    example=(np.array([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]]), np.array([1.0, 2.0]), 0.5),
    draw=lambda rng: (hessians(rng, 4), rng.normal(size=3), rng.uniform(0.1, 0.3)),
    hints=(
        "One step: dφ₁/dφ₀ = I − αH₀. For two, the chain rule multiplies the matrices; g meets the last step first.",
        "`for H in hessians[::-1]: v = v - alpha * H @ v`, beginning with v = g.",
    ),
)


@walk_back_exercise.reference("(I − αH₀) ··· (I − αHₙ₋₁) g: each step back is one product of a Hessian and a vector.")
def walk_back(hessians, g, alpha):
    """The gradient [D] with respect to the start, from Hessians [n, D, D], g [D] at the end, and the rate alpha."""
    for hessian in hessians[::-1]:
        g = g - alpha * hessian @ g
    return g


@walk_back_exercise.mistake(
    "You walk forwards: g is known at the end, so the last step comes first. Matrices do not commute."
)
def forwards(hessians, g, alpha):
    return walk_back(hessians[::-1], g, alpha)


@walk_back_exercise.mistake("That is the first order: it leaves out how the end moves with the start, step by step.")
def first_order(hessians, g, alpha):
    return g


@walk_back_exercise.mistake("You went back through one step, the last. There are n of them.")
def last_step_only(hessians, g, alpha):
    return g - alpha * hessians[-1] @ g


@walk_back_exercise.mistake(
    "You use the first Hessian for every step. The curvature changes on the way: each step has its own."
)
def one_hessian(hessians, g, alpha):
    return walk_back(np.repeat(hessians[:1], len(hessians), axis=0), g, alpha)


@walk_back_exercise.mistake(
    "You add the steps' corrections, all with g. They multiply: each works on what the one before has left."
)
def added(hessians, g, alpha):
    return g - alpha * sum(hessian @ g for hessian in hessians)


@walk_back_exercise.mistake(
    "The sign before the Hessian is flipped: the step subtracts the gradient, so dφ′/dφ = I − αH."
)
def plus_hessian(hessians, g, alpha):
    return walk_back(hessians, g, -alpha)


@walk_back_exercise.mistake("α is missing before the Hessian: dφ′/dφ = I − αH.")
def no_rate(hessians, g, alpha):
    return walk_back(hessians, g, 1.0)


@walk_back_exercise.also_right
def with_matrices(matrices, gradient, rate):
    jacobian = np.eye(len(gradient))
    for matrix in matrices:
        jacobian = (np.eye(len(gradient)) - rate * matrix) @ jacobian
    return jacobian.T @ gradient
