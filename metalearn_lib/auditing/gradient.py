"""The order of the gradient: whether what training descends is the slope of the learner's own loss."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.auditing.claims import BASELINES
from metalearn_lib.auditing.descent import fitted_gradients, gradient_through, stepped_gradients, writes_to_weights
from metalearn_lib.auditing.report import DECLARED, FAILED, NOT_APPLICABLE, PASSED, Finding
from metalearn_lib.auditing.slopes import difference
from metalearn_lib.auditing.subject import SAME, Subject
from metalearn_lib.core.keras_private import is_compiled_with_loss
from metalearn_lib.tasks.stream import GatheredTasks

NAME = "order of gradient"
MISTAKE = "a second-order learner that detaches the inner gradient and is first order"
TASKS = 5
TOLERANCE = 0.02
SAME_LOSS = 1e-4
GIVE_STEP = "audit(..., step=f) with f(task, query_y), one step of its training loop, shows it"
TO_BE_JUDGED = (
    "Set learner.first_order = False if training means to descend the loss of its predictions, and this is judged; "
    "True if it is first order on purpose"
)

Verdict = tuple[str, str]
Gradients = list[list[np.ndarray]]


def order_of_gradient(subject: Subject, step: Callable | None = None) -> Finding:
    """The gradient that training descends against finite differences of the loss of predictions."""
    try:
        verdict, sentence = _judge(subject, step)
    finally:
        subject.reach.restore()
    return Finding(NAME, verdict, sentence, MISTAKE)


def _judge(subject: Subject, step: Callable | None) -> Verdict:
    learner = subject.learner
    if isinstance(learner, BASELINES):
        return NOT_APPLICABLE, f"{type(learner).__name__} is a baseline: it learns no initialisation."
    if getattr(learner, "first_order", False):
        return DECLARED, "The learner says so: first_order=True."
    if subject.again:
        return NOT_APPLICABLE, "Losses of the same tasks differ from call to call, and so would slopes."
    if step is not None:
        return _stepped(subject, step, "its step")
    if not isinstance(learner, keras.Model):
        return _through(subject)
    own_step = type(learner).train_step is not keras.Model.train_step
    if not learner.trainable_variables:
        return NOT_APPLICABLE, "It has no weights to train."
    if own_step and not is_compiled_with_loss(learner):
        return _stepped(subject, lambda task, query_y: learner.train_step((task, query_y)), "its train_step")
    return _fitted(subject, learner, own_step) if is_compiled_with_loss(learner) else _through(subject)


def _fitted(subject: Subject, learner: keras.Model, own_step: bool) -> Verdict:
    """A compiled model: the gradient and the loss of `fit`."""
    singles = _singles(subject)
    try:
        found = fitted_gradients(learner, [singles[0], *singles])
    except Exception as error:  # whatever a visitor's step raises
        if not own_step:
            raise
        return NOT_APPLICABLE, f"Its train_step does not take a meta-batch (task, query_y): {type(error).__name__}."
    subject.trains_by_optimizer = bool(found)
    if not found:
        if any(optimizer is not learner.optimizer for optimizer in subject.reach.optimizers):
            return _stepped(subject, lambda task, query_y: learner.train_step((task, query_y)), "its train_step")
        return NOT_APPLICABLE, "Its training step does not use the compiled optimiser."

    loss = _loss(subject)
    for (task, query_y), (claimed, _) in zip(singles, found[1:], strict=True):
        here = _loss_of(learner, task, query_y, loss)
        if abs(claimed - here) > SAME_LOSS * abs(here):
            return NOT_APPLICABLE, f"fit minimises {claimed:.5g}, but its predictions have a loss of {here:.5g}."
    strict = not own_step or hasattr(learner, "first_order")
    gradients = [gradients for _, gradients in found]
    return _compared(subject, learner.trainable_variables, gradients, loss, "fit", strict)


def _stepped(subject: Subject, step: Callable, name: str) -> Verdict:
    """A training step of one's own. Its loss may be a multiple of what is taken here."""
    singles = _singles(subject)
    subject.reach.add(step)
    variables, gradients = stepped_gradients(step, [singles[0], *singles], subject.reach)
    subject.trains_by_optimizer = bool(variables)
    if not variables:
        return NOT_APPLICABLE, (
            f"No Keras optimiser got gradients in {name}: update the weights by apply_gradients of one, and they are "
            "compared."
        )
    strict = hasattr(subject.learner, "first_order")
    return _compared(subject, variables, gradients, _loss(subject), name, strict, any_scale=True)


