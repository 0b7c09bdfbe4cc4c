"""What long training needs: it continues exactly where it was killed, and stops at the task that breaks it."""

import json
import math
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.tasks.stream import starting_at

POSITION = "position"


class LongRuns(keras.Model):
    """A Keras model whose training on streams survives `kill -9`, and which a NaN stops before it is ruined.

    - Epoch e trains on the meta-batches e * n to (e + 1) * n - 1 of an endless stream, n being the steps of an epoch.
      With `keras.callbacks.BackupAndRestore`, a run that was killed and is started again ends with the weights of one
      that was not, bit for bit: what is saved also holds the position in the stream and the states of the random
      generators, and replaces what was there in one go.
    - A step that makes the loss or a weight infinite or NaN is undone, and `fit` raises a `ValueError` that names
      the task.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        # Not variables of Keras: they are no weights of the model.
        self._position = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._diverged = tf.Variable(False, trainable=False)
        self._steps_to_skip = 0

    def fit(self, x: Any = None, y: Any = None, *, callbacks: Any = None, initial_epoch: int = 0, **kwargs: Any):
        """`keras.Model.fit`, exactly continued where `callbacks` restore a backup.

        Raises:
            ValueError: if a task's loss, or a weight after a step, is not finite; all weights are then as before it.
        """
        self._position.assign(0)
        self._steps_to_skip = 0
        self._initial_epoch = None  # Keras keeps that of the last backup it restored
        callbacks, stream = keras.tree.flatten(callbacks or []), x
        backups = [callback for callback in callbacks if isinstance(callback, keras.callbacks.BackupAndRestore)]
        if backups or initial_epoch:
            resume = _Resume(x, initial_epoch, backups)
            callbacks, stream = [*callbacks, resume], resume.stream
        try:
            return super().fit(stream, y, callbacks=callbacks, initial_epoch=initial_epoch, **kwargs)
        except _DivergedError:
            raise ValueError(self._culprit(x, y)) from None

    def make_train_function(self, force: bool = False) -> None:
        """`keras.Model.make_train_function`, for steps that are undone where they diverge."""
        if self.train_function is not None and not force:
            return
        execute = self._make_function(self._guarded_step)

        def train_function(iterator: Any) -> dict[str, Any]:
            if self._steps_to_skip > 0:
                for _ in range(self.steps_per_execution):
                    next(iterator)
                self._steps_to_skip -= self.steps_per_execution
                return {}
            logs = execute(iterator)
            if self._diverged:
                self._diverged.assign(False)
                raise _DivergedError
            return logs

        self.train_function = train_function

    def save_weights(self, filepath: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
        """`keras.Model.save_weights`; a single file is replaced whole, so that a kill leaves the old or the new one."""
        path = Path(filepath)
        if not overwrite or kwargs or not path.name.endswith(".weights.h5"):
            return super().save_weights(filepath, overwrite, **kwargs)
        part = path.with_name(f"part-{path.name}")
        super().save_weights(part)
        os.replace(part, path)

    def save_own_variables(self, store: Any) -> None:
        """Save, beside the variables, what Keras leaves out: random generators and the position in the stream."""
        super().save_own_variables(store)
        for name, variable in self._own_state().items():
            store[name] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` has saved."""
        saved = {name: store[name] for name in list(store.keys())}
        for name, variable in self._own_state().items():
            if name in saved:
                variable.assign(np.asarray(saved[name]))
        super().load_own_variables({name: value for name, value in saved.items() if name.isdigit()})

    def _own_state(self) -> dict[str, Any]:
        weights = {id(variable) for variable in self.weights}
        generators = [variable for variable in self.variables if id(variable) not in weights]
        return {POSITION: self._position, **{f"generator {i}": state for i, state in enumerate(generators)}}

    def _guarded_step(self, data: Any) -> dict[str, Any]:
        """`train_step`, without effect if it diverges or a step of this execution has."""
        state = [*self.variables, *self.optimizer.variables]
        before = [tf.convert_to_tensor(variable) for variable in state]
        logs = self.train_step(data)
        numbers = [logs["loss"], *self.trainable_variables]
        diverged = self._diverged | ~tf.reduce_all([tf.reduce_all(tf.math.is_finite(number)) for number in numbers])

        def undo() -> tf.Tensor:
            for variable, value in zip(state, before, strict=True):
                variable.assign(value)
            return tf.constant(0, tf.int64)

        self._position.assign_add(tf.cond(diverged, undo, lambda: tf.constant(1, tf.int64)))
        self._diverged.assign(diverged)
        return logs

    def _culprit(self, x: Any, y: Any) -> str:
        """The sentence that names the first task on which a step by itself diverges."""
        where, show = "x", ""
        if isinstance(x, tf.data.Dataset):
            index = int(self._position)
            where, show = f"meta-batch {index}", f", and next(iter(x.skip({index}))) shows it"
            x, y = next(iter(starting_at(x if x.cardinality() < 0 else x.repeat(), index)))
        step = self._make_function(self._guarded_step)
        state = [*self.variables, *self.optimizer.variables]
        before = [variable.numpy() for variable in state]
        for number in range(len(y)):
            self.reset_metrics()
            logs = step([tf.nest.map_structure(lambda part: _only(part, number), (x, y))])  # noqa: B023
            if self._diverged:
                self._diverged.assign(False)
                loss = float(logs["loss"])
                what = "gradient" if np.isfinite(loss) else "loss"
                came = "not finite" if what == "gradient" else loss
                return (
                    f"the {what} of task {number} in {where} is {came}, expected a finite number: "
                    f"the weights are those before that step{show}"
                )
            for variable, value in zip(state, before, strict=True):
                variable.assign(value)
        return (
            f"the loss of {where} is not finite, though that of each of its tasks alone is: "
            f"the weights are those before that step{show}"
        )


