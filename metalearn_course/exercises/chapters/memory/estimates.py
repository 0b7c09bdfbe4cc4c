"""The best estimate from a context: ridge with the right penalty, and what one gradient step can reach."""

import numpy as np

from metalearn_course.exercises.engine import Function, Value

predict_exercise = Function(
    "Ridge with the right penalty",
    r"""
    Tasks are $y = w \cdot x + \varepsilon$. The weights $w$ of a task are independent normal numbers with mean 0 and
    standard deviation `spread`, ε is normal with standard deviation `noise`. From the examples of one task, predict
    its queries with the least expected squared error: $\hat w = (X^\top X + \lambda I)^{-1} X^\top y$ with the one λ
    that follows from `noise` and `spread`.
    """,
    example=(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([3.0, 4.0]), np.array([[1.0, 1.0]]), 1.0, 0.5),
    draw=lambda rng: (
        rng.normal(size=(5, 3)),
        rng.normal(size=5),
        rng.normal(size=(4, 3)),
        rng.uniform(0.4, 0.8),
        rng.uniform(1.5, 2.5),
    ),
    hints=(
        "Minus the logarithm of the posterior is |Xw − y|² / (2 noise²) + |w|² / (2 spread²), plus a constant.",
        "Multiply that by 2 noise²: the factor of |w|² is λ.",
    ),
)


@predict_exercise.reference(
    "Multiplied by 2 noise², the posterior's exponent is |Xw − y|² + (noise² / spread²) |w|²: that ratio is λ."
)
def predict(x, y, queries, noise, spread):
    """Predictions [m] for queries [m, d] from examples x [n, d], y [n]; noise and spread are standard deviations."""
    penalty = noise**2 / spread**2
    return queries @ np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


def _with(penalty, x, y, queries):
    return queries @ np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


@predict_exercise.mistake(
    "That is least squares, λ = 0: it does not use what is known about w before the first example."
)
def least_squares(x, y, queries, noise, spread):
    return _with(0.0, x, y, queries)


@predict_exercise.mistake("λ is a ratio of variances. Yours is one of standard deviations: square both.")
def of_deviations(x, y, queries, noise, spread):
    return _with(noise / spread, x, y, queries)


@predict_exercise.mistake("The ratio is upside down: the noisier the examples, the more one has to shrink.")
def upside_down(x, y, queries, noise, spread):
    return _with(spread**2 / noise**2, x, y, queries)


@predict_exercise.mistake(
    "λ = noise² holds where w has variance 1. Here it has another: where weights may be large, shrink less."
)
def without_the_prior(x, y, queries, noise, spread):
    return _with(noise**2, x, y, queries)


@predict_exercise.mistake(
    "You multiply λ by the number of examples. That belongs to a *mean* loss; in XᵀX, a sum, the prior counts once, "
    "and loses weight as examples come in."
)
def times_the_examples(x, y, queries, noise, spread):
    return _with(len(x) * noise**2 / spread**2, x, y, queries)


@predict_exercise.mistake("λ = noise² · spread² grows with the variance of w. It has to fall: divide.")
def product(x, y, queries, noise, spread):
    return _with(noise**2 * spread**2, x, y, queries)


@predict_exercise.mistake("λ is added to every entry of XᵀX (broadcasting). It belongs on the diagonal, λI.")
def added_to_every_entry(x, y, queries, noise, spread):
    penalty = noise**2 / spread**2
    return queries @ np.linalg.solve(x.T @ x + penalty, x.T @ y)


@predict_exercise.mistake("λ is divided by the number of examples: XᵀX is a sum over examples here, not a mean.")
def divided_by_the_examples(x, y, queries, noise, spread):
    penalty = noise**2 / spread**2 / len(y)
    return queries @ np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


@predict_exercise.also_right
def as_a_gaussian_process(inputs, targets, new, sigma, tau):
    covariance = tau**2 * inputs @ inputs.T + sigma**2 * np.eye(len(inputs))
    return tau**2 * new @ inputs.T @ np.linalg.inv(covariance) @ targets


@predict_exercise.also_right
def with_examples_made_up(x, y, queries, noise, spread):
    d = x.shape[1]
    rows, targets = np.vstack([x / noise, np.eye(d) / spread]), np.concatenate([y / noise, np.zeros(d)])
    return [sum(q * np.linalg.lstsq(rows, targets, rcond=None)[0]) for q in queries]


best_single_step = Value(
    "The best single step",
    r"""
    A task is $y = w x + \varepsilon$ in one dimension; $w$ and all $x$ are standard normal, ε is normal with variance
    ¼, all independent. One gradient step from $w = 0$ on $\frac{1}{2n}\sum (w x_i - y_i)^2$ gives
    $\hat w = \alpha m$ with $m = \frac{1}{n} \sum x_i y_i$. Which α makes $E[(\hat w - w)^2]$ smallest for $n = 4$
    examples?
    """,
    answer=0.64,
    why="The minimum of α² E[m²] − 2α E[m w] + 1 is at α = E[m w] / E[m²]. E[m w] = E[x²] = 1. For given w, m has the "
    "mean w and the variance (2 w² + σ²) / n, since the variance of x² is 2; so E[m²] = 1 + (2 + σ²) / n. With n = 4, "
    "α = 4 / (4 + 2 + ¼) = 0.64: few examples call for a small step, as they do for more shrinking.",
    hints=(
        "Write the error as a parabola in α. Its minimum is at E[m w] / E[m²].",
        "x y = w x² + x ε. Its variance for given w: E[x⁴] = 3, so that of x² is 3 − 1 = 2.",
    ),
)
best_single_step.mistake(
    "A full step is right on average, but m varies around w, and that counts as error too: step less.", 1.0
)
best_single_step.mistake("The noise is missing. It adds σ² to the variance of each x y, because E[x² ε²] = σ².", 0.667)
best_single_step.mistake(
    "You forgot that the x vary: even without noise m is w times the mean of x², which is not 1.", 0.941
)
best_single_step.mistake("You took E[x⁴] = 3 for the variance of x². It is E[x⁴] − E[x²]² = 2.", 0.552)
best_single_step.mistake("You took the variance of x² for that of x, 1. It is E[x⁴] − E[x²]² = 2.", 0.762)
best_single_step.mistake("You added σ = ½. ¼ is the variance already, and variances add up.", 0.615)
best_single_step.mistake("That is for a single example: with n of them the variance of m is one n-th of it.", 0.308)
best_single_step.also_right(4 / 6.25)
best_single_step.also_right(np.float32(0.64))
