"""MAML's outer step, on a model that is small enough for NumPy."""

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.chapters.code.linear_model import adapted, examples, gradient
from metalearn_course.exercises.engine import Function

maml_step_exercise = Function(
    "MAML's outer step from scratch",
    r"""
    The same model and loss. Now each task has a support set and a query set: from θ it takes `steps` steps with the
    rate α on its support set, to $\theta'_t$. The outer loss $F(\theta)$ is the mean over tasks of the query loss at
    $\theta'_t$. Return $\theta - \beta \nabla F(\theta)$, exactly: in second order, and for all inner steps. The loss
    is quadratic, so each inner step has the same derivative.
    """,
    example=(
        np.array([1.0, 1.0]),
        np.array([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]]),
        np.array([[2.0, 0.0], [0.0, 1.0]]),
        np.array([[[1.0, 1.0]], [[1.0, 0.0]]]),
        np.array([[0.0], [2.0]]),
        0.1,
        2,
        0.5,
    ),
    draw=lambda rng: (
        rng.normal(size=2),
        *examples(rng, 3, 4),
        *examples(rng, 3, 5),
        rng.uniform(0.05, 0.15),
        int(rng.integers(2, 4)),
        rng.uniform(0.2, 0.6),
    ),
    hints=(
        "One inner step is θ′ = θ − α∇L(θ); its derivative with respect to θ is I − αH with the Hessian H of the "
        "support loss.",
        "H = 2 XᵀX / S. The gradient of a task is (I − αH) applied `steps` times to the query gradient at θ′.",
    ),
)


