"""What every learner is: a Keras model whose input is a task."""

import inspect
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.network import Network
from metalearn_lib.core.task import SUPPORT_X, Task
from metalearn_lib.core.training.divergence import DivergedError, culprit
from metalearn_lib.core.training.door import Door
from metalearn_lib.core.training.execution import OneBatch, compiled
from metalearn_lib.core.training.loop import TrainingLoop
from metalearn_lib.core.training.progress import ProgressBar

POSITION = "position"


class Learner(keras.Model):
    """A Keras model that is called with a meta-batch of tasks and returns predictions of their queries.

    One call is one act of learning: it adapts to `support_x`, `support_y` of each task and predicts `query_x`.
    `compile`, `fit`, `evaluate`, `predict`, callbacks and saving are those of Keras.

    Args:
        model: the network inside, any built Keras model from examples [B, ...] to outputs [B, ...]; None for a
            learner that has none.
        batch_norm: where batch normalisation in `model` takes its mean and variance: "support", "transductive" or
            "running", see `metalearn_lib.core.network`.
        options: those of `keras.Model`, such as `name`.

    Raises:
        TypeError: if `model` is not a Keras model.
        ValueError: if `model` has no input shape yet, for an unknown `batch_norm` or option, or if a strategy of
            `tf.distribute` or `keras.distribution` is in force.
    """

    supports_xla = True  # whether `compile` uses XLA unless it is told otherwise
    gives_logits = False  # whether predictions for labels are logits, whatever `model` gives
    fits_tasks = True  # whether `fit` takes meta-batches
    ways_follow_the_task = False  # whether the classes of a task are those of its support set

    def __init__(self, model: keras.Model | None, *, batch_norm: str = "support", **options: Any):
        _refuse_strategies()
        network = None if model is None else Network(model, batch_norm)
        # Layers inside cast their inputs: targets, weights and the inner loop keep their precision.
        super().__init__(**{"dtype": keras.config.floatx(), **options})
        self.supports_jit = self.supports_xla
        self.batch_norm = batch_norm
        # None only where a learner has no model.
        self.model, self.network = cast(keras.Model, model), cast(Network, network)
        self.training_loop = TrainingLoop(self)
        self._door = Door(self)
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

    def embed(self, task: Task, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """The outputs of `model` for support sets [T, S, ...] and queries [T, Q, ...]; in `fit` with its penalties."""
        support, query, penalty = self.network.embed(task["support_x"], task["query_x"], training)
        if training and penalty is not None:
            self.add_loss(penalty)
        return support, query

    def compile(self, optimizer: Any = "rmsprop", *args: Any, jit_compile: bool | None = None, **kwargs: Any) -> None:
        """`keras.Model.compile`; None compiles with XLA wherever the learner allows it, on a CPU too.

        As in Keras, the optimizer scales the loss if `model` computes in float16, unless `auto_scale_loss=False`.

        Raises:
            ValueError: if the loss takes probabilities and the learner gives logits, or the other way round.
        """
        optimizer = keras.optimizers.get(optimizer)
        scaled = optimizer is None or isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        float16 = self.network is not None and self.network.computes_in("float16")
        if float16 and kwargs.get("auto_scale_loss", True) and not scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        jit_compile = self.supports_xla if jit_compile is None else jit_compile
        super().compile(optimizer, *args, jit_compile=jit_compile, **kwargs)
        self._door.compiled()
        self._one_batch = OneBatch(self)
        self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as a saved learner was; Keras leaves that to every model with a `compile` of its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        verbose: Any = "auto",
        callbacks: Any = None,
        initial_epoch: int = 0,
        **options: Any,
    ) -> keras.callbacks.History:
        """`keras.Model.fit` on a stream of meta-batches; "auto" shows one tqdm bar, 0 none.

        With a `Resume` among the callbacks, training continues exactly where it was killed.

        Raises:
            ValueError: if the first meta-batch is not one of tasks for this learner, or training would not end.
            DivergedError: if a task's loss, or a weight after a step, is not finite: all weights are then as before
                that step.
        """
        callbacks = keras.tree.flatten(callbacks or [])
        x = self._door.fit(x, y, callbacks, options)
        if verbose == "auto":
            callbacks, verbose = [*callbacks, ProgressBar()], 0
        if isinstance(x, tf.data.Dataset | keras.utils.PyDataset) or inspect.isgenerator(x):
            options.setdefault("shuffle", False)  # a stream is in random order already, and has positions
        steps = self._door.steps_of_epoch(x, y, options)
        stream, initial_epoch = self.training_loop.begin(x, callbacks, initial_epoch, steps)
        try:
            return super().fit(stream, y, verbose=verbose, callbacks=callbacks, initial_epoch=initial_epoch, **options)
        except DivergedError:
            raise DivergedError(culprit(self, self.training_loop, x, y)) from None

    def evaluate(self, x: Any = None, y: Any = None, *, verbose: Any = 0, **options: Any) -> Any:
        """`keras.Model.evaluate` on a stream of meta-batches; `metalearn_lib.evaluation` adds intervals."""
        x = self._door.evaluate(x, y, options)
        return super().evaluate(x, y, verbose=verbose, **options)

    def predict(self, x: Any, *, verbose: Any = 0, **options: Any) -> np.ndarray:
        """`keras.Model.predict`: predictions [T, Q, ...] for the tasks in `x`."""
        x = self._door.predict(x, options)
        at_once = isinstance(x, dict) and not verbose and not self.run_eagerly and options.keys() <= {"batch_size"}
        if at_once and len(x[SUPPORT_X]) <= (options.get("batch_size") or 32):
            return self._one_batch.predict(x)
        return super().predict(x, verbose=verbose, **options)

    def make_train_function(self, force: bool = False) -> None:
        """What Keras's `fit` runs: steps that are undone where they diverge, as one program."""
        if self.train_function is None or force:
            self.train_function = self.training_loop.function()

    def make_test_function(self, force: bool = False) -> None:
        """What Keras's `evaluate` runs."""
        if self.test_function is None or force:
            self.test_function = compiled(self, self.test_step)

    def track_loss(self, losses: tf.Tensor, weight: tf.Tensor | float | None = None) -> None:
        """Add to the metric "loss", the mean of all `losses` [...] with this weight."""
        metric = next(metric for metric in self.metrics if metric.name == "loss")
        metric.update_state(losses, sample_weight=weight)

    def export(self, filepath: str, *args: Any, **options: Any) -> None:
        """`keras.Model.export`, for a signature that is given.

        Raises:
            ValueError: without `input_signature`: a learner takes labels or values, and tasks of many sizes.
        """
        if "input_signature" not in options:
            raise ValueError(
                "input_signature is missing, expected [{'support_x': tf.TensorSpec(...), 'support_y': ..., "
                "'query_x': ...}], the tasks that are to be learned from"
            )
        super().export(filepath, *args, **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        parameters = inspect.signature(type(self).__init__).parameters.values()
        names = [p.name for p in parameters if p.name != "self" and p.kind != inspect.Parameter.VAR_KEYWORD]
        config = {name: getattr(self, name) for name in names}
        if self.model is not None:
            config["model"] = keras.saving.serialize_keras_object(self.model)
        return {"name": self.name, **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Learner":
        """A learner from `get_config()`."""
        config = dict(config)
        if config.get("model") is not None:
            config["model"] = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**config)

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

    def resumed(self) -> None:
        """Called by `ml.Resume` when a backup has been loaded: to bring along what lives beside the variables."""

    def _own_state(self) -> dict[str, Any]:
        weights = {id(variable) for variable in self.weights}
        generators = [variable for variable in self.variables if id(variable) not in weights]
        states = {f"generator {i}": state for i, state in enumerate(generators)}
        return {POSITION: self.training_loop.position, **states}

    def num_classes_known(self) -> int | None:
        """The number of classes that predictions can have, None if it follows from the task."""
        return None

    def check_targets(self, task: Task, query_y: Any) -> None:
        """Raise a ValueError if targets do not suit this learner; the shapes of the task are right."""


def _refuse_strategies() -> None:
    distribution = keras.distribution.distribution()
    for what, in_force in (("tf.distribute", tf.distribute.has_strategy()), ("keras.distribution", distribution)):
        if in_force:
            raise ValueError(
                f"a strategy of {what} is in force, expected none: Keras would scale the inner loss too, and a learner "
                "would learn with another rate"
            )