class _DivergedError(ValueError):
    """A step was undone."""

    def __str__(self) -> str:
        return "the loss or gradient of this meta-batch is not finite: the weights are those before it"


class _Resume(keras.callbacks.Callback):
    """Sets the stream, and Keras's epochs, to where the weights are that the callbacks before it have restored.

    Keras keeps the number of the epoch beside the weights, in a file of its own, and not that of the step. The
    position comes with the weights, so the two cannot disagree.
    """

    def __init__(self, x: Any, initial_epoch: int, backups: list[keras.callbacks.BackupAndRestore]):
        super().__init__()
        self._initial_epoch = initial_epoch
        with tf.device("/cpu:0"):  # where tf.data runs
            self._start = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._endless = isinstance(x, tf.data.Dataset) and x.cardinality() == tf.data.INFINITE_CARDINALITY
        self.stream = x
        if self._endless:  # `_start` is read when `fit` asks for the first meta-batch
            self.stream = tf.data.Dataset.from_tensors(0).flat_map(lambda _: starting_at(x, self._start))
        for backup in backups:
            _drop_unfinished(Path(backup.backup_dir) / "training_metadata.json")

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Continue, now that the weights are restored."""
        steps, at_once = self.params["steps"], self.model.steps_per_execution
        if steps is None:
            return
        if self._endless:
            steps = math.ceil(steps / at_once) * at_once  # Keras runs whole executions
        position = int(self.model._position) or self._initial_epoch * steps
        self.model._initial_epoch, self.model._steps_to_skip = divmod(position, steps)
        self.model._position.assign(position)
        self._start.assign(position - self.model._steps_to_skip)


def _drop_unfinished(metadata: Path) -> None:
    """Remove Keras's note of the epoch if a kill has left half of it: it would stop the restart, and is not needed."""
    try:
        json.loads(metadata.read_text())
    except FileNotFoundError:
        pass
    except ValueError:
        metadata.unlink()


def _only(part: Any, number: int) -> tf.Tensor:
    """One task of a meta-batch, in the precision in which Keras trains on arrays."""
    one = tf.convert_to_tensor(part[number : number + 1])
    return tf.cast(one, keras.config.floatx()) if one.dtype.is_floating else one
