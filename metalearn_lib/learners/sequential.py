"""The article's learner: one task after another, with a memory of what was learned."""

import itertools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.task import KEYS, Task, unpack
from metalearn_lib.core.update import Weights
from metalearn_lib.core.vectorize import over_tasks
from metalearn_lib.learners.gradient import GradientLearner
from metalearn_lib.memory.memory import Memory

_ENTRIES = "memory entries"


@keras.saving.register_keras_serializable("metalearn_lib")
class SequentialLearner(GradientLearner):
    """Initialise, learn, transfer, as the article says, with the memory M = {(θᵢ, Dᵢ)}.

    - Initialise: where the memory is empty, a task starts from the model's weights.
    - Transfer: otherwise it starts from the weights of the remembered tasks that are nearest to its support set.
    - Learn: `inner_steps` gradient steps on the support set; `fit` then stores θᵢ and Dᵢ, predictions store nothing.

    Args:
        model: any Keras model.
        memory: where entries go; None for a new one in the process.
        inner_lr: rate of the gradient steps on the support set.
        inner_steps: number of gradient steps on the support set.
        neighbors: number of remembered tasks whose weights are averaged to start from.
        batch_norm: see `GradientLearner`.

    Raises:
        ValueError: if `neighbors` is less than 1.
    """

    supports_xla = False  # the recall runs in NumPy; the gradient steps are compiled on their own

    def __init__(
        self,
        model: keras.Model,
        *,
        memory: Memory | None = None,
        inner_lr: float = 0.01,
        inner_steps: int = 10,
        neighbors: int = 1,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, inner_lr=inner_lr, inner_steps=inner_steps, batch_norm=batch_norm, **options)
        if not isinstance(neighbors, int) or neighbors < 1:
            raise ValueError(f"neighbors is {neighbors!r}, expected a whole number of at least 1")
        self.memory = Memory() if memory is None else memory
        self.neighbors = neighbors
        self._entries_saved: int | None = None
        self._compiled_learn = tf.function(self._learn, jit_compile=True, autograph=False)

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Recall, adapt, and predict the queries [T, Q, ...] of each task."""
        start = self._start(task["support_x"], task["support_y"])
        return self._compiled_learn(start, *(task[name] for name in KEYS))[0]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn each task of a meta-batch and store what was learned."""
        task, query_y = unpack(data)
        start = self._start(task["support_x"], task["support_y"])
        predictions, weights = self._compiled_learn(start, *(task[name] for name in KEYS))
        tf.numpy_function(self._store, [task["support_x"], task["support_y"], *weights], [])
        self.track_loss(self.loss_of(query_y, predictions), tf.shape(predictions)[0])
        return self.compute_metrics(task, query_y, predictions)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor; the memory is saved beside them."""
        config = super().get_config()
        del config["memory"]
        return config

    def save_own_variables(self, store: Any) -> None:
        """Save with the weights how many entries the memory has and, if it lives in the process, the entries."""
        super().save_own_variables(store)
        store[_ENTRIES] = np.array(len(self.memory))
        for name, array in ({} if self.memory.on_disk else self.memory.state()).items():
            store[f"{_ENTRIES} {name}"] = array

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` has saved; entries on disk stay as they are."""
        super().load_own_variables(store)
        names = list(store.keys())
        self._entries_saved = int(np.asarray(store[_ENTRIES])) if _ENTRIES in names else None
        if not self.memory.on_disk:
            of_memory = [name for name in names if name.startswith(f"{_ENTRIES} ")]
            if of_memory or self._entries_saved == 0:
                self.memory.load_state({name[len(_ENTRIES) + 1 :]: np.asarray(store[name]) for name in of_memory})

    def resumed(self) -> None:
        """Forget entries on disk that came after the backup: their tasks are learned again.

        Raises:
            ValueError: if the memory has fewer entries than it had then.
        """
        if self._entries_saved is None:
            return
        if (n := len(self.memory)) < self._entries_saved:
            raise ValueError(
                f"memory has {n} entries, expected at least {self._entries_saved}, as when the backup was made"
            )
        self.memory.truncate(self._entries_saved)

    def save_assets(self, dir_path: str) -> None:
        """Write the memory into a saved learner."""
        kept = Memory(dir_path)
        entries = [([*entry.weights], entry.support_x, entry.support_y) for entry in self.memory]
        for _, alike in itertools.groupby(entries, key=lambda entry: entry[1].shape):
            weights, x, y = zip(*alike, strict=True)
            kept.store_many([np.stack(w) for w in zip(*weights, strict=True)], np.stack(x), np.stack(y))

    def load_assets(self, dir_path: str) -> None:
        """Read the memory of a saved learner."""
        self.memory = Memory()
        for entry in Memory(dir_path):
            self.memory.store(entry.weights, entry.support_x, entry.support_y)

    def _learn(
        self, start: Weights, support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor
    ) -> tuple[tf.Tensor, Weights]:
        """Predictions [T, Q, ...] and adapted weights [T, ...] of each task."""

        def learn(start: Weights, support_x: tf.Tensor, support_y: tf.Tensor, query_x: tf.Tensor):
            weights = self.adapt(start, support_x, support_y)
            return self.predict_from(weights, support_x, query_x), weights

        return over_tasks(learn, start, support_x, support_y, query_x)

    def _start(self, support_x: tf.Tensor, support_y: tf.Tensor) -> Weights:
        """The weights [T, ...] that memory gives for each task, or the initialisation while it is empty."""
        initial = super()._start(support_x, support_y)
        start = tf.numpy_function(self._transfer, [support_x, support_y, *initial], [w.dtype for w in initial])
        for weights, shaped in zip(start, initial, strict=True):
            weights.set_shape(shaped.shape)
        return start

    def _transfer(self, support_x: np.ndarray, support_y: np.ndarray, *initial: np.ndarray) -> list[np.ndarray]:
        known = len(self.memory)
        return self.memory.transfer_many(support_x, support_y, min(self.neighbors, known)) if known else list(initial)

    def _store(self, support_x: np.ndarray, support_y: np.ndarray, *weights: np.ndarray) -> None:
        if all(np.isfinite(w).all() for w in weights):  # else `fit` stops and names the task
            self.memory.store_many(list(weights), support_x, support_y)
