"""What a learner descends: in `fit`, in the step of a loop of one's own, or through its predictions."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.auditing.reach import Reach, eagerly, replaced
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.tasks.stream import GatheredTasks

Claims = list[tuple[float, list[np.ndarray]]]  # for each meta-batch a loss, NaN if unknown, and its gradient
WRITES = "Assign"  # in the name of every operation that changes a variable


class _Recorder(keras.optimizers.SGD):
    """Keeps the gradients that it is given, and changes nothing."""

    given: dict[int, Any] | None = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self.given = {id(v): g for v, g in zip(trainable_variables, grads, strict=True) if g is not None}


def fitted_gradients(learner: keras.Model, batches: Sequence[MetaBatch | GatheredTasks]) -> Claims:
    """For each meta-batch the loss that `fit` reports, NaN if none, and the gradient that it descends.

    Nothing is changed. Empty, and no step is run, if the training step gives no gradients to the learner's optimiser.
    """
    recorder, optimizer = _Recorder(), learner.optimizer
    before = [variable.numpy() for variable in learner.variables]

    def step(batch: MetaBatch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        loss = learner.train_step(batch).get("loss", np.nan)
        variables, given = learner.trainable_variables, recorder.given or {}
        return loss, [tf.convert_to_tensor(given.get(id(v), tf.zeros(v.shape, v.dtype))) for v in variables]

    found = []
    traced: Any = tf.function(step)
    learner.optimizer = recorder
    try:
        learner.reset_metrics()
        traced.get_concrete_function(tf.nest.map_structure(tf.constant, batches[0]))
        for batch in batches if recorder.given is not None else []:
            learner.reset_metrics()
            loss, gradients = traced(tf.nest.map_structure(tf.constant, batch))
            found.append((float(loss), [gradient.numpy().astype(np.float64) for gradient in gradients]))
    finally:
        learner.optimizer = optimizer
    learner.reset_metrics()
    for variable, value in zip(learner.variables, before, strict=True):
        variable.assign(value)
    return found


def stepped_gradients(
    step: Callable, batches: Sequence[GatheredTasks], reach: Reach
) -> tuple[list[Any], list[list[np.ndarray]]]:
    """The weights that a training step changes, and for each meta-batch the gradient that it descends.

    The step runs eagerly, and what it changed is set back. Its outer optimiser is the last Keras optimiser that gets
    gradients; without one, nothing is found.

    Args:
        step: a function of a task and the targets of its queries.
        batches: meta-batches as NumPy arrays.
        reach: what the step reaches.
    """
    applied: list[tuple[Any, Any]] = []
    original = keras.optimizers.Optimizer.apply

    def apply(self: keras.optimizers.Optimizer, grads: Any, trainable_variables: Any = None) -> None:
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
            applied[:] = zip(trainable_variables, grads, strict=True)
        reach.add(self, *self.variables)
        original(self, grads, trainable_variables)

    found = []
    with eagerly(), replaced(keras.optimizers.Optimizer, "apply", apply):
        for task, query_y in batches:
            applied.clear()
            step(tf.nest.map_structure(tf.constant, task), tf.constant(query_y))
            found.append([(v, tf.convert_to_tensor(g).numpy().astype(float)) for v, g in applied if g is not None])
            reach.restore()
    variables = [variable for variable, _ in found[0]]
    same = all([id(variable) for variable, _ in pairs] == [id(v) for v in variables] for pairs in found)
    return (variables, [[gradient for _, gradient in pairs] for pairs in found]) if same else ([], [])


def gradient_through(
    learner: Callable, loss: Callable, batch: GatheredTasks, variables: Sequence[Any], first_order: bool = False
) -> tuple[list[np.ndarray], int]:
    """The gradient of a loss through a learner's predictions, by TensorFlow, and how many gradients it took inside.

    Args:
        learner: a Keras model or a function of a task.
        loss: a function of task, targets and predictions.
        batch: one meta-batch.
        variables: the weights.
        first_order: whether the gradients that the learner takes inside count as constants.

    Returns:
        An array for each weight, or none if no gradient comes back; and a number.
    """
    task, query_y = batch
    original, inner = tf.GradientTape.gradient, []

    def gradient(tape: tf.GradientTape, *arguments: Any, **options: Any) -> Any:
        inner.append(None)
        found = original(tape, *arguments, **options)
        return tf.nest.map_structure(tf.stop_gradient, found) if first_order else found

    with eagerly(), replaced(tf.GradientTape, "gradient", gradient), tf.GradientTape() as tape:
        predictions = learner(task)
        value = loss(task, tf.constant(query_y), predictions) if isinstance(predictions, tf.Tensor) else None
    if value is None or not predictions.dtype.is_floating:
        return [], len(inner)
    found = original(tape, value, list(variables))
    if all(g is None for g in found):
        return [], len(inner)
    arrays = [
        np.zeros(v.shape) if g is None else tf.convert_to_tensor(g).numpy()
        for v, g in zip(variables, found, strict=True)
    ]
    return [array.astype(np.float64) for array in arrays], len(inner)


def writes_to_weights(learner: Callable, task: dict[str, np.ndarray]) -> bool:
    """Whether predicting changes a variable, as adapting in place does; also if that cannot be told."""
    try:
        graph = tf.function(lambda: learner(task), autograph=False).get_concrete_function().graph.as_graph_def()
    except Exception:  # whatever a visitor's function raises when it is traced
        return True
    functions = [function.node_def for function in graph.library.function]
    return any(WRITES in node.op for nodes in [graph.node, *functions] for node in nodes)
