"""Where what a learner is given is checked, once: the arguments of `fit`, `evaluate` and `predict`, and the first
meta-batch of a stream."""

import inspect
import itertools
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.keras_private import leaf_layers
from metalearn_lib.core.losses import takes_logits
from metalearn_lib.core.task import check_query_labels, check_task

PROBABILITIES = ("softmax", "sigmoid")
REFUSED = ("class_weight", "sample_weight", "validation_split")


class Door:
    """The checks of one learner.

    Args:
        learner: the learner.
    """

    def __init__(self, learner: Any) -> None:
        self._learner = learner
        self._trainable: list[int] = []

    def compiled(self) -> None:
        """Check the loss that the learner was just compiled with.

        Raises:
            ValueError: if it takes probabilities and the learner gives logits, or the other way round.
        """
        self._trainable = self._trainable_now()
        from_logits = takes_logits(self._learner.loss)
        gives_logits = self._gives_logits()
        if from_logits is None or gives_logits is None or from_logits == gives_logits:
            return
        gives, expected = ("logits", True) if gives_logits else ("probabilities", False)
        raise ValueError(
            f"loss has from_logits={from_logits}, expected from_logits={expected}: "
            f"{type(self._learner).__name__} gives {gives}"
        )

    def fit(self, x: Any, y: Any, callbacks: list, options: dict[str, Any]) -> Any:
        """Check the arguments of `fit`; what comes back takes the place of `x`."""
        for name in REFUSED:
            if options.get(name) is not None:
                raise ValueError(f"{name} is given, expected none: all tasks of a meta-batch weigh the same")
        if any(isinstance(callback, keras.callbacks.BackupAndRestore) for callback in callbacks):
            raise ValueError(
                "callbacks has a BackupAndRestore, expected ml.Resume(folder), which restores the position in the "
                "stream and the random generators too"
            )
        self._check_end(x, options, "steps_per_epoch")
        validation = options.get("validation_data")
        if validation is not None:
            self._check_end(validation, options, "validation_steps", "validation_data")
        return self._look(x, y) if self._learner.fits_tasks else x

    def evaluate(self, x: Any, y: Any, options: dict[str, Any]) -> Any:
        """Check the arguments of `evaluate`; what comes back takes the place of `x`."""
        if options.get("_use_cached_eval_dataset"):  # validation in `fit`, after its first time
            return x
        self._check_end(x, options, "steps")
        return self._look(x, y)

    def predict(self, x: Any, options: dict[str, Any]) -> Any:
        """Check the arguments of `predict`; what comes back takes the place of `x`."""
        self._check_end(x, options, "steps")
        return self._look(x, None)

    def steps_of_epoch(self, x: Any, y: Any, options: dict[str, Any]) -> int | None:
        """The number of meta-batches in an epoch of `fit`, None if only the end of `x` will tell."""
        if options.get("steps_per_epoch") is not None:
            return options["steps_per_epoch"]
        if isinstance(x, tf.data.Dataset):
            cardinality = int(x.cardinality())
            return cardinality if cardinality >= 0 else None
        if isinstance(x, keras.utils.PyDataset):
            return x.num_batches
        return math.ceil(len(y) / (options.get("batch_size") or 32)) if y is not None else None

    def _check_end(self, x: Any, options: dict[str, Any], steps_name: str, name: str = "x") -> None:
        steps = options.get(steps_name)
        whole = isinstance(steps, int | np.integer) and not isinstance(steps, bool)
        if steps is not None and not (whole and steps >= 1):
            raise ValueError(f"{steps_name} is {steps!r}, expected a whole number of at least 1")
        endless = isinstance(x, tf.data.Dataset) and x.cardinality() == tf.data.INFINITE_CARDINALITY
        if endless and steps is None:
            raise ValueError(f"{steps_name} is None, expected a number of meta-batches: {name} is an endless stream")

    def _look(self, x: Any, y: Any) -> Any:
        """Check the first meta-batch; a generator comes back whole."""
        if self._learner.compiled and self._trainable != self._trainable_now():
            raise ValueError(
                f"{type(self._learner).__name__} has {len(self._trainable_now())} trainable weights and was compiled "
                f"with {len(self._trainable)}, expected the same ones: call compile() after freezing or thawing layers"
            )
        first, x = _first(x, y)
        if first is not None:
            self.check(*first)
        return x

    def check(self, task: Any, query_y: Any = None) -> None:
        """Raise one sentence if this learner cannot learn from a meta-batch, see `check_task`."""
        learner = self._learner
        network = learner.network
        check_task(task, query_y, network and network.input_shape, learner.num_classes_known())
        learner.check_targets(task, query_y)
        if learner.ways_follow_the_task and query_y is not None and np.asarray(query_y).dtype.kind in "iub":
            check_query_labels(task, query_y)
        if network is not None:
            network.refuse_lost_state(tf.convert_to_tensor(np.asarray(task["support_x"][0]), keras.config.floatx()))

    def _trainable_now(self) -> list[int]:
        return [id(variable) for variable in self._learner.trainable_variables]

    def _gives_logits(self) -> bool | None:
        """Whether predictions are logits; None if that cannot be told."""
        if self._learner.gives_logits:
            return True
        layers = leaf_layers(self._learner.model) if self._learner.model is not None else []
        activation = getattr(layers[-1], "activation", None) if layers else None
        name = getattr(activation, "__name__", "")
        return False if name in PROBABILITIES else True if name == "linear" else None


def _first(x: Any, y: Any) -> tuple[tuple | None, Any]:
    """The first meta-batch (task, query_y) of `x`, None if it cannot be seen beforehand; and `x`, with it again."""
    if isinstance(x, dict):
        return (x, y), x
    if isinstance(x, tf.data.Dataset):
        first = next(iter(x.take(1).as_numpy_iterator()), None)
    elif isinstance(x, keras.utils.PyDataset):
        first = x[0]
    elif inspect.isgenerator(x):
        first = next(x, None)
        x = _again(first, x)
    else:
        return (x, y), x
    if first is None:
        raise ValueError("x is empty, expected at least one meta-batch")
    return (first if isinstance(first, tuple) else (first, None)), x


def _again(first: Any, rest: Iterator) -> Iterator:
    yield from itertools.chain([first], rest)
