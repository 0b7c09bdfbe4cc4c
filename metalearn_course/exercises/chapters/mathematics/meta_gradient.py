"""The gradient of the loss after an update: exact, in first order, and by tape."""

import numpy as np

from metalearn_course.exercises.engine import Function, Order

_WXZ = (np.array([2.0, 3.0, 5.0]), np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), 0.5)


def _weights_and_examples(rng: np.random.Generator) -> tuple:
    return (*rng.normal(size=(3, int(rng.integers(3, 6)))), rng.uniform(0.3, 0.9))


meta_gradient_exercise = Function(
    "The gradient of the loss after an update",
    r"""
    A model $w \cdot x$ with the loss $\frac{1}{2}(w \cdot x)^2$ takes one step on a support example $x$:
    $w' = w - \alpha (w \cdot x)\, x$. The outer loss is that of $w'$ on a query $z$:
    $F(w) = \frac{1}{2}(w' \cdot z)^2$. Derive $\nabla F$, the derivative with respect to $w$ (not $w'$), and
    implement it. No tape is needed.
    """,
    example=_WXZ,
    draw=_weights_and_examples,
    hints=(
        "F depends on w only through w′: the chain rule gives (dw′/dw)ᵀ times the gradient at w′.",
        "dw′/dw = I − α x xᵀ, and the gradient of the query loss at w′ is (w′·z) z.",
    ),
)


@meta_gradient_exercise.reference(
    "∇F = (I − α x xᵀ)(w′·z) z: the second factor is the first order, the first one how w′ moves with w."
)
def meta_gradient(w, x, z, alpha):
    """The gradient [D] of F at w [D], for a support example x [D], a query z [D] and the inner rate alpha."""
    w_after = w - alpha * (w @ x) * x
    first_order = (w_after @ z) * z
    return first_order - alpha * x * (x @ first_order)


@meta_gradient_exercise.mistake(
    "That is the first-order term: it takes the inner gradient for a constant, as if w′ moved just as w does. Here "
    "even its sign is wrong. The factor dw′/dw = I − α x xᵀ is missing."
)
def detached(w, x, z, alpha):
    return ((w - alpha * (w @ x) * x) @ z) * z


@meta_gradient_exercise.mistake(
    "Your gradient is taken before the update, at w: that of ordinary training on the query. Take it at w′."
)
def before_the_update(w, x, z, alpha):
    return (w @ z) * z


@meta_gradient_exercise.mistake(
    "The Hessian in dw′/dw is that of the loss whose gradient made the step: the support's x xᵀ, not z zᵀ."
)
def hessian_of_the_query(w, x, z, alpha):
    v = detached(w, x, z, alpha)
    return v - alpha * z * (z @ v)


@meta_gradient_exercise.mistake("The sign before the Hessian is flipped: the step subtracts, so dw′/dw = I − α x xᵀ.")
def plus_hessian(w, x, z, alpha):
    v = detached(w, x, z, alpha)
    return v + alpha * x * (x @ v)


@meta_gradient_exercise.mistake(
    "You measure the outer loss on the support example: what counts is the query, which the step has not seen."
)
def support_as_query(w, x, z, alpha):
    return meta_gradient(w, x, x, alpha)


@meta_gradient_exercise.mistake("α is missing before the Hessian: dw′/dw = I − α x xᵀ.")
def no_rate(w, x, z, alpha):
    v = detached(w, x, z, alpha)
    return v - x * (x @ v)


@meta_gradient_exercise.mistake(
    "x² is the diagonal of the Hessian only. It is the matrix x xᵀ (np.outer): every weight moves every other."
)
def diagonal(w, x, z, alpha):
    return (1 - alpha * x * x) * detached(w, x, z, alpha)


@meta_gradient_exercise.mistake("The sign: that is the direction of descent, −∇F. The exercise asks for the gradient.")
def descent(w, x, z, alpha):
    return -meta_gradient(w, x, z, alpha)


@meta_gradient_exercise.mistake(
    "That is only the second-order part, −α x xᵀ (w′·z) z. The first-order term belongs to the gradient too."
)
def second_order_part_only(w, x, z, alpha):
    return meta_gradient(w, x, z, alpha) - detached(w, x, z, alpha)


@meta_gradient_exercise.mistake(
    "dw′/dw has the outer product x zᵀ: it must be x xᵀ, of the support example with itself."
)
def mixed_outer_product(w, x, z, alpha):
    first_order = detached(w, x, z, alpha)
    return first_order - alpha * x * (z @ first_order)


@meta_gradient_exercise.mistake("dw′/dw is transposed onto the wrong side: z xᵀ in place of x xᵀ.")
def outer_product_of_the_query(w, x, z, alpha):
    first_order = detached(w, x, z, alpha)
    return first_order - alpha * z * (x @ first_order)


@meta_gradient_exercise.mistake("A 2 too many: the derivative of ½(w·x)² is (w·x) x.")
def factor_2(w, x, z, alpha):
    return 2 * meta_gradient(w, x, z, 2 * alpha)


@meta_gradient_exercise.also_right
def with_a_matrix(weights, support, query, rate):
    jacobian = np.eye(len(support)) - rate * np.outer(support, support)
    return jacobian.T @ np.outer(query, query) @ jacobian @ weights


@meta_gradient_exercise.also_right
def with_tapes(w, x, z, alpha):
    import tensorflow as tf

    w = tf.constant(w, tf.float32)
    with tf.GradientTape() as outer:
        outer.watch(w)
        with tf.GradientTape() as inner:
            inner.watch(w)
            support_loss = tf.reduce_sum(w * x) ** 2 / 2
        query_loss = tf.reduce_sum((w - alpha * inner.gradient(support_loss, w)) * z) ** 2 / 2
    return outer.gradient(query_loss, w)


