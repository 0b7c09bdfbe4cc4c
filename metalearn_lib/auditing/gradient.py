"""The order of the gradient: whether what `fit` descends is the slope of the learner's own loss."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.auditing.claims import BASELINES
from metalearn_lib.auditing.report import DECLARED, FAILED, NOT_APPLICABLE, PASSED, Finding
from metalearn_lib.auditing.subject import SAME, Subject
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.tasks.stream import GatheredTasks

NAME = "order of gradient"
MISTAKE = "a second-order learner that detaches the inner gradient and is first order"
TASKS = 5
MOST_WEIGHTS = 6
CHANGE = 5e-4  # of the loss: above rounding, and small enough for the loss to be straight
STRAIGHT = 0.01  # what counts: where two sizes of steps agree so far; a ReLU that switches in between makes a jump
TOLERANCE = 0.02
SAME_LOSS = 1e-4
TINY = 1e-30  # instead of a division by zero


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
    return _compared(learner, subject)


def _compared(learner: keras.Model, subject: Subject) -> tuple[str, str]:
    """One task at a time: the fewer examples, the fewer kinks are near."""
    singles = [
        ({name: array[i : i + 1] for name, array in subject.task.items()}, subject.query_y[i : i + 1])
        for i in range(min(TASKS, len(subject.query_y)))
    ]
    found = fitted_gradients(learner, [singles[0], *singles])
    if not found:
        return NOT_APPLICABLE, "Its training step does not use the compiled optimiser."
    (loss, first), (_, again), *others = found
    if not _alike(first, again):
        return NOT_APPLICABLE, "Training is random: two gradients of one task differ."
    differences = []
    for (task, query_y), (claimed, gradients) in zip(singles, [(loss, first), *others], strict=True):

        def outer_loss(task: Any = task, query_y: np.ndarray = query_y) -> float:
            # Keras's own predict prepares a data set at every call.
            plain = type(learner).predict is keras.Model.predict
            predictions = learner.predict_on_batch(task) if plain else learner.predict(task)
            loss: Any = learner.compute_loss(x=task, y=tf.constant(query_y), y_pred=tf.constant(predictions))
            return float(loss)

        here = outer_loss()
        if abs(claimed - here) > SAME_LOSS * abs(here):
            return NOT_APPLICABLE, f"fit minimises {claimed:.5g}, but its predictions have a loss of {here:.5g}."
        difference, share = _difference(learner.trainable_variables, gradients, outer_loss, CHANGE * abs(here))
        if share > 0.5:
            differences.append(difference)
    if 2 * len(differences) < len(singles):
        return NOT_APPLICABLE, "The loss is too rough here for finite differences."
    difference = float(np.median(differences))
    sentence = f"What fit descends and finite differences of its loss differ by {100 * difference:.1f} %."
    return (FAILED if difference > TOLERANCE else PASSED), sentence


def _difference(
    variables: list[keras.Variable], gradients: list[np.ndarray], outer_loss: Callable[[], float], change: float
) -> tuple[float, float]:
    """How far slopes along the gradient, weight by weight, are from its lengths, and on what share of it they tell."""
    most = sorted(zip(variables, gradients, strict=True), key=lambda pair: -(pair[1] ** 2).sum())[:MOST_WEIGHTS]
    lengths = np.array([np.linalg.norm(gradient) for _, gradient in most])
    size = float(np.linalg.norm(lengths))
    measured, rough = np.array([_slope(outer_loss, *pair, change, size) for pair in most]).T
    tells = rough <= STRAIGHT * size
    scale = max(np.linalg.norm(measured[tells]), np.linalg.norm(lengths[tells]), TINY)
    share = np.linalg.norm(lengths[tells]) / size if size else 1.0
    return float(np.linalg.norm((measured - lengths)[tells]) / scale), float(share)


def _alike(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    apart = sum(((a - b) ** 2).sum() for a, b in zip(some, others, strict=True))
    return bool(apart <= SAME**2 * sum((a**2).sum() for a in some))


class _Recorder(keras.optimizers.SGD):
    """Keeps the gradients that it is given, and changes nothing."""

    given: dict[int, Any] | None = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self.given = {id(v): g for v, g in zip(trainable_variables, grads, strict=True) if g is not None}


def fitted_gradients(
    learner: keras.Model, batches: Sequence[MetaBatch | GatheredTasks]
) -> list[tuple[float, list[np.ndarray]]]:
    """For each meta-batch the loss that `fit` reports, NaN if none, and the gradient that it descends.

    Nothing is changed. Empty if the training step gives no gradients to the learner's optimiser.
    """
    recorder, optimizer = _Recorder(), learner.optimizer
    before = [variable.numpy() for variable in learner.variables]

    @tf.function
    def step(batch: MetaBatch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        loss = learner.train_step(batch).get("loss", np.nan)
        variables, given = learner.trainable_variables, recorder.given or {}
        return loss, [tf.convert_to_tensor(given.get(id(v), tf.zeros(v.shape, v.dtype))) for v in variables]

    found = []
    learner.optimizer = recorder
    try:
        for batch in batches:
            learner.reset_metrics()
            loss, gradients = step(tf.nest.map_structure(tf.constant, batch))
            found.append((float(loss), [gradient.numpy().astype(np.float64) for gradient in gradients]))
    finally:
        learner.optimizer = optimizer
    learner.reset_metrics()
    for variable, value in zip(learner.variables, before, strict=True):
        variable.assign(value)
    return found if recorder.given is not None else []


def _slope(
    outer_loss: Callable[[], float], variable: keras.Variable, gradient: np.ndarray, change: float, size: float
) -> tuple[float, float]:
    """The slope of the loss along the gradient in one weight by finite differences, and how uncertain it is."""
    length = float(np.linalg.norm(gradient))
    direction = gradient / length if length else np.full(gradient.shape, gradient.size**-0.5)
    value = variable.numpy()
    step = min(change / max(length, 0.1 * size, TINY), 0.05 * float(np.sqrt(gradient.size)))

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