@maml_step_exercise.reference(
    "The chain rule gives a factor I − αH for every inner step, with the Hessian of the support loss, before the query "
    "gradient at the end. Leave the factors out and it is FOMAML; leave the steps out too and it is joint training."
)
def maml_step(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    """Theta [2] after one outer step on T tasks, with inputs [T, S, 2] and [T, Q, 2], targets [T, S] and [T, Q]."""
    gradients = []
    for x, y, new_x, new_y in zip(support_x, support_y, query_x, query_y, strict=True):
        w = theta
        for _ in range(steps):
            w = w - alpha * 2 * x.T @ (x @ w - y) / len(y)
        gradient = 2 * new_x.T @ (new_x @ w - new_y) / len(new_y)
        for _ in range(steps):
            gradient = gradient - alpha * 2 * x.T @ (x @ gradient) / len(y)
        gradients.append(gradient)
    return theta - beta * np.mean(gradients, axis=0)


def _outer(theta, tasks, alpha, steps, factors):
    """The mean over tasks of the query gradient after `steps`, times I − αH as often as `factors` says."""
    gradients = []
    for x, y, new_x, new_y in zip(*tasks, strict=True):
        shrink = np.linalg.matrix_power(np.eye(2) - alpha * 2 * x.T @ x / len(y), factors)
        gradients.append(shrink @ gradient(adapted(theta, x, y, alpha, steps), new_x, new_y))
    return np.mean(gradients, axis=0)


@maml_step_exercise.mistake(
    "That is first order: your inner gradients are detached, as if θ′ moved just as θ does. For second order each "
    "inner step puts a factor I − αH before the query gradient."
)
def detached(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return theta - beta * _outer(theta, (support_x, support_y, query_x, query_y), alpha, steps, 0)


@maml_step_exercise.mistake(
    "You have one factor I − αH for the whole inner loop: only one of its steps is differentiated, the others are "
    "detached. There is one for each step."
)
def one_factor(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return theta - beta * _outer(theta, (support_x, support_y, query_x, query_y), alpha, steps, 1)


@maml_step_exercise.mistake(
    "You take the query gradient at the start, θ: that is joint training on the queries, and no task has learned "
    "anything yet. Take it at θ′."
)
def query_gradient_at_the_start(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return theta - beta * _outer(theta, (support_x, support_y, query_x, query_y), alpha, 0, 0)


@maml_step_exercise.mistake(
    "The outer loss is that of the support set. It rewards a start that fits what it is shown; the queries ask for "
    "what follows from it."
)
def support_as_query(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return theta - beta * _outer(theta, (support_x, support_y, support_x, support_y), alpha, steps, steps)


@maml_step_exercise.mistake(
    "You sum over the tasks: F is their mean, so that β does not depend on the size of the meta-batch."
)
def sum_over_tasks(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return maml_step(theta, support_x, support_y, query_x, query_y, alpha, steps, beta * len(support_x))


@maml_step_exercise.mistake(
    "You went up the gradient: the outer step subtracts β∇F, so that the loss after adapting falls."
)
def uphill(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return maml_step(theta, support_x, support_y, query_x, query_y, alpha, steps, -beta)


@maml_step_exercise.mistake("That is the meta-gradient. The outer step is θ − β times it.")
def gradient_only(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return _outer(theta, (support_x, support_y, query_x, query_y), alpha, steps, steps)


@maml_step_exercise.mistake(
    "You step from the adapted weights: θ′ is thrown away after its task. What moves is θ, where every task starts."
)
def from_the_adapted(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    ends = [adapted(theta, x, y, alpha, steps) for x, y in zip(support_x, support_y, strict=True)]
    step = beta * _outer(theta, (support_x, support_y, query_x, query_y), alpha, steps, steps)
    return np.mean(ends, axis=0) - step


@maml_step_exercise.mistake(
    "The 2 of the square is missing, in the inner and in the outer gradient: the derivative of r² is 2r."
)
def no_factor_2(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return maml_step(theta, support_x, support_y, query_x, query_y, alpha / 2, steps, beta / 2)


@maml_step_exercise.mistake(
    "The Hessian in I − αH is that of the loss whose gradient made the step: the support's, not the queries'."
)
def hessian_of_the_queries(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    gradients = []
    for x, y, new_x, new_y in zip(support_x, support_y, query_x, query_y, strict=True):
        shrink = np.linalg.matrix_power(np.eye(2) - alpha * 2 * new_x.T @ new_x / len(new_y), steps)
        gradients.append(shrink @ gradient(adapted(theta, x, y, alpha, steps), new_x, new_y))
    return theta - beta * np.mean(gradients, axis=0)


@maml_step_exercise.mistake("The Hessian of the mean squared error is 2 XᵀX / n: its 2 is missing in I − αH.")
def hessian_without_2(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    gradients = []
    for x, y, new_x, new_y in zip(support_x, support_y, query_x, query_y, strict=True):
        shrink = np.linalg.matrix_power(np.eye(2) - alpha * x.T @ x / len(y), steps)
        gradients.append(shrink @ gradient(adapted(theta, x, y, alpha, steps), new_x, new_y))
    return theta - beta * np.mean(gradients, axis=0)


@maml_step_exercise.mistake("The Hessian is not divided by the number of examples: the loss is their mean.")
def hessian_of_the_sum(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    gradients = []
    for x, y, new_x, new_y in zip(support_x, support_y, query_x, query_y, strict=True):
        shrink = np.linalg.matrix_power(np.eye(2) - alpha * 2 * x.T @ x, steps)
        gradients.append(shrink @ gradient(adapted(theta, x, y, alpha, steps), new_x, new_y))
    return theta - beta * np.mean(gradients, axis=0)


@maml_step_exercise.mistake(
    "The outer step uses the rate of the inner loop: α belongs to the inner steps, β to the outer one."
)
def alpha_for_beta(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    return maml_step(theta, support_x, support_y, query_x, query_y, alpha, steps, alpha)


@maml_step_exercise.also_right
def by_differentiating_the_whole_loss(start, sx, sy, qx, qy, inner, count, outer):
    def loss_after(theta):
        total = 0.0
        for x, y, new_x, new_y in zip(sx, sy, qx, qy, strict=True):
            total += np.mean((new_x @ adapted(theta, x, y, inner, count) - new_y) ** 2) / len(sx)
        return total

    slope = [(loss_after(start + e) - loss_after(start - e)) / 2e-4 for e in 1e-4 * np.eye(2)]
    return start - outer * np.array(slope)


@maml_step_exercise.also_right
def with_tapes(theta, support_x, support_y, query_x, query_y, alpha, steps, beta):
    import tensorflow as tf

    def loss(weights, x, y):
        return tf.reduce_mean((tf.linalg.matvec(tf.constant(x), weights[0]) - y) ** 2)

    start = [tf.constant(theta)]
    with tf.GradientTape() as tape:
        tape.watch(start)
        losses = []
        for x, y, new_x, new_y in zip(support_x, support_y, query_x, query_y, strict=True):
            losses.append(loss(ml.inner_loop(lambda w, x=x, y=y: loss(w, x, y), start, alpha, steps), new_x, new_y))
        outer_loss = tf.reduce_mean(losses)
    return start[0] - beta * tape.gradient(outer_loss, start)[0]
