"""How `fit` and `predict` run their compiled programs, so that small networks do not wait for what is around them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Logs = dict[str, Any]


def in_one_program(
    learner: keras.Model, step: Callable[[Any], Logs], execute: Callable[[Any], Logs]
) -> Callable[[Any], Logs]:
    """`steps_per_execution` steps as one loop inside XLA, where Keras launches a compiled program for each.

    Args:
        learner: a compiled learner.
        step: `train_step` or `test_step`, from one meta-batch to the metrics.
        execute: what Keras makes of `step`: it takes an iterator of meta-batches, takes `steps_per_execution` steps
            and gives the metrics after the last.

    Returns:
        What does the same as `execute`; it does so itself where meta-batches have no fixed shape or are too few.
    """
    count = learner.steps_per_execution
    if not learner.jit_compile or learner.run_eagerly or count == 1:
        return execute

    @tf.function(jit_compile=True, autograph=False)
    def loop(batches: Any) -> Logs:
        def body(i: tf.Tensor) -> tuple[tf.Tensor]:
            step(tf.nest.map_structure(lambda part: part[i], batches))
            return (i + 1,)

        tf.while_loop(lambda i: i < count, body, [tf.constant(0)])
        return learner.get_metrics_result()

    gather = tf.function(_gather, autograph=False)

    def function(iterator: Any) -> Logs:
        if not isinstance(iterator, tf.data.Iterator) or not _has_fixed_shapes(iterator.element_spec):
            return execute(iterator)
        batches, found = gather(iterator, count)
        found = int(found)
        if found == 0:
            raise StopIteration
        if found == count:
            return loop(batches)
        return execute(tf.nest.map_structure(lambda part, i=i: part[i], batches) for i in range(found))

    return function


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
