"""What every learner is: a Keras model whose input is a task."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.network import Network
from metalearn_lib.core.task import SUPPORT_X, Task, check_task
from metalearn_lib.core.training.execution import OneBatch, in_one_program
from metalearn_lib.core.training.long_runs import LongRuns
from metalearn_lib.core.training.progress import ProgressBar


class Learner(LongRuns):
    """A Keras model that is called with a meta-batch of tasks and returns predictions of their queries.

    One call is one act of learning: it adapts to `support_x`, `support_y` of each task and predicts `query_x`.
    `compile`, `fit`, `evaluate`, `predict`, callbacks and saving are those of Keras.

    Args:
        model: the network inside, any built Keras model from examples [B, ...] to outputs [B, ...]; None for a
            learner that has none.
        batch_norm: where batch normalisation in `model` takes its mean and variance: "support", "transductive" or
            "running", see `metalearn_lib.core.network`.

    Raises:
        TypeError: if `model` is not a Keras model.
        ValueError: if `model` has no input shape yet, or for an unknown `batch_norm`.
    """

    def __init__(self, model: keras.Model | None, batch_norm: str = "support", **kwargs: Any):
        super().__init__(**kwargs)
        if model is not None:
            if not isinstance(model, keras.Model):
                raise TypeError(f"model is a {type(model).__name__}, expected a keras.Model")
            if not model.built:
                raise ValueError("model is not built, expected one that starts with keras.Input(shape)")
        self.model = model
        self.batch_norm = batch_norm
        self.network = None if model is None else Network(model, batch_norm)
        self._one_batch = OneBatch(self)
        self.built = True

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Learn from each task's support set and predict its queries.

        Args:
            task: `support_x` [T, S, ...], `support_y` [T, S, ...], `query_x` [T, Q, ...].
            training: whether the call is part of `fit`.

        Returns:
            Predictions [T, Q, ...].
        """
        raise NotImplementedError

    def compile(self, *args: Any, jit_compile: bool | None = None, **kwargs: Any) -> None:
        """`keras.Model.compile`; None compiles with XLA wherever the learner allows it, on a CPU too."""
        super().compile(*args, jit_compile=self.supports_jit if jit_compile is None else jit_compile, **kwargs)
        self._one_batch = OneBatch(self)
        self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as a saved learner was; Keras leaves that to every model with a `compile` of its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, x: Any = None, y: Any = None, *, verbose: Any = "auto", callbacks: Any = None, **kwargs: Any):
        """`keras.Model.fit` on a stream of meta-batches; "auto" shows one tqdm bar, 0 none.

        Raises:
            ValueError: if the first meta-batch is not one of tasks for this learner (see `check_task`).
        """
        self._check(x, y)
        if verbose == "auto":
            callbacks, verbose = [*keras.tree.flatten(callbacks or []), ProgressBar()], 0
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # a stream is in random order already, and Keras warns
        return super().fit(x, y, verbose=verbose, callbacks=callbacks, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *, verbose: Any = 0, **kwargs: Any):
        """`keras.Model.evaluate` on a stream of meta-batches; `metalearn_lib.evaluation.score` adds intervals."""
        self._check(x, y)
        return super().evaluate(x, y, verbose=verbose, **kwargs)

    def predict(self, x: Any, *, verbose: Any = 0, **kwargs: Any) -> np.ndarray:
        """`keras.Model.predict`: predictions [T, Q, ...] for the tasks in `x`."""
        self._check(x)
        at_once = isinstance(x, dict) and not verbose and not self.run_eagerly and kwargs.keys() <= {"batch_size"}
        if at_once and len(x[SUPPORT_X]) <= (kwargs.get("batch_size") or 32):
            return self._one_batch.predict(x)
        return super().predict(x, verbose=verbose, **kwargs)

    def _make_function(self, step_function: Any) -> Any:
        """Keras's, which makes `fit` and `evaluate` of a step, with several steps an execution as one program."""
        return in_one_program(self, step_function, super()._make_function(step_function))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        config = super().get_config()
        if self.model is not None:
            config |= {"model": keras.saving.serialize_keras_object(self.model), "batch_norm": self.batch_norm}
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Learner":
        """A learner from `get_config()`."""
        config = dict(config)
        if "model" in config:
            config["model"] = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**config)

    def _check(self, x: Any, y: Any = None) -> None:
        if isinstance(x, tf.data.Dataset):
            first = next(iter(x.take(1)), None)
            if first is None:
                raise ValueError("x is an empty dataset, expected at least one meta-batch")
            x, y = first if isinstance(first, tuple) else (first, None)
        if isinstance(x, dict):
            check_task(x, y, self.model, num_outputs=self._outputs())

    def _outputs(self) -> int | None:
        """The number of classes that predictions can have, None if it follows from the task."""
        return None
