"""The training loop of a learner: where it stands in its stream, and steps that are undone where they diverge."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.core.training.execution import Logs, compiled
from metalearn_lib.core.training.resume import Resume
from metalearn_lib.tasks.stream import starting_at


class TrainingLoop:
    """What a learner has to be trained with.

    - Epoch e trains on the meta-batches e * n to (e + 1) * n - 1 of an endless stream, n being the steps of an epoch.
    - A step that makes the loss or a weight infinite or NaN is undone, and raises `DivergedError`.

    Args:
        learner: the learner.
    """

    def __init__(self, learner: keras.Model) -> None:
        self._learner = learner
        # Not variables of Keras: they are no weights of the model. The stub of tf.Variable knows no Python numbers.
        self.position = tf.Variable(0, trainable=False, dtype=tf.int64)  # pyright: ignore[reportArgumentType]
        self._diverged = tf.Variable(False, trainable=False)  # pyright: ignore[reportArgumentType]
        self._steps_to_skip = 0

    def begin(
        self, x: Any, callbacks: list[keras.callbacks.Callback], initial_epoch: int, steps: int | None
    ) -> tuple[Any, int]:
        """Go to where training starts or, with a `Resume` among the callbacks, continues.

        Args:
            x: what `fit` was given.
            callbacks: those of `fit`.
            initial_epoch: the first epoch to train, unless a backup says more.
            steps: number of meta-batches in an epoch, None if it is not known.

        Returns:
            What to train on, and the first epoch to train.

        Raises:
            ValueError: if a backup was restored and `steps` is None.
        """
        endless = isinstance(x, tf.data.Dataset) and x.cardinality() == tf.data.INFINITE_CARDINALITY
        at_once = self._learner.steps_per_execution
        if endless and steps is not None:
            steps = math.ceil(steps / at_once) * at_once  # Keras runs whole executions
        self.position.assign(initial_epoch * (steps or 0))
        self._steps_to_skip = 0
        for resume in callbacks:
            if isinstance(resume, Resume) and resume.restore(self._learner):
                if steps is None:
                    raise ValueError("steps_per_epoch is None, expected a number: x does not say how long an epoch is")
                initial_epoch, self._steps_to_skip = divmod(int(self.position), steps)
        start = int(self.position) - self._steps_to_skip
        return starting_at(x, start) if endless and start else x, initial_epoch

    def function(self) -> Callable[[Any], Logs]:
        """What Keras's `fit` runs for each execution."""
        execute = compiled(self._learner, self.step)

        def train(iterator: Any) -> Logs:
            if self._steps_to_skip > 0:
                for _ in range(self._learner.steps_per_execution):
                    next(iterator)
                self._steps_to_skip -= self._learner.steps_per_execution
                return {}
            logs = execute(iterator)
            if self.has_diverged():
                raise DivergedError(
                    "the loss or gradient of this meta-batch is not finite: the weights are those before it"
                )
            return logs

        return train

    def step(self, data: Any) -> Logs:
        """`train_step`, without effect if it diverges or a step before it in this execution has."""
        state = [*self._learner.variables, *self._learner.optimizer.variables]
        before = [tf.convert_to_tensor(variable) for variable in state]
        logs = self._learner.train_step(data)
        numbers = [logs["loss"], *self._learner.trainable_variables]
        diverged = self._diverged | ~tf.reduce_all([tf.reduce_all(tf.math.is_finite(number)) for number in numbers])

        def undo() -> tf.Tensor:
            for variable, value in zip(state, before, strict=True):
                variable.assign(value)
            return tf.constant(0, tf.int64)

        self.position.assign_add(tf.cond(diverged, undo, lambda: tf.constant(1, tf.int64)))
        self._diverged.assign(diverged)
        return logs

    def has_diverged(self) -> bool:
        """Whether a step was undone since the last time this was asked."""
        diverged = bool(self._diverged)
        if diverged:
            self._diverged.assign(False)
        return diverged
