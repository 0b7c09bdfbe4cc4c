"""Compiled execution of `fit`, `evaluate` and `predict`, to avoid the overhead of every step."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Logs = dict[str, Any]


def compiled(learner: keras.Model, step: Callable[[Any], Logs]) -> Callable[[Any], Logs]:
    """What Keras's `fit` and `evaluate` run: `steps_per_execution` steps, compiled as one program.

    Args:
        learner: a compiled learner.
        step: `train_step` or `test_step`, from one meta-batch to the metrics.

    Returns:
        A function from an iterator of meta-batches to the metrics after the last step. Steps run as one loop inside
        the compiled program where meta-batches have a fixed shape, else one by one.
    """
    count = learner.steps_per_execution
    if learner.run_eagerly:
        return lambda iterator: _one_by_one(step, iterator, count)
    one = tf.function(step, jit_compile=learner.jit_compile, reduce_retracing=True, autograph=False)
    gather = tf.function(_gather, autograph=False)
    following = tf.function(lambda iterator: one(iterator.get_next()), reduce_retracing=True, autograph=False)

    @tf.function(jit_compile=learner.jit_compile, autograph=False)
    def loop(batches: Any) -> Logs:
        def body(i: tf.Tensor) -> tuple[tf.Tensor]:
            step(tf.nest.map_structure(lambda part: part[i], batches))
            return (i + 1,)

        tf.while_loop(lambda i: i < count, body, [tf.constant(0)])
        return learner.get_metrics_result()

    def execute(iterator: Any) -> Logs:
        if isinstance(iterator, tf.data.Iterator) and count == 1:
            return following(iterator)
        if not isinstance(iterator, tf.data.Iterator) or not _has_fixed_shapes(iterator.element_spec):
            return _one_by_one(one, iterator, count)
        batches, found = gather(iterator, count)
        found = int(found)
        if found == count:
            return loop(batches)
        rest = (tf.nest.map_structure(lambda part, i=i: part[i], batches) for i in range(found))
        return _one_by_one(one, rest, found)

    return execute


def _one_by_one(step: Callable[[Any], Logs], iterator: Any, count: int) -> Logs:
    logs = None
    for data in itertools.islice(iterator, count):
        logs = step(data)
    if logs is None:
        raise StopIteration
    return logs


def _has_fixed_shapes(specs: Any) -> bool:
    return all(isinstance(spec, tf.TensorSpec) and spec.shape.is_fully_defined() for spec in tf.nest.flatten(specs))


def _gather(iterator: tf.data.Iterator, count: int) -> tuple[Any, tf.Tensor]:
    """The next `count` elements, stacked, or as many as there are; and how many that is."""
    specs = tf.nest.flatten(iterator.element_spec)
    arrays = [tf.TensorArray(spec.dtype, 0, dynamic_size=True, element_shape=spec.shape) for spec in specs]

    def there(found: tf.Tensor, element: tf.experimental.Optional, arrays: list) -> tf.Tensor:
        return (found < count) & element.has_value()

    def take(found: tf.Tensor, element: tf.experimental.Optional, arrays: list) -> tuple:
        parts = tf.nest.flatten(element.get_value())
        arrays = [array.write(found, part) for array, part in zip(arrays, parts, strict=True)]
        # One more would be lost.
        following = tf.cond(found + 1 < count, iterator.get_next_as_optional, lambda: element)
        return found + 1, following, arrays

    first = iterator.get_next_as_optional()
    found, _, arrays = tf.while_loop(there, take, [tf.constant(0), first, arrays])
    return tf.nest.pack_sequence_as(iterator.element_spec, [array.stack() for array in arrays]), found


class OneBatch:
    """Predicts one meta-batch of arrays, by a program compiled for each shape of meta-batch.

    Keras builds a pipeline for every call of `predict`, which takes 50 ms.
    """

    def __init__(self, learner: keras.Model):
        self._learner = learner
        self._programs: dict[tuple, tf.types.experimental.ConcreteFunction] = {}

    def predict(self, task: dict[str, np.ndarray]) -> np.ndarray:
        """Predictions [T, Q, ...] of the queries."""
        names, arrays = zip(*((name, np.asarray(array)) for name, array in sorted(task.items())), strict=True)
        # As Keras does, floating-point numbers become those of its default precision.
        tensors = [tf.constant(a, keras.config.floatx() if a.dtype.kind == "f" else a.dtype) for a in arrays]
        shapes = tuple((array.shape, array.dtype) for array in arrays)
        if shapes not in self._programs:

            def predict(*parts: tf.Tensor) -> tf.Tensor:
                return self._learner.predict_step(dict(zip(names, parts, strict=True)))

            program = tf.function(predict, jit_compile=self._learner.jit_compile, autograph=False)
            self._programs[shapes] = program.get_concrete_function(*tensors)
        return self._programs[shapes](*tensors).numpy()
