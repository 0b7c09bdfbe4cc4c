"""One step ahead, and many: two errors of one model."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function

which_curve = Choice(
    "Which curve is which?",
    """
    A model of a vehicle is tested on a second of driving, 20 steps of 50 ms, over many drives. The figure shows three
    errors: of the model when it is given the **measured** state at every step, of the same model when it goes on from
    its **own** predictions, and of predicting that **nothing changes** from the start. Which is which?
    """,
    options={
        "a": (
            "1: measured state, 2: nothing changes, 3: own predictions",
            "The flat curve is not a model that is good far ahead. It never looks further than one step: its errors "
            "are wiped out by the next measurement.",
        ),
        "b": (
            "1: nothing changes, 2: own predictions, 3: measured state",
            "Look at the first step. With a measurement before it, both predictions of the model are the same one, so "
            "the two curves that start together are the model's.",
        ),
        "c": (
            "1: own predictions, 2: nothing changes, 3: measured state",
            "1 and 3 start together: the first step is the same prediction. Then 3, which is given the truth at every "
            "step, stays a one-step error however long the drive, and 1 adds up what the model does not know. Only 1 "
            "says what a controller may plan with.",
        ),
        "d": (
            "1: own predictions, 2: measured state, 3: nothing changes",
            "Getting the truth at every step cannot for long be worse than going on from one's own errors.",
        ),
    },
    right="c",
    hints=(
        "Which two of the three make the same prediction for the first step?",
        "If a model gets the measured state before every step, by what could its error grow?",
    ),
)


@which_curve.with_figure
def three_errors() -> None:
    """Errors of a linear model against the time ahead, over 400 drives."""
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    true, model = np.array([[0.85, -0.25], [0.06, 0.90]]), np.array([[0.80, -0.18], [0.04, 0.97]])
    states = [rng.normal(0, (0.45, 0.3), (400, 2))]
    own, errors = states[0], [[], [], []]
    for steering in np.sin(rng.uniform(0, 6, (1, 400)) + np.outer(np.arange(20), rng.uniform(0.15, 0.4, 400))):
        push = 0.1 * steering[:, None] * np.array([0.5, 1.0])
        measured = states[-1] @ model.T + push
        own = own @ model.T + push
        states.append(states[-1] @ true.T + push)
        for error, predicted in zip(errors, (own, states[0], measured), strict=True):
            error.append(np.linalg.norm(predicted - states[-1], axis=1).mean())
    _, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    for number, (error, look) in enumerate(zip(errors, ("o-", "s--", "^:"), strict=True), start=1):
        ax.plot(0.05 * np.arange(1, 21), error, look, markersize=3, label=f"curve {number}")
    ax.set(xlabel="time ahead (s)", ylabel="mean error of the scaled state")
    ax.set_ylim(bottom=0)
    ax.legend()


def _draw(rng: np.random.Generator) -> tuple:
    a = rng.uniform(-0.6, 0.6, (2, 2))
    return a, rng.normal(size=2), rng.normal(size=(7, 2)), rng.normal(size=6)


open_loop_errors_exercise = Function(
    "Roll a model out",
    """
    A model predicts the next state from the state and the input: `A @ state + B * input`. Given the measured `states`
    [n + 1, 2] of a drive and its `inputs` [n], return the error of the model 1, 2, …, n steps ahead, when it starts at
    the first measured state and then goes on **from its own predictions**: the Euclidean distances to the measured
    states.
    """,
    example=(
        np.array([[1.0, 1.0], [0.0, 1.0]]),
        np.array([0.0, 1.0]),
        np.array([[1.0, 0.0], [1.0, 2.0], [3.0, 2.0], [6.0, 6.0]]),
        np.array([1.0, 1.0, 0.0]),
    ),
    draw=_draw,
    hints=(
        "Keep one variable for the predicted state; only its first value is measured.",
        "In the example it goes (1, 0) → (1, 1) → (2, 2) → (4, 2); input 0 leads from state 0 to state 1.",
    ),
)


@open_loop_errors_exercise.reference(
    "A controller plans with what the model says about its own predictions: nobody measures the future. Fed with the "
    "measured states the same loop gives one-step errors, n of them, and looks like a prediction n steps ahead."
)
def open_loop_errors(A, B, states, inputs):
    """Errors [n] of a model A [2, 2], B [2], 1 to n steps ahead, on measured states [n + 1, 2] with inputs [n]."""
    predicted, errors = states[0], []
    for measured, u in zip(states[1:], inputs, strict=True):
        predicted = A @ predicted + B * u
        errors.append(np.linalg.norm(predicted - measured))
    return np.array(errors)


def _predictions(A, B, start, inputs):
    predicted = [start]
    for u in inputs:
        predicted.append(A @ predicted[-1] + B * u)
    return np.array(predicted)


@open_loop_errors_exercise.mistake(
    "You feed the measured state at every step: that is the one-step error in disguise, n times. Go on from the "
    "prediction."
)
def one_step_errors(A, B, states, inputs):
    return np.linalg.norm(states[:-1] @ A.T + inputs[:, None] * B - states[1:], axis=1)


@open_loop_errors_exercise.mistake("You start from rest. The start is known: the first measured state.")
def from_rest(A, B, states, inputs):
    return np.linalg.norm(_predictions(A, B, np.zeros(2), inputs) - states, axis=1)[1:]


@open_loop_errors_exercise.mistake(
    "You count the start itself, where nothing was predicted yet: an error of zero that makes the mean smaller."
)
def with_the_start(A, B, states, inputs):
    return np.linalg.norm(_predictions(A, B, states[0], inputs) - states, axis=1)


@open_loop_errors_exercise.mistake(
    "Predictions and measurements are shifted by a step: what follows from state 0 and input 0 is to be compared with "
    "state 1."
)
def compared_too_early(A, B, states, inputs):
    return np.linalg.norm(_predictions(A, B, states[0], inputs)[1:] - states[:-1], axis=1)


@open_loop_errors_exercise.mistake(
    "The matrix is transposed: `state @ A` multiplies by columns; `A @ state`, or `state @ A.T` for rows."
)
def transposed(A, B, states, inputs):
    return open_loop_errors(A.T, B, states, inputs)


@open_loop_errors_exercise.mistake("Squared distances: take the root, so that the error has the unit of the states.")
def squared(A, B, states, inputs):
    return open_loop_errors(A, B, states, inputs) ** 2


@open_loop_errors_exercise.mistake(
    "You add up one-step errors. How earlier errors develop (the model may damp or amplify them) is missing: roll "
    "it out."
)
def sum_of_one_step_errors(A, B, states, inputs):
    return np.cumsum(one_step_errors(A, B, states, inputs))


@open_loop_errors_exercise.mistake(
    "That is the mean up to each step. The question asks for the error at each: the mean hides the late ones."
)
def running_mean(A, B, states, inputs):
    errors = open_loop_errors(A, B, states, inputs)
    return np.cumsum(errors) / np.arange(1, len(errors) + 1)


@open_loop_errors_exercise.mistake(
    "The errors are shifted by one, with a 0 at the beginning: the first error is that of the first prediction."
)
def with_a_zero_first(A, B, states, inputs):
    found = open_loop_errors(A, B, states, inputs)
    return np.concatenate([[0.0], found[:-1]])


@open_loop_errors_exercise.mistake(
    "The errors of the two coordinates are averaged in absolute value; the exercise asks for the Euclidean distance."
)
def mean_absolute(A, B, states, inputs):
    predicted, errors = states[0], []
    for measured, u in zip(states[1:], inputs, strict=True):
        predicted = A @ predicted + B * u
        errors.append(np.abs(predicted - measured).mean())
    return np.array(errors)


@open_loop_errors_exercise.mistake("The input has no effect in your prediction: B * input is missing.")
def without_input(A, B, states, inputs):
    return open_loop_errors(A, 0 * B, states, inputs)


@open_loop_errors_exercise.also_right
def with_matrix_powers(a, b, measured, u):
    errors = []
    for ahead in range(1, len(measured)):
        state = np.linalg.matrix_power(a, ahead) @ measured[0]
        for step in range(ahead):
            state = state + np.linalg.matrix_power(a, ahead - 1 - step) @ b * u[step]
        errors.append(float(((state - measured[ahead]) ** 2).sum() ** 0.5))
    return errors
