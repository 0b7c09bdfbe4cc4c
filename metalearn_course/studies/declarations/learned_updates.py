"""Chapter 11: a learned update against rates that are learned, computed or tuned, and where each can still be used.

All rivals walk along the same path: from the gradients so far to the next step, for each weight.
"""

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies.optimization import Problem, State, Update, Walker, family, linear, path, sinusoids
from metalearn_course.studies.study import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

SCALES = (3.0, 1.0, 0.3)
OUTER_STEPS, META_BATCH = 4_000, 32
STEPS = (1, 2, 5, 10, 30, 100)
TRAINED_STEPS = 10
FACTORS = [float(f) for f in np.geomspace(0.01, 100, 25)]
ELSEWHERE = {
    "12 weights": {"scales": SCALES * 4},
    "inputs of size 1": {"scales": (1.0, 1.0, 1.0)},
    "inputs of sizes 10, 3, 1": {"scales": (10.0, 3.0, 1.0)},
    "targets ten times as large": {"scales": SCALES, "target": 10.0},
}
NETWORK = "another network"


def gradient_descent(seed: int, rate: float) -> Walker:
    """w ← w − α g."""
    return Walker(lambda problem: lambda g, state, number: (-rate * g, None))


def momentum(seed: int, rate: float) -> Walker:
    """m ← 0.9 m + g, w ← w − α m."""

    def update(g: np.ndarray, m: State, number: int) -> tuple[np.ndarray, State]:
        m = g if m is None else 0.9 * m + g
        return -rate * m, m

    return Walker(lambda problem: update)


def adam(seed: int, rate: float) -> Walker:
    """Kingma and Ba 2015, algorithm 1."""

    def update(g: np.ndarray, state: State, number: int) -> tuple[np.ndarray, State]:
        m, v = (0.0, 0.0) if state is None else state
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        return -rate * (m / (1 - 0.9**number)) / (np.sqrt(v / (1 - 0.999**number)) + 1e-8), (m, v)

    return Walker(lambda problem: update)


def over_curvature(seed: int, c: float) -> Walker:
    """w ← w − c g / λ, with the curvature λ of the family along each weight."""

    def update_on(problem: Problem) -> Update | None:
        curvature = problem.curvature
        return None if curvature is None else lambda g, state, number: (-c * g / curvature, None)

    return Walker(update_on)


def over_measured_curvature(seed: int, c: float) -> Walker:
    """The same with the curvatures of the task's own support set, the diagonal of its Hessian (Jacobi's method)."""

    def update_on(problem: Problem) -> Update | None:
        if problem.hessian is None:
            return None
        own = np.einsum("tpp->tp", problem.hessian)
        return lambda g, state, number: (-c * g / own, None)

    return Walker(update_on)


def conjugate_gradients(seed: int) -> Walker:
    """Hestenes and Stiefel 1952: exact on P weights after P steps; multiplies by the Hessian once per step."""

    def update_on(problem: Problem) -> Update | None:
        if problem.hessian is None:
            return None
        hessian = problem.hessian

        def update(g: np.ndarray, state: State, number: int) -> tuple[np.ndarray, State]:
            size = (g**2).sum(axis=1, keepdims=True)
            direction = -g if state is None else -g + size / np.maximum(state[1], 1e-300) * state[0]
            along = np.einsum("tp,tpq,tq->t", direction, hessian, direction)[:, None]
            step = np.where(size > 1e-16, size / np.maximum(along, 1e-300) * direction, 0.0)  # else it is there
            return step, (direction, size)

        return update

    return Walker(update_on)


