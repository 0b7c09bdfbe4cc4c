"""The order of the gradient: whether what `fit` descends is the slope of the learner's own loss."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from metalearn_lib._tensorflow import keras, tf
from metalearn_lib.audit.claims import BASELINES
from metalearn_lib.audit.report import DECLARED, FAILED, NOT_APPLICABLE, PASSED, Finding
from metalearn_lib.audit.subject import SAME, Subject

NAME = "order of gradient"
MISTAKE = "a second-order learner that detaches the inner gradient and is first order"
MOST_TASKS = 16
MOST_WEIGHTS = 8
TOLERANCE = 0.05
SAME_LOSS = 1e-4
CHANGES = (3e-3, 3e-4, 3e-5)  # of the loss: the smaller, the straighter the loss, and the more rounding


def order_of_gradient(subject: Subject) -> Finding:
    """The gradient that `fit` descends against finite differences of the compiled loss of predictions."""
    verdict, sentence = _judge(subject)
    return Finding(NAME, verdict, sentence, MISTAKE)


def _judge(subject: Subject) -> tuple[str, str]:
    learner = subject.learner
    if not isinstance(learner, keras.Model):
        return NOT_APPLICABLE, "A function shows no gradient; give a compiled Keras model to have it compared."
    if isinstance(learner, BASELINES):
        return NOT_APPLICABLE, f"{type(learner).__name__} is a baseline: it learns no initialisation."
    if getattr(learner, "first_order", False):
        return DECLARED, "The learner says so: first_order=True."
    own_step = type(learner).train_step is not keras.Model.train_step
    if own_step and not hasattr(learner, "first_order"):
        return NOT_APPLICABLE, "It trains by a step of its own and claims no order (first_order=False would)."
    if not learner.compiled or getattr(learner, "loss", None) is None or not learner.trainable_variables:
        return NOT_APPLICABLE, "There is nothing to train: no weights, or no compiled loss."
    return _compared(learner, {n: a[:MOST_TASKS] for n, a in subject.task.items()}, subject.query_y[:MOST_TASKS])


def _compared(learner: keras.Model, task: dict[str, np.ndarray], query_y: np.ndarray) -> tuple[str, str]:
    (loss, gradients), (_, again) = fitted_gradients(learner, task, query_y)
    size = np.sqrt(sum((g**2).sum() for g in gradients))
    if np.sqrt(sum(((g - a) ** 2).sum() for g, a in zip(gradients, again, strict=True))) > SAME * size:
        return NOT_APPLICABLE, "Training is random: two gradients of the same tasks differ."

    def outer_loss() -> float:
        predictions = learner.predict(task, batch_size=len(query_y), verbose=0)
        return float(learner.compute_loss(x=task, y=tf.constant(query_y), y_pred=tf.constant(predictions)))

    here = outer_loss()
    if abs(loss - here) > SAME_LOSS * abs(here):
        return NOT_APPLICABLE, f"fit minimises {loss:.5g}, but its predictions have a loss of {here:.5g}."
    most = sorted(zip(learner.trainable_variables, gradients, strict=True), key=lambda pair: -(pair[1] ** 2).sum())
    most = most[:MOST_WEIGHTS]
    claimed = np.array([np.linalg.norm(gradient) for _, gradient in most])
    difference, noise = 0.0, np.inf
    for change in CHANGES:
        if noise < TOLERANCE / 5:
            break
        slopes = [_slope(outer_loss, variable, gradient, change * abs(here), size) for variable, gradient in most]
        measured, uncertain = np.array(slopes).T
        scale = max(np.linalg.norm(measured), size)
        if np.linalg.norm(uncertain) / scale < noise:
            difference, noise = np.linalg.norm(measured - claimed) / scale, np.linalg.norm(uncertain) / scale
    if noise > TOLERANCE:
        return NOT_APPLICABLE, f"Finite differences are uncertain here, by {100 * noise:.0f} %: the loss is too rough."
    percent = f"{100 * difference:.1f} ± {100 * noise:.1f} %"
    sentence = f"What fit descends and finite differences of its loss differ by {percent}."
    return (FAILED if difference > TOLERANCE + 3 * noise else PASSED), sentence


class _Recorder(keras.optimizers.SGD):
    """Keeps the gradients that it is given, and changes nothing."""

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self.given = {id(v): g for v, g in zip(trainable_variables, grads, strict=True) if g is not None}


def fitted_gradients(
    learner: keras.Model, task: dict[str, np.ndarray], query_y: np.ndarray
) -> list[tuple[float, list[np.ndarray]]]:
    """The loss that `fit` reports for a meta-batch and the gradient that it descends, twice; nothing is changed."""
    recorder = _Recorder()
    before = [variable.numpy() for variable in learner.variables]
    batch = tf.nest.map_structure(tf.constant, (task, query_y))
    found = []
    with mock.patch.object(learner, "optimizer", recorder):
        for _ in range(2):
            learner.reset_metrics()
            loss = float(learner.train_step(batch)["loss"])
            variables = learner.trainable_variables
            given = [recorder.given.get(id(v), tf.zeros(v.shape, v.dtype)) for v in variables]
            found.append((loss, [tf.convert_to_tensor(g).numpy().astype(np.float64) for g in given]))
    learner.reset_metrics()
    for variable, value in zip(learner.variables, before, strict=True):
        variable.assign(value)
    return found


def _slope(
    outer_loss: Callable[[], float], variable: keras.Variable, gradient: np.ndarray, change: float, size: float
) -> tuple[float, float]:
    """The slope of the loss along the gradient in one weight by finite differences, and how uncertain it is."""
    length = np.linalg.norm(gradient)
    direction = gradient / length if length else np.full(gradient.shape, gradient.size**-0.5)
    value = variable.numpy()
    step = min(change / max(length, 0.1 * size), 0.05 * np.sqrt(gradient.size))

    def central(step: float) -> float:
        losses = []
        for signed in (step, -step):
            variable.assign(value + signed * direction)
            losses.append(outer_loss())
        return (losses[0] - losses[1]) / (2 * step)

    try:
        whole, half = central(step), central(step / 2)
    finally:
        variable.assign(value)
    return (4 * half - whole) / 3, abs(half - whole)