fomaml_gradient_exercise = Function(
    "FOMAML's meta-gradient",
    r"""
    First-order MAML on T tasks with the same model and losses: each task has its own support example $x_t$ and its own
    query $z_t$, and takes one step from the common $w$. Return the meta-gradient that FOMAML follows, of the **mean**
    outer loss.
    """,
    example=(_WXZ[0], np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]]), 0.5),
    draw=lambda rng: (rng.normal(size=3), rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.uniform(0.3, 0.9)),
    hints=(
        "For each task: step from w to its own w′, then the gradient of the query loss, at w′.",
        "With rows for tasks: `after = w - alpha * (x @ w)[:, None] * x`; then `(after * z).sum(1)` is w′·z for each.",
    ),
)


@fomaml_gradient_exercise.reference(
    "FOMAML takes each task's query gradient where its step ended, as if it had been computed at w."
)
def fomaml_gradient(w, x, z, alpha):
    """FOMAML's gradient [3] at w [3], for support examples x [T, 3], queries z [T, 3] and the inner rate alpha."""
    after = w - alpha * (x @ w)[:, None] * x
    return ((after * z).sum(axis=1)[:, None] * z).mean(axis=0)


@fomaml_gradient_exercise.mistake(
    "There is no adaptation in it: all queries at the common w are joint training. Take each gradient at w′."
)
def joint_training(w, x, z, alpha):
    return ((z @ w)[:, None] * z).mean(axis=0)


@fomaml_gradient_exercise.mistake(
    "That is MAML's own gradient, with the Hessian term. FOMAML leaves out the factor I − α x xᵀ."
)
def second_order(w, x, z, alpha):
    return np.mean([meta_gradient(w, a, b, alpha) for a, b in zip(x, z, strict=True)], axis=0)


@fomaml_gradient_exercise.mistake(
    "You sum over the tasks: with the mean, the outer rate does not depend on the size of the meta-batch."
)
def sum_over_tasks(w, x, z, alpha):
    return len(x) * fomaml_gradient(w, x, z, alpha)


@fomaml_gradient_exercise.mistake(
    "You take the outer gradient on the support examples; the outer loss is that of the queries."
)
def queries_forgotten(w, x, z, alpha):
    return fomaml_gradient(w, x, x, alpha)


@fomaml_gradient_exercise.mistake(
    "Each task starts where the one before it ended: that is training in sequence. All start from the same w."
)
def in_sequence(w, x, z, alpha):
    gradients = []
    for a, b in zip(x, z, strict=True):
        w = w - alpha * (w @ a) * a
        gradients.append((w @ b) * b)
    return np.mean(gradients, axis=0)


@fomaml_gradient_exercise.mistake("Those are weights after a step, not the gradient.")
def new_weights(w, x, z, alpha):
    return w - alpha * fomaml_gradient(w, x, z, alpha)


@fomaml_gradient_exercise.mistake(
    "That is Reptile's direction, from the start to the mean of the adapted weights. FOMAML takes the query gradient "
    "at each w′."
)
def reptile(w, x, z, alpha):
    after = w - alpha * (x @ w)[:, None] * x
    return w - after.mean(axis=0)


@fomaml_gradient_exercise.mistake(
    "The support examples and queries are averaged over tasks first. Each task has a step and a gradient of its own; "
    "then they are averaged."
)
def mean_task_first(w, x, z, alpha):
    return fomaml_gradient(w, x.mean(axis=0, keepdims=True), z.mean(axis=0, keepdims=True), alpha)


@fomaml_gradient_exercise.mistake(
    "The mean is taken over the adapted weights, and one gradient at this mean. Take a gradient for each task, then "
    "the mean."
)
def gradient_at_the_mean(w, x, z, alpha):
    after = (w - alpha * (x @ w)[:, None] * x).mean(axis=0)
    return ((z @ after)[:, None] * z).mean(axis=0)


@fomaml_gradient_exercise.mistake("The sign: that is the direction of descent.")
def uphill(w, x, z, alpha):
    return -fomaml_gradient(w, x, z, alpha)


@fomaml_gradient_exercise.also_right
def task_by_task(weights, supports, queries, rate):
    total = 0
    for support, query in zip(supports, queries, strict=True):
        adapted = weights - rate * (weights @ support) * support
        total = total + (adapted @ query) * query
    return total / len(queries)


two_tapes = Order(
    "The two tapes",
    'Second-order MAML for one task, as code. Put the steps in order: a word such as "abcde".',
    lines={
        "a": "the inner tape opens, and the support loss is computed at w",
        "b": "the outer tape gives the derivative of the query loss with respect to w",
        "c": "the outer tape opens, and watches w",
        "d": "the inner tape gives the gradient, and w′ = w − α · gradient",
        "e": "the query loss is computed at w′, and the outer tape closes",
    },
    right="cadeb",
    why="Everything on the way from w to the query loss happens inside the outer tape, the inner gradient included.",
    hints=("What has to be recorded by the outer tape?", "The outer tape opens first and is asked last."),
)
two_tapes.mistake(
    "The outer tape opens after the inner gradient was taken, so w′ is a constant for it: silently first order.",
    "adceb",
    "outer tape too late",
)
two_tapes.mistake(
    "The outer tape opens when the support loss has been computed already. How that follows from w is not on it, so "
    "the inner gradient is a constant for it, in part or in full.",
    "acdeb",
    "inner tape first",
)
two_tapes.mistake(
    "The query loss is computed before there is a w′: it would be that of w, before any learning.", "caedb", "no w′"
)
two_tapes.mistake(
    "The outer tape is asked for the derivative before the query loss is known.", "cadbe", "asked too early"
)
