"""Trainings: a network that learns in context, and a step that is learned."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION
from metalearn_course.exercises.engine.wrong_learners import untrained

NOISE = 0.5


def _noisy_lines(rng, tasks, shots, queries, dimensions):
    w = rng.normal(size=(tasks, dimensions, 1))
    x = rng.normal(size=(tasks, shots + queries, dimensions))
    y = x @ w
    support_y = y[:, :shots] + NOISE * rng.normal(size=(tasks, shots, 1))
    new = {"support_x": x[:, :shots], "support_y": support_y, "query_x": x[:, shots:]}
    return {key: array.astype("float32") for key, array in new.items()}, y[:, shots:].astype("float32")


def _draw_lines(rng):
    new, query_y = _noisy_lines(rng, 600, 4, 8, 2)
    return (new,), query_y


trained_reader_exercise = Training(
    "A network that reads its support set",
    r"""
    Noisy lines $y = x \cdot w$ with two inputs: w is normal with variance 1, x too, and the noise of a support target
    has a standard deviation of 0.5. Of a new task there are four examples. Train a learner without an inner loop, for
    example `ml.InContextLearner` or `ml.NeuralProcess`, on tasks that you draw yourself, and predict the queries of
    `new` (whose targets have no noise). Wanted: a mean squared error below 0.45. Least squares has more, ridge
    regression with the right penalty less. No step is taken: the network has to *be* the learner.
    """,
    draw=_draw_lines,
    bar=0.45,
    probes=FOR_VALUES,
    hints=(
        "`ml.tasks.linear_regression(dimensions=2, shots=4, queries=8, noise=0.5, meta_batch_size=64, seed=seed)` "
        "draws such tasks.",
        "`ml.InContextLearner(ml.networks.mlp(2, 32, (32,)), width=32, depth=2, heads=4)`, Adam with 0.003, 1,500 "
        "steps, "
        '`loss="mse"`.',
    ),
)


@trained_reader_exercise.reference(
    "The network was never told of ridge regression. To predict well on tasks of this family it had to come near it: "
    "that is learning in context."
)
def trained_reader(new, seed):
    """Predictions [T, Q, 1] for the queries of `new`, by a network that is trained here and takes no step."""
    import keras

    keras.utils.set_random_seed(seed)
    learner = ml.InContextLearner(ml.networks.mlp(2, 32, (32,)), width=32, depth=2, heads=4)
    rate = keras.optimizers.schedules.CosineDecay(0.003, 1500)
    learner.compile(keras.optimizers.Adam(rate), loss="mse", steps_per_execution=50)
    tasks = ml.tasks.linear_regression(2, shots=4, queries=8, meta_batch_size=64, noise=0.5, seed=seed)
    learner.fit(tasks, steps_per_epoch=1500, verbose=0)
    return learner.predict(new, verbose=0)


@trained_reader_exercise.also_right
def ridge_as_a_formula(tasks, number):
    x, y = (tasks[key].astype(float) for key in ("support_x", "support_y"))
    left = x.transpose(0, 2, 1) @ x + NOISE**2 * np.eye(2)
    return tasks["query_x"] @ np.linalg.solve(left, x.transpose(0, 2, 1) @ y)


@trained_reader_exercise.mistake(
    "These are the predictions of least squares: right, and not learned. With four noisy examples a learner that knows "
    "the family does better.",
    shows=lambda case, got: np.median(np.abs(got - least_squares(case[0], 0))) < 1e-3,
)
def least_squares(new, seed):
    x, y = (new[key].astype(float) for key in ("support_x", "support_y"))
    return new["query_x"] @ (np.linalg.pinv(x) @ y)


@trained_reader_exercise.mistake(
    "It is no better than always answering 0: was it trained before `predict`, and on lines of this family?",
    shows=lambda case, got: trained_reader_exercise.score_of(case, got).mean > 1.5,
)
def untrained_reader(new, seed):
    def make():
        return ml.InContextLearner(ml.networks.mlp(2, 32, (32,)), width=32, depth=2, heads=4)

    return untrained(new, seed, make)


@trained_reader_exercise.mutant(SUPPORT_UNUSED)
def always_zero(new, seed):
    return np.zeros_like(new["query_x"][..., :1]) + 1e-3 * np.random.default_rng(seed).normal()


@trained_reader_exercise.mutant(TRANSDUCTION)
def centred_queries(new, seed):
    predictions = least_squares(new, 0)
    return 0.8 * (predictions - predictions.mean(axis=1, keepdims=True))


@trained_reader_exercise.mutant(SURVIVING)
def mean_of_the_tasks_so_far(new, seed):
    weights = np.linalg.pinv(new["support_x"]) @ new["support_y"]
    smooth = 0.9 * weights + 0.1 * np.roll(weights, 1, axis=0)
    return new["query_x"] @ smooth


SCALES = np.array([3.0, 1.0, 0.3, 0.1])


def _uneven_lines(rng, tasks):
    """Lines whose four inputs have scales from 3 to 0.1, and weights that are as large as the inputs are small."""
    new, query_y = _noisy_lines(rng, tasks, 20, 10, 4)

    return {key: x * SCALES.astype("float32") if key.endswith("_x") else x for key, x in new.items()}, query_y


def _draw_uneven(rng):
    new, query_y = _uneven_lines(rng, 200)
    return (new, *_uneven_lines(rng, 300)), query_y


learned_step_exercise = Training(
    "The step that linear attention can learn",
    r"""
    A layer of linear attention predicts $x_q^\top P\, \frac1n \sum_i x_i y_i$: one gradient step from zero, with a
    matrix P in place of a rate. Here the four inputs have very different scales, so that one rate serves nobody. Learn
    P (4 x 4) from the tasks `training` with the targets `training_y` of their queries: it is linear in P, so least
    squares will do, and so will gradient descent. Return the predictions for `new`. Wanted: a mean squared error below
    1.2; the best *single* rate has about 2.9.
    """,
    draw=_draw_uneven,
    bar=1.2,
    probes=FOR_VALUES,
    trained=False,
    hints=(
        "With $g = \\frac1n \\sum_i x_i y_i$ the prediction is $\\sum_{jk} P_{jk}\\, x_{q,j}\\, g_k$: one row of 16 "
        "products for each query, one column of targets.",
        "`np.linalg.lstsq(products.reshape(-1, 16), training_y.ravel())[0].reshape(4, 4)`. Work in float64.",
    ),
)


@learned_step_exercise.reference(
    "P became about the inverse of the inputs' covariance: a preconditioned step (Ahn et al. 2023). That is what "
    "training adds to a gradient step, and why one layer does better than one rate."
)
def learned_step(new, training, training_y):
    """Predictions [T, Q, 1] for the queries of `new`, by one step with a learned matrix."""

    def products(task):
        x, y, query = (task[key].astype(float) for key in ("support_x", "support_y", "query_x"))
        gradient = (x * y).mean(axis=1)
        return np.einsum("tqj,tk->tqjk", query, gradient).reshape(*query.shape[:2], 16)

    rows = products(training)
    learned = np.linalg.lstsq(rows.reshape(-1, 16), training_y.ravel(), rcond=None)[0]
    return (products(new) @ learned)[..., None]


@learned_step_exercise.also_right
def by_the_inverse_covariance(tasks, others, targets):
    x = others["support_x"].reshape(-1, 4).astype(float)
    inverse = np.linalg.inv(x.T @ x / len(x) * 1.3)
    gradients = np.einsum("tsd,tso->td", tasks["support_x"].astype(float), tasks["support_y"]) / 20
    return np.einsum("tqd,de,te->tq", tasks["query_x"], inverse, gradients)[..., None]


def _single_rate(new, training, training_y):
    def step(task):
        gradient = (task["support_x"] * task["support_y"]).mean(axis=1)
        return np.einsum("tqd,td->tq", task["query_x"].astype(float), gradient)[..., None]

    rate = (step(training) * training_y).sum() / (step(training) ** 2).sum()
    return rate * step(new)


@learned_step_exercise.mistake(
    "That is one step with the best *single* rate. A matrix has a rate for each input, and for their combinations.",
    shows=lambda case, got: np.abs(got - _single_rate(*case)).max() < 0.05 * np.std(got),
)
def single_rate(new, training, training_y):
    return _single_rate(new, training, training_y)


@learned_step_exercise.mutant(SUPPORT_UNUSED)
def one_line_for_all(new, training, training_y):
    weights = np.linalg.lstsq(training["query_x"].reshape(-1, 4), training_y.ravel(), rcond=None)[0]
    return (new["query_x"] @ weights)[..., None]


@learned_step_exercise.mistake(
    "That is the full least squares of each support set, not one step with a common matrix: a good learner, and "
    "another one. The exercise asks what a single step can do.",
    shows=lambda case, got: np.abs(got - solved_in_full(*case)).max() < 0.05 * np.std(got),
)
def solved_in_full(new, training, training_y):
    x, y = (new[key].astype(float) for key in ("support_x", "support_y"))
    return new["query_x"] @ (np.linalg.pinv(x) @ y)
