"""The first training: a start for sinusoids, and the rival that needs none, tuned honestly."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import sinusoids
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION
from metalearn_course.exercises.engine.wrong_learners import never_reset, one_for_all
from metalearn_course.exercises.engine.wrong_learners import untrained as never_trained


def _draw(rng: np.random.Generator) -> tuple:
    new, query_y = sinusoids(rng)
    return (new,), query_y


meta_trained_exercise = Training(
    "Train a meta-learner",
    """
    Train MAML on sinusoids, and let it predict the queries of `new`, tasks that it has not seen: ten examples each. The
    check calls your function three times, with another seed each time, and wants a mean squared error below 1 on new
    tasks. (The mean curve of all tasks has about 3.) You need `ml.MAML` around `ml.networks.mlp()`, `compile`, `fit` on
    `ml.tasks.sinusoids(...)` with `verbose=0`, and `predict(new, verbose=0)`; chapter 1 has all of them. It takes about
    ten seconds a training: try it with fewer steps first.
    """,
    draw=_draw,
    bar=1.0,
    probes=FOR_VALUES,
    hints=(
        "`keras.utils.set_random_seed(seed)` first, then the network, the learner with `inner_lr` and `inner_steps`, "
        '`compile(optimizer=..., loss="mse")`.',
        "`inner_lr=0.01`, `inner_steps=5`, Adam with 0.001 and `clipnorm=1.0` (without it some trainings run away on a "
        "task), a thousand steps of 25 tasks, `steps_per_execution=50`. Five inner steps at training time, and the "
        "same five for the new tasks.",
    ),
)


@meta_trained_exercise.reference(
    "One start serves all sinusoids: five steps from it on ten examples draw the right one. The outer loop looked at "
    "the queries of training tasks only; what is measured are other tasks."
)
def meta_trained(new, seed):
    """Predictions [T, Q, 1] for the queries of the tasks `new`, after training with this seed."""
    import keras

    keras.utils.set_random_seed(seed)
    learner = ml.MAML(ml.networks.mlp(), inner_lr=0.01, inner_steps=5)
    learner.compile(optimizer=keras.optimizers.Adam(0.001, clipnorm=1.0), loss="mse", steps_per_execution=50)
    tasks = ml.tasks.sinusoids(shots=10, queries=10, meta_batch_size=25, seed=seed)
    learner.fit(tasks, steps_per_epoch=1000, verbose=0)
    return learner.predict(new, verbose=0)


@meta_trained_exercise.mutant(SUPPORT_UNUSED)
def joint_without_adapting(new, seed):
    return one_for_all(new, seed, ml.networks.mlp, ml.tasks.sinusoids(seed=seed), steps=200)


@meta_trained_exercise.mistake(
    "It is no better than a straight zero line: was it trained at all, before `predict`? A few inner steps from "
    "untrained weights do not draw a sinusoid from ten examples.",
    shows=lambda case, got: meta_trained_exercise.score_of(case, got).mean > 3.5,
)
def untrained(new, seed):
    return never_trained(new, seed, lambda: ml.MAML(ml.networks.mlp(), inner_lr=0.01, inner_steps=5))


@meta_trained_exercise.mutant(SURVIVING)
def weights_walk_on(new, seed):
    return never_reset(new, seed, ml.networks.mlp, rate=0.01, steps=5)


@meta_trained_exercise.mutant(TRANSDUCTION)
def centred_by_the_queries(new, seed):
    predictions = meta_trained(new, seed)
    return predictions - predictions.mean(axis=1, keepdims=True)


@meta_trained_exercise.also_right
def with_reptile(tasks_to_predict, number):
    keras.utils.set_random_seed(number)
    learner = ml.Reptile(ml.networks.mlp(), inner_lr=0.02, inner_steps=10)
    learner.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse", steps_per_execution=50)
    learner.fit(ml.tasks.sinusoids(shots=10, queries=10, seed=number), steps_per_epoch=2000, verbose=0)
    return learner.predict(tasks_to_predict, verbose=0)


tuned_ridge_exercise = Training(
    "Tune a rival honestly",
    r"""
    Kernel ridge needs no other task: with $k(x, x') = e^{-(x - x')^2 / 2\ell^2}$ it predicts
    $k(x_q, X)\,(k(X, X) + 10^{-6} I)^{-1}\,Y$. But somebody has to choose the length $\ell$. Choose it among `lengths`
    by the mean squared error on the queries of the tasks `validation`, whose targets `validation_y` you are given, and
    predict the queries of `new`. Nothing is trained; a wrong choice costs a factor.
    """,
    draw=lambda rng: (
        (
            (drawn := sinusoids(rng))[0],
            (seen := sinusoids(rng, 50))[0],
            seen[1],
            np.array([0.1, 0.3, 1.0, 3.0, 10.0]),
        ),
        drawn[1],
    ),
    bar=0.25,
    probes=FOR_VALUES,
    trained=False,
    hints=(
        "A function `predict(tasks, length)` serves both: for each length the error on `validation`, then the "
        "predictions for `new` with the best one.",
        "For one task: `k = np.exp(-((a - b.T) ** 2) / (2 * length**2))` with columns a and b, then "
        "`np.linalg.solve`. Work in float64.",
    ),
)


@tuned_ridge_exercise.reference(
    "The rival's one number was chosen on other tasks, with the same care as a learner's: now a comparison means "
    "something. The tasks that are compared have not been looked at."
)
def tuned_ridge(new, validation, validation_y, lengths):
    """Predictions [T, Q, 1] for the queries of `new`, with the best of the lengths on the validation tasks."""

    def predict(tasks, length):
        x, y, query = (tasks[key].astype(float) for key in ("support_x", "support_y", "query_x"))
        near = np.exp(-((x - x.transpose(0, 2, 1)) ** 2) / (2 * length**2))
        across = np.exp(-((query - x.transpose(0, 2, 1)) ** 2) / (2 * length**2))
        return across @ np.linalg.solve(near + 1e-6 * np.eye(x.shape[1]), y)

    errors = [np.mean((predict(validation, length) - validation_y) ** 2) for length in lengths]
    return predict(new, lengths[np.argmin(errors)])


@tuned_ridge_exercise.also_right
def one_task_at_a_time(tasks, others, targets, candidates):
    def fitted(task, i, length):
        def kernel(a, b):
            return np.exp(-0.5 * ((a[:, None, 0] - b[None, :, 0]) / length) ** 2)

        x = task["support_x"][i].astype(float)
        weights = np.linalg.inv(kernel(x, x) + 1e-6 * np.eye(len(x))) @ task["support_y"][i]
        return kernel(task["query_x"][i].astype(float), x) @ weights

    def error(length):
        return sum(np.sum((fitted(others, i, length) - targets[i]) ** 2) for i in range(len(targets)))

    best = min(candidates, key=error)
    return np.array([fitted(tasks, i, best) for i in range(len(tasks["query_x"]))])


def _with(length, new):
    return tuned_ridge(new, new, np.zeros_like(new["query_x"]), np.array([length]))


def _is_with(length: float):
    return lambda case, got: np.allclose(got, _with(length, case[0]), atol=1e-3 * np.std(got))


@tuned_ridge_exercise.mistake(
    "Your predictions are those of the first length: the choice seems not to depend on the validation tasks.",
    shows=_is_with(0.1),
)
def first_length(new, validation, validation_y, lengths):
    return _with(lengths[0], new)


@tuned_ridge_exercise.mistake(
    "Your predictions are those of the last and largest length. Is the largest error chosen, in place of the smallest?",
    shows=_is_with(10.0),
)
def largest_error(new, validation, validation_y, lengths):
    return _with(lengths[-1], new)


@tuned_ridge_exercise.mistake(
    "Your predictions are those of ℓ = 0.3. By the error on the *support* set the short lengths win: a curve that "
    "passes through every example has no error there. Choose by the queries.",
    shows=_is_with(0.3),
)
def short_length(new, validation, validation_y, lengths):
    return _with(lengths[1], new)


@tuned_ridge_exercise.mutant(SUPPORT_UNUSED)
def mean_curve_of_the_validation_tasks(new, validation, validation_y, lengths):
    x, y = validation["query_x"].ravel(), validation_y.ravel()
    return np.polyval(np.polyfit(x, y, 7), new["query_x"])
