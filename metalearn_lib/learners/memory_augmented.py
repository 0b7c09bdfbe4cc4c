"""Memory-augmented neural networks (Santoro, Bartunov, Botvinick, Wierstra, Lillicrap 2016)."""

import math
from collections.abc import Iterable
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least
from metalearn_lib.core.classes import as_vectors, features_of
from metalearn_lib.core.task import Task
from metalearn_lib.learners.learner import Learner

GOLDEN_RATIO = (1 + math.sqrt(5)) / 2


@keras.saving.register_keras_serializable("metalearn_lib")
class MemoryAugmentedNetwork(Learner):
    """Reads the support set one example after another into an external memory, from which it answers the queries.

    At step t the controller, an LSTM, sees x_t and the target of the step before, y_{t−1} (section 3 of the paper):
    it has to keep x_{t−1} until its target arrives and to bind the two in memory. Every query is one more step from
    the state after the support set, with y_S for y_{t−1}; queries do not see each other. The loss is that of the
    queries, where the paper sums over all steps.

    `fit` reads a support set in random order: a listing class by class would give the classes away. Predictions
    read it in an order that follows from the examples x, their places along a fixed direction, so that they are the
    same at every call and for every listing of the support set, unless two examples have one place. Compile with
    "mse" for values, with `SparseCategoricalCrossentropy(from_logits=True)` for labels.

    Args:
        model: any Keras model from examples [B, ...] to features [B, F].
        num_outputs: number D of values of a target, or number N of classes.
        units: of the controller.
        slots: number of rows of the memory.
        width: of a row.
        reads: number of read heads, at most `slots`.
        decay: γ, what is left at the next step of the usage of a row, between 0 and 1.
        batch_norm: "support", "transductive" or "running", see `metalearn_lib.core.network`.

    Raises:
        ValueError: for a number below 1, more heads than slots, a decay out of range.
    """

    gives_logits = True

    def __init__(
        self,
        model: keras.Model,
        *,
        num_outputs: int = 1,
        units: int = 200,
        slots: int = 128,
        width: int = 40,
        reads: int = 4,
        decay: float = 0.99,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, batch_norm=batch_norm, **options)
        at_least(1, num_outputs=num_outputs, units=units, slots=slots, width=width, reads=reads)
        if reads > slots:
            raise ValueError(f"reads is {reads}, expected at most {slots}, the number of slots")
        if not 0 <= decay <= 1:
            raise ValueError(f"decay is {decay!r}, expected a number between 0 and 1")
        self.num_outputs, self.units, self.slots, self.width = num_outputs, units, slots, width
        self.reads, self.decay = reads, decay
        cell = MemoryCell(features_of(self.network) + num_outputs, units, slots, width, reads, decay)
        self.read_in = keras.layers.RNN(cell, return_state=True)
        self.answer = keras.layers.Dense(num_outputs)
        self.answer.build((None, units + reads * width))
        self.random = keras.random.SeedGenerator()

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Values [T, Q, D] or logits [T, Q, N] of the queries."""
        support, query = self.embed(task, training)
        y = as_vectors(task["support_y"], self.num_outputs, support.dtype)
        order = self._order(task["support_x"], training)
        support, y = (tf.gather(rows, order, batch_dims=1) for rows in (support, y))
        y_before = tf.concat([tf.zeros_like(y[:, :1]), y[:, :-1]], axis=1)
        _, *states = self.read_in(tf.concat([support, y_before], axis=-1))
        tasks, queries = tf.unstack(tf.shape(query)[:2])
        inputs = tf.concat([query, tf.repeat(y[:, -1:], queries, axis=1)], axis=-1)
        inputs = tf.reshape(inputs, [tasks * queries, inputs.shape[-1]])
        output, _ = self.read_in.cell(inputs, [tf.repeat(state, queries, axis=0) for state in states])
        return tf.reshape(self.answer(output), [tasks, queries, self.num_outputs])

    def _order(self, support_x: tf.Tensor, training: bool) -> tf.Tensor:
        """The order [T, S] in which the support sets are read."""
        tasks, shots = tf.unstack(tf.shape(support_x)[:2])
        if training:
            return tf.argsort(keras.random.uniform((tasks, shots), seed=self.random))
        size = math.prod(cast(Iterable[int], support_x.shape[2:]))
        direction = tf.constant(np.random.default_rng(0).normal(size=size), support_x.dtype)
        by_place = tf.argsort(tf.linalg.matvec(tf.reshape(support_x, [tasks, shots, size]), direction))
        # Sorted examples would be unlike any order in training: multiples of the golden ratio spread them.
        spread = tf.argsort(tf.math.floormod(GOLDEN_RATIO * tf.range(shots, dtype=tf.float32), 1.0))
        return tf.gather(by_place, spread, axis=1)

    def num_classes_known(self) -> int:
        """The number of outputs."""
        return self.num_outputs


class MemoryCell(keras.layers.Layer):
    """One step of the controller and its memory, a cell for `keras.layers.RNN`.

    Writing and reading follow equations 2 to 8 of the paper, with two things that it leaves open. Each head has a
    gate of its own, which the controller sets anew at every step. Similarities are multiplied by a key strength of
    at least 1, as in the Neural Turing Machine (Graves et al. 2014, equation 5): without, the softmax of cosines
    over many slots is close to uniform, and the network learned more slowly in a trial.

    Args:
        inputs: number of values of a step's input.
        units: of the controller.
        slots: number of rows of the memory.
        width: of a row.
        reads: number of heads; each has one key with which it writes and reads.
        decay: γ of equation 5.
    """

    def __init__(self, inputs: int, units: int, slots: int, width: int, reads: int, decay: float):
        super().__init__()
        self.slots, self.width, self.reads, self.decay = slots, width, reads, decay
        self.controller = keras.layers.LSTMCell(units)
        self.controller.build((None, inputs + reads * width))
        self.key = keras.layers.Dense(reads * width, "tanh")
        self.strength = keras.layers.Dense(reads, "softplus")
        self.gate = keras.layers.Dense(reads, "sigmoid")
        for layer in (self.key, self.strength, self.gate):
            layer.build((None, units))
        # h and c of the controller, what was read, the memory, usage and read weights.
        self.state_size = [[units], [units], [reads * width], [slots, width], [slots], [reads, slots]]
        self.built = True

    def get_initial_state(self, batch_size: int) -> list[tf.Tensor]:
        """An empty memory, never used."""
        return [tf.zeros([batch_size, *size], self.compute_dtype) for size in self.state_size]

    def call(self, inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """What the controller says and what was read [B, units + reads * width], and the next states."""
        hidden, carry, read, memory, usage, read_weights = states
        hidden, (_, carry) = self.controller(tf.concat([inputs, read], axis=-1), [hidden, carry])
        keys = tf.reshape(self.key(hidden), [-1, self.reads, self.width])
        gate = self.gate(hidden)[..., None]
        # Equation 6; among equals, as many as there are heads.
        least_used = tf.math.top_k(-usage, self.reads).indices
        least_used = tf.reduce_sum(tf.one_hot(least_used, self.slots, dtype=usage.dtype), axis=1)
        write_weights = gate * read_weights + (1 - gate) * least_used[:, None]  # equation 7
        memory = memory * tf.expand_dims(1 - least_used, -1)
        memory += tf.matmul(write_weights, keys, transpose_a=True)  # equation 8
        similarity = tf.matmul(_unit(keys), _unit(memory), transpose_b=True)  # equation 2
        read_weights = tf.nn.softmax((1 + self.strength(hidden))[..., None] * similarity)  # equation 3
        usage = self.decay * usage + tf.reduce_sum(read_weights + write_weights, axis=1)  # equation 5
        read = tf.reshape(tf.matmul(read_weights, memory), [-1, self.reads * self.width])  # equation 4
        return tf.concat([hidden, read], axis=-1), [hidden, carry, read, memory, usage, read_weights]


def _unit(vectors: tf.Tensor) -> tf.Tensor:
    """Vectors of length one; those that are almost zero stay so, with a gradient that is finite."""
    return vectors * tf.math.rsqrt(tf.reduce_sum(vectors**2, axis=-1, keepdims=True) + 1e-6)
