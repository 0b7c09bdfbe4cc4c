"""The gradient through a minimum, without the way to it."""

import numpy as np

from metalearn_course.exercises.chapters.initialisation.gradients import hessians
from metalearn_course.exercises.engine import Function

implicit_gradient_exercise = Function(
    "The implicit gradient",
    r"""
    iMAML's inner loop ends at the minimum $\varphi$ of
    $L(\varphi) + \frac{\lambda}{2} \lVert \varphi - \theta \rVert^2$. Given the Hessian H of L at $\varphi$ and the
    gradient g of the outer loss there, return the gradient of the outer loss with respect to θ.
    """,
    example=(np.array([[2.0, 0.0], [0.0, 6.0]]), np.array([1.0, 2.0]), 2.0),
    draw=lambda rng: (hessians(rng, 1)[0], rng.normal(size=3), rng.uniform(1.5, 4.0)),
    hints=(
        "At the minimum ∇L(φ) + λ(φ − θ) = 0. Differentiate that with respect to θ.",
        "H dφ/dθ + λ(dφ/dθ − I) = 0, so dφ/dθ = (I + H/λ)⁻¹: `np.linalg.solve`.",
    ),
)


@implicit_gradient_exercise.reference(
    "(I + H/λ) v = g: along a direction of curvature h the end follows the start by the share λ/(λ + h)."
)
def implicit_gradient(hessian, g, pull):
    """The gradient [D] with respect to θ, from the Hessian [D, D] and g [D] at the minimum, and λ, called pull."""
    return np.linalg.solve(np.eye(len(g)) + hessian / pull, g)


@implicit_gradient_exercise.mistake(
    "That is the first order: as if the end moved just as the start does. In steep directions it hardly moves."
)
def one_to_one(hessian, g, pull):
    return g


@implicit_gradient_exercise.mistake(
    "You multiply by I + H/λ; dφ/dθ is its inverse: in a steep task the end follows the start less, not more."
)
def multiplied(hessian, g, pull):
    return g + hessian @ g / pull


@implicit_gradient_exercise.mistake(
    "λ is missing as a factor: (H + λI)⁻¹ is (I + H/λ)⁻¹ divided by λ. With H = 0 the result has to be g."
)
def scaled(hessian, g, pull):
    return np.linalg.solve(hessian + pull * np.eye(len(g)), g)


@implicit_gradient_exercise.mistake(
    "λ stands on the wrong side: it is H/λ. A stronger pull must bring the result nearer to g."
)
def inverted_pull(hessian, g, pull):
    return np.linalg.solve(np.eye(len(g)) + pull * hessian, g)


@implicit_gradient_exercise.mistake(
    "I is missing, which comes from the pull towards θ: without it the end would not depend on the start."
)
def without_identity(hessian, g, pull):
    return np.linalg.solve(hessian / pull, g)


@implicit_gradient_exercise.mistake(
    "I − H/λ belongs to one gradient step with α = 1/λ. At the minimum it is (I + H/λ)⁻¹."
)
def one_step(hessian, g, pull):
    return g - hessian @ g / pull


@implicit_gradient_exercise.mistake(
    "You use the diagonal of H only. The other entries count: every weight's slope depends on every weight."
)
def diagonal(hessian, g, pull):
    return g / (1 + np.diag(hessian) / pull)


@implicit_gradient_exercise.mistake("You add λ to every entry of H (broadcasting): λ belongs on the diagonal, λI.")
def added_to_every_entry(hessian, g, pull):
    return np.linalg.solve(hessian / pull + 1, g)


@implicit_gradient_exercise.mistake(
    "`inv(...) * g` multiplies entry by entry. A matrix times a vector is `inv(...) @ g`, or `np.linalg.solve`."
)
def entry_by_entry(hessian, g, pull):
    return (np.linalg.inv(np.eye(len(g)) + hessian / pull) * g).sum(axis=0)


@implicit_gradient_exercise.mistake("The sign of the Hessian: I + H/λ, since the pull adds to the curvature.")
def minus_hessian(hessian, g, pull):
    return np.linalg.pinv(np.eye(len(g)) - hessian / pull) @ g


@implicit_gradient_exercise.also_right
def by_conjugate_gradients(matrix, target, strength):
    x = np.zeros_like(target)
    residual = direction = target - x
    for _ in range(len(target)):
        image = direction + matrix @ direction / strength
        length = residual @ residual / (direction @ image)
        x, following = x + length * direction, residual - length * image
        direction = following + (following @ following) / (residual @ residual) * direction
        residual = following
    return x


@implicit_gradient_exercise.also_right
def by_eigenvectors(matrix, target, strength):
    curvatures, directions = np.linalg.eigh(matrix)
    return directions @ (strength / (strength + curvatures) * (directions.T @ target))