def rate_for_each_step(seed: int, outer_lr: float) -> Walker:
    """Ten learned rates, one for each step and the same for all weights; from the eleventh step on they repeat."""
    logarithms = tf.Variable(tf.fill([TRAINED_STEPS], tf.math.log(0.05)))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(outer_lr, OUTER_STEPS), clipnorm=1.0)  # pyright: ignore[reportArgumentType]
    optimizer.build([logarithms])

    @tf.function(jit_compile=True)
    def outer_step(x: tf.Tensor, y: tf.Tensor, query_x: tf.Tensor, query_y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            w = tf.zeros([META_BATCH, len(SCALES), 1])
            for rate in tf.unstack(tf.exp(logarithms)):
                w -= rate * 2 * tf.matmul(x, tf.matmul(x, w) - y, transpose_a=True) / x.shape[1]
            loss = tf.reduce_mean((tf.matmul(query_x, w) - query_y) ** 2)
        optimizer.apply([tape.gradient(loss, logarithms)], [logarithms])

    for task, query_y in family(1_000 + seed, SCALES).take(OUTER_STEPS):
        outer_step(task["support_x"], task["support_y"], task["query_x"], query_y)
    rates = np.exp(logarithms.numpy())
    return Walker(lambda problem: lambda g, state, number: (-rates[(number - 1) % TRAINED_STEPS] * g, None))


def meta_sgd(seed: int, inner_lr: float, outer_lr: float) -> Walker:
    """A learned rate for each weight, and a learned start; with as many weights as in training only."""
    learner = ml.MAML(_linear_model(), inner_lr=inner_lr, inner_steps=TRAINED_STEPS, learn_inner_lr=True)
    _fit(learner, outer_lr, seed)
    rates, start = learner.inner_lrs()[0].numpy()[:, 0], learner.initialization()[0].numpy()[:, 0]  # pyright: ignore[reportIndexIssue]

    def update_on(problem: Problem) -> Update | None:
        if problem.curvature is None or problem.start.shape[1] != len(rates):
            return None
        # The first step also leads from zero to the learned start, where the gradient is g + H start.
        there = problem.hessian @ start
        return lambda g, state, number: (-rates * g if number > 1 else start - rates * (g + there), None)

    return Walker(update_on)


def learned_update(seed: int, outer_lr: float, size: float, inner_steps: int = TRAINED_STEPS) -> Walker:
    """The LSTM of Andrychowicz et al. (2016), one for all weights."""
    learner = ml.LearnedOptimizer(_linear_model(), inner_lr=size, inner_steps=inner_steps, units=10)
    _fit(learner, outer_lr, seed)
    phi = [tf.convert_to_tensor(variable) for variable in learner.rule.trainable_variables]
    propose = tf.function(lambda g, *states: learner.propose([g], list(states), phi), reduce_retracing=True)

    def update(g: np.ndarray, states: State, number: int) -> tuple[np.ndarray, State]:
        states = [tf.zeros([g.size, learner.units])] * 4 if states is None else states
        (step,), states = propose(tf.constant(g.ravel(), tf.float32), *states)
        return step.numpy().reshape(g.shape), states

    return Walker(lambda problem: update)


def learned_update_over_30(seed: int, outer_lr: float) -> Walker:
    """The same, trained through 30 steps, with the size that is usual in this library."""
    return learned_update(seed, outer_lr, 0.1, inner_steps=30)


def _linear_model() -> keras.Model:
    return keras.Sequential(
        [keras.Input((len(SCALES),)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )


def _fit(learner: ml.Learner, outer_lr: float, seed: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(outer_lr, OUTER_STEPS)
    learner.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), loss="mse", steps_per_execution=100)  # pyright: ignore[reportArgumentType]
    learner.fit(family(1_000 + seed, SCALES), steps_per_epoch=OUTER_STEPS, verbose=0)


def as_score(errors: np.ndarray, problem: Problem) -> ml.Score:
    """The errors [T] of a problem's tasks."""
    return ml.Score(errors, "mean squared error", fingerprint(problem.query_y))


def validate(walker: Walker) -> ml.Score:
    """After ten steps, on validation tasks of the family."""
    problem = linear(2_000, 500, scales=SCALES)
    update = walker.update_on(problem)
    assert update is not None
    return as_score(path(update, problem, TRAINED_STEPS)[-1], problem)


def measure(walker: Walker) -> dict[str, ml.Score]:
    """On the family after several numbers of steps; on other families after ten, as it is and at its best size.

    The best size is a factor on all steps, chosen on validation tasks of the other family: for gradient descent it is
    the same as to choose its rate anew.
    """
    problem = linear(3_000, 300, scales=SCALES)
    update = walker.update_on(problem)
    assert update is not None
    errors = path(update, problem, STEPS[-1])
    scores = {f"after {n} step{'s' * (n > 1)}": as_score(errors[n], problem) for n in STEPS}
    for name, settings in ELSEWHERE.items():
        scores |= _elsewhere(walker, name, linear(2_001, 200, **settings), linear(3_001, 200, **settings))
    scores |= _elsewhere(walker, NETWORK, sinusoids(2_001, 50), sinusoids(3_001, 200))
    return scores


def _elsewhere(walker: Walker, name: str, validation: Problem, test: Problem) -> dict[str, ml.Score]:
    chosen, update = walker.update_on(validation), walker.update_on(test)
    if chosen is None or update is None:
        return {}
    tried = [path(chosen, validation, TRAINED_STEPS, factor)[-1].mean() for factor in FACTORS]
    best = FACTORS[int(np.argmin(tried))]
    return {
        f"{name}, as it is": as_score(path(update, test, TRAINED_STEPS)[-1], test),
        f"{name}, size chosen anew": as_score(path(update, test, TRAINED_STEPS, best)[-1], test),
    }


RATES = [0.001, 0.003, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1.0, 2.0]
STUDY = Study(
    name="learned_updates",
    chapter="11",
    question="Is a learned update better than rates that are learned, computed or tuned, and where can each be used?",
    budget="4,000 outer steps of 32 tasks, gradients clipped to length 1; rates tuned on 500 validation tasks",
    rivals={
        "gradient descent": Rival(gradient_descent, {"rate": RATES}, trained=False),
        "momentum": Rival(momentum, {"rate": RATES}, trained=False),
        "Adam": Rival(adam, {"rate": RATES}, trained=False),
        "a rate for each step": Rival(rate_for_each_step, {"outer_lr": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]}),
        "Meta-SGD": Rival(
            meta_sgd, {"inner_lr": [0.001, 0.003, 0.01, 0.02, 0.05, 0.1], "outer_lr": [0.003, 0.01, 0.03, 0.1, 0.3]}
        ),
        "oracle, c/λ": Rival(over_curvature, {"c": [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]}, trained=False),
        "measured, c/λ": Rival(over_measured_curvature, {"c": [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]}, trained=False),
        "learned update": Rival(learned_update, {"outer_lr": [0.01, 0.03, 0.1, 0.2], "size": [0.03, 0.1, 0.3, 1.0]}),
        "learned update, 30 steps": Rival(learned_update_over_30, {"outer_lr": [0.003, 0.01, 0.03, 0.1, 0.3]}),
        "conjugate gradients": Rival(conjugate_gradients, untuned="it has no rate", trained=False),
    },
    validate=validate,
    measure=measure,
)
