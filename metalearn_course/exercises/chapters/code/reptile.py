"""Reptile's outer step, on a model that is small enough for NumPy."""

import numpy as np

from metalearn_course.exercises.chapters.code.linear_model import adapted, examples, gradient
from metalearn_course.exercises.engine import Function

reptile_step_exercise = Function(
    "Reptile's outer step from scratch",
    r"""
    A model $x \cdot \theta$ with the mean squared error. Each of T tasks starts from the same θ and takes `steps` steps
    of gradient descent with the inner rate α on its own examples, to its own $\theta'_t$. Then θ moves the share ε of
    the way to their mean (Nichol et al. 2018): $\theta + \varepsilon \, \frac{1}{T} \sum_t (\theta'_t - \theta)$.
    """,
    example=(
        np.array([1.0, 1.0]),
        np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]),
        np.array([[2.0, 0.0], [0.0, 1.0]]),
        0.5,
        2,
        0.5,
    ),
    draw=lambda rng: (
        rng.normal(size=2),
        *examples(rng, 3, 5),
        rng.uniform(0.05, 0.2),
        int(rng.integers(2, 5)),
        rng.uniform(0.3, 0.7),
    ),
    hints=(
        "An inner loop for each task, always from the outer θ; it gives θ′. Only then the outer step.",
        "The gradient of a task's loss is `2 * x[t].T @ (x[t] @ w - y[t]) / len(y[t])`, at its own w.",
    ),
)


@reptile_step_exercise.reference(
    "No gradient goes through the inner loop: where it ends is information enough. With one inner step the "
    "direction is that of joint training; anything beyond that comes from the second step on."
)
def reptile_step(theta, x, y, alpha, steps, epsilon):
    """Theta [2] after one outer step, from examples x [T, S, 2], y [T, S] of T tasks."""
    ends = []
    for inputs, targets in zip(x, y, strict=True):
        w = theta
        for _ in range(steps):
            w = w - alpha * 2 * inputs.T @ (inputs @ w - targets) / len(targets)
        ends.append(w)
    return theta + epsilon * (np.mean(ends, axis=0) - theta)


def _ends(theta, x, y, alpha, steps):
    return np.array([adapted(theta, a, b, alpha, steps) for a, b in zip(x, y, strict=True)])


@reptile_step_exercise.mistake(
    "Wrong sign: θ moves away from the adapted weights. As a gradient, Reptile's is θ − θ′, and that is subtracted."
)
def wrong_sign(theta, x, y, alpha, steps, epsilon):
    return theta - epsilon * (_ends(theta, x, y, alpha, steps).mean(axis=0) - theta)


@reptile_step_exercise.mistake(
    "θ jumps all the way to the mean of the adapted weights: ε is missing. One meta-batch must not decide θ."
)
def no_outer_rate(theta, x, y, alpha, steps, epsilon):
    return _ends(theta, x, y, alpha, steps).mean(axis=0)


@reptile_step_exercise.mistake(
    "You interpolate with θ left out: ε times the mean of θ′ pulls θ to zero. What ε scales is the difference θ′ − θ."
)
def without_theta(theta, x, y, alpha, steps, epsilon):
    return epsilon * _ends(theta, x, y, alpha, steps).mean(axis=0)


@reptile_step_exercise.mistake(
    "Each task starts where the one before it ended: that is training in sequence, and the last task wins. All start "
    "from the same θ."
)
def in_sequence(theta, x, y, alpha, steps, epsilon):
    end = theta
    for a, b in zip(x, y, strict=True):
        end = adapted(end, a, b, alpha, steps)
    return theta + epsilon * (end - theta)


@reptile_step_exercise.mistake(
    "You use the gradient at the end of the inner loop: that is FOMAML's. Reptile's direction is the way to that end, "
    "θ′ − θ, the sum of all inner steps."
)
def gradient_at_the_end(theta, x, y, alpha, steps, epsilon):
    ends = _ends(theta, x, y, alpha, steps)
    return theta - epsilon * np.mean([gradient(w, a, b) for w, a, b in zip(ends, x, y, strict=True)], axis=0)


@reptile_step_exercise.mistake(
    "You take a single inner step. Then θ′ − θ is a plain gradient, and the whole is joint training in disguise: what "
    "Reptile adds comes from the further steps."
)
def one_inner_step(theta, x, y, alpha, steps, epsilon):
    return reptile_step(theta, x, y, alpha, 1, epsilon)


@reptile_step_exercise.mistake(
    "You sum over the tasks: with the mean, ε stays a share of the way, whatever the size of the meta-batch."
)
def sum_over_tasks(theta, x, y, alpha, steps, epsilon):
    return theta + epsilon * (_ends(theta, x, y, alpha, steps) - theta).sum(axis=0)


@reptile_step_exercise.mistake(
    "All steps of a task use the gradient at θ. The inner loop walks: every step takes the gradient where it stands."
)
def gradient_at_the_start_only(theta, x, y, alpha, steps, epsilon):
    return reptile_step(theta, x, y, alpha * steps, 1, epsilon)


@reptile_step_exercise.mistake(
    "θ itself has moved: `w -= …` changes in place the array that θ is another name for, so the tasks start where "
    "the one before them ended, and no old θ is left to interpolate with. Write `w = w - …`."
)
def in_place(theta, x, y, alpha, steps, epsilon):
    for a, b in zip(x, y, strict=True):
        theta = adapted(theta, a, b, alpha, steps)
    return theta


@reptile_step_exercise.mistake(
    "Your loss is the sum over a task's examples; it is their mean, so that α does not depend on their number."
)
def summed_loss(theta, x, y, alpha, steps, epsilon):
    return reptile_step(theta, x, y, alpha * x.shape[1], steps, epsilon)


@reptile_step_exercise.mistake("The 2 of the square is missing: the derivative of r² is 2r.")
def no_factor_2(theta, x, y, alpha, steps, epsilon):
    return reptile_step(theta, x, y, alpha / 2, steps, epsilon)


@reptile_step_exercise.also_right
def sum_of_inner_gradients(start, inputs, targets, inner, count, outer):
    w = np.repeat(start[None], len(inputs), axis=0)
    travelled = np.zeros_like(w)
    for _ in range(count):
        step = inner * 2 * np.einsum("ts,tsd->td", np.einsum("tsd,td->ts", inputs, w) - targets, inputs)
        w, travelled = w - step / targets.shape[1], travelled - step / targets.shape[1]
    return (start + outer * travelled.mean(axis=0)).tolist()