def _through(subject: Subject) -> Verdict:
    """Neither `fit` nor a step: what a training loop gets that differentiates through the predictions."""
    learner, singles, variables = subject.learner, _singles(subject), subject.reach.weights
    if not variables:
        return NOT_APPLICABLE, f"It has no weights of Keras or TensorFlow to differentiate by. {GIVE_STEP}."
    if writes_to_weights(learner, singles[0][0]):
        return NOT_APPLICABLE, (
            f"Its predictions cannot be differentiated: they are NumPy arrays, or it writes into its weights. "
            f"{GIVE_STEP}."
        )
    loss = _loss(subject)
    gradients = [gradient_through(learner, loss, single, variables)[0] for single in [singles[0], *singles]]
    if not all(gradients):
        return NOT_APPLICABLE, f"No gradient comes back through its predictions. {GIVE_STEP}."
    # A weight without any gradient may be meant not to be trained.
    used = [i for i in range(len(variables)) if any(np.any(parts[i]) for parts in gradients)]
    variables, gradients = [variables[i] for i in used], [[parts[i] for i in used] for parts in gradients]
    strict = hasattr(learner, "first_order")
    verdict, sentence = _compared(subject, variables, gradients, loss, "a gradient through its predictions", strict)
    return verdict, f"{sentence} Its training loop was not seen: {GIVE_STEP}."


def _compared(
    subject: Subject,
    variables: Sequence[Any],
    gradients: Gradients,
    loss: Callable,
    what: str,
    strict: bool,
    any_scale: bool = False,
) -> Verdict:
    """One task at a time, the first one twice: the fewer examples, the fewer kinks are near."""
    first, *each = gradients
    if _apart(first, each[0]) > SAME:
        return NOT_APPLICABLE, "Training is random: two gradients of one task differ."
    singles, found = _singles(subject), []
    for (task, query_y), claimed in zip(singles, each, strict=True):
        outer_loss = partial(_loss_of, subject.learner, task, query_y, loss)
        apart, share = difference(variables, claimed, outer_loss, any_scale)
        if share > 0.5:
            found.append(apart)
    if 2 * len(found) < len(singles):
        return NOT_APPLICABLE, "The loss is too rough here for finite differences."
    apart = float(np.median(found))
    sentence = f"What {what} descends and finite differences of the loss differ by {100 * apart:.1f} %"
    if apart <= TOLERANCE:
        return PASSED, f"{sentence}."
    if strict:
        return FAILED, f"{sentence}."
    return _first_order(subject, variables, each, loss, sentence)


def _first_order(
    subject: Subject, variables: Sequence[Any], gradients: Gradients, loss: Callable, sentence: str
) -> Verdict:
    """Nothing is claimed: it is a mistake if it is the first-order gradient, and may be a method if it is not."""

    def is_first_order(single: GatheredTasks, claimed: list[np.ndarray]) -> bool:
        reference, inner = gradient_through(subject.learner, loss, single, variables, first_order=True)
        return bool(reference and inner) and _apart(claimed, reference) <= TOLERANCE

    if all(map(is_first_order, _singles(subject), gradients)):
        return FAILED, f"{sentence}: it is the first-order gradient, and no attribute first_order=True says so."
    return (
        NOT_APPLICABLE,
        f"{sentence}, and it is no first-order gradient: another method, or a mistake. {TO_BE_JUDGED}.",
    )


def _apart(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The relative distance of two gradients, but for a positive factor."""
    a, b = (np.concatenate([part.ravel() for part in parts]) for parts in (one, other))
    return float(np.linalg.norm(a / (np.linalg.norm(a) or 1.0) - b / (np.linalg.norm(b) or 1.0)))


def _singles(subject: Subject) -> list[GatheredTasks]:
    return [
        ({name: array[i : i + 1] for name, array in subject.task.items()}, subject.query_y[i : i + 1])
        for i in range(min(TASKS, len(subject.query_y)))
    ]


def _loss(subject: Subject) -> Callable:
    """A function of task, targets and predictions: the compiled loss, or the cross-entropy of logits, or the MSE."""
    learner: Any = subject.learner
    if isinstance(learner, keras.Model) and is_compiled_with_loss(learner):
        return lambda task, y, predictions: learner.compute_loss(x=task, y=y, y_pred=predictions)
    if subject.labels:
        return lambda task, y, logits: tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
    return lambda task, y, predictions: tf.reduce_mean((predictions - tf.cast(y, predictions.dtype)) ** 2)


def _loss_of(learner: Any, task: Any, query_y: np.ndarray, loss: Callable) -> float:
    return float(loss(task, tf.constant(query_y), tf.convert_to_tensor(_predictions(learner, task))))


def _predictions(learner: Any, task: Any) -> Any:
    if not isinstance(learner, keras.Model):
        return learner(task)
    # Keras's own predict prepares a data set at every call.
    return learner.predict_on_batch(task) if type(learner).predict is keras.Model.predict else learner.predict(task)
