"""What every learner is: a Keras model whose input is a task."""

from typing import Any

import numpy as np

from metalearn_lib._tensorflow import keras, tf
from metalearn_lib.learners.execution import OneBatch, in_one_program
from metalearn_lib.learners.long_runs import LongRuns
from metalearn_lib.learners.normalisation import Normalisation
from metalearn_lib.progress import ProgressBar
from metalearn_lib.tasks import MetaBatch, Task

SUPPORT_X, SUPPORT_Y, QUERY_X = KEYS = ("support_x", "support_y", "query_x")


class Learner(LongRuns):
    """A Keras model that is called with a meta-batch of tasks and returns predictions of their queries.

    One call is one act of learning: it adapts to `support_x`, `support_y` of each task and predicts `query_x`.
    `compile`, `fit`, `evaluate`, `predict`, callbacks and saving are those of Keras.

    Args:
        model: the network inside, any built Keras model from examples [B, ...] to outputs [B, ...]; None for a
            learner that has none.
        statistics: where batch normalisation in `model` takes its mean and variance: "support", "transductive" or
            "running", see `metalearn_lib.learners.normalisation`.

    Raises:
        TypeError: if `model` is not a Keras model.
        ValueError: if `model` has no input shape yet, or for an unknown `statistics`.
    """

    def __init__(self, model: keras.Model | None, statistics: str = "support", **kwargs: Any):
        super().__init__(**kwargs)
        if model is not None:
            if not isinstance(model, keras.Model):
                raise TypeError(f"model is a {type(model).__name__}, expected a keras.Model")
            if not model.built:
                raise ValueError("model is not built, expected one that starts with keras.Input(shape)")
        self.model = model
        self.statistics = statistics
        self.normalisation = None if model is None else Normalisation(model, statistics)
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
        """`keras.Model.evaluate` on a stream of meta-batches; `metalearn_lib.evaluation` adds intervals."""
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
            config |= {"model": keras.saving.serialize_keras_object(self.model), "statistics": self.statistics}
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
            check_task(x, y, self.model, outputs=self._outputs())

    def _outputs(self) -> int | None:
        """The number of classes that predictions can have, None if it follows from the task."""
        return None


def check_task(task: Task, query_y: Any = None, model: keras.Model | None = None, outputs: int | None = None) -> None:
    """Raise one clear sentence if a meta-batch cannot be learned from.

    Args:
        task: `support_x` [T, S, ...], `support_y` [T, S, ...], `query_x` [T, Q, ...].
        query_y: targets [T, Q, ...], or None.
        model: the network that will see the examples, or None.
        outputs: number of classes that the model can tell apart, or None.

    Raises:
        TypeError: if `task` is not a dictionary with the three keys.
        ValueError: for shapes that do not fit, an empty support set, values that are not finite, labels outside
            0..outputs-1.
    """
    if not isinstance(task, dict) or set(task) != set(KEYS):
        came = sorted(task) if isinstance(task, dict) else type(task).__name__
        raise TypeError(f"task is {came}, expected a dictionary with {', '.join(KEYS)}")
    arrays = {name: np.asarray(value) for name, value in task.items()}
    if query_y is not None:
        arrays["query_y"] = np.asarray(query_y)
    for name, array in arrays.items():
        if array.ndim < 2:
            raise ValueError(f"{name} has shape {array.shape}, expected [tasks, examples, ...]")
        if array.shape[0] != len(arrays[SUPPORT_X]):
            raise ValueError(f"{name} has {array.shape[0]} tasks but support_x has {len(arrays[SUPPORT_X])}")
        if array.shape[1] == 0:
            raise ValueError(f"{name} is empty, expected at least one example a task")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} of task {_first_bad_task(array)} has NaN or infinite values")
    for x, y in ((SUPPORT_X, SUPPORT_Y), (QUERY_X, "query_y")):
        if y in arrays and arrays[x].shape[1] != arrays[y].shape[1]:
            raise ValueError(f"{y} has {arrays[y].shape[1]} examples a task but {x} has {arrays[x].shape[1]}")
    if arrays[SUPPORT_X].shape[2:] != arrays[QUERY_X].shape[2:]:
        raise ValueError(
            f"query_x has examples of shape {arrays[QUERY_X].shape[2:]} but support_x of {arrays[SUPPORT_X].shape[2:]}"
        )
    for name in (SUPPORT_X, QUERY_X):
        wanted = None if model is None else tuple(model.input_shape[1:])
        came = arrays[name].shape[2:]
        if wanted is not None and (
            len(wanted) != len(came) or any(w not in (None, c) for w, c in zip(wanted, came, strict=True))
        ):
            raise ValueError(f"{name} has examples of shape {came} but the model takes {wanted}")
    for name in (SUPPORT_Y, "query_y"):
        labels = arrays.get(name)
        if outputs is not None and labels is not None and labels.dtype.kind in "iu":
            low, high = labels.min(), labels.max()
            if low < 0 or high >= outputs:
                raise ValueError(f"{name} has labels {low}..{high} but the model has {outputs} outputs")


def meta_batch(data: tuple) -> MetaBatch:
    """The `(task, query_y)` in what Keras hands to `train_step`; `train_on_batch` adds an empty third part.

    Raises:
        ValueError: if there are sample weights.
    """
    task, query_y, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError("sample_weight is given, expected none: all tasks of a meta-batch weigh the same")
    return task, query_y


def _first_bad_task(array: np.ndarray) -> int:
    return int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
