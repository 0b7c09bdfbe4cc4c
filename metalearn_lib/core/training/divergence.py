"""Finding the task that made training diverge."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.training.execution import compiled
from metalearn_lib.tasks.stream import starting_at

if TYPE_CHECKING:
    from metalearn_lib.core.training.loop import TrainingLoop


class DivergedError(ValueError):
    """A loss, a weight or a prediction is not finite. A step that leads there is undone."""


def culprit(learner: keras.Model, loop: "TrainingLoop", x: Any, y: Any) -> str:
    """The sentence that names the first task on which a step by itself diverges.

    Args:
        learner: the learner, at the step that was undone.
        loop: its training loop.
        x: what `fit` was given: a dataset, arrays, a `keras.utils.PyDataset`, or a generator, which cannot be asked
            again.
        y: targets, if `x` holds arrays.
    """
    index = int(loop.position)
    where, show = f"meta-batch {index}", ""
    if isinstance(x, tf.data.Dataset):
        show = f", and next(iter(x.skip({index}))) shows it"
        meta_batch = next(iter(starting_at(x if x.cardinality() < 0 else x.repeat(), index)))
    elif isinstance(x, keras.utils.PyDataset):
        meta_batch = x[index % x.num_batches] if x.num_batches else x[index]
    elif isinstance(x, dict):
        where, meta_batch = "x", (x, y)
    else:
        return f"the loss of {where} is not finite, expected a number: the weights are those before that step"
    step = compiled(learner, loop.step)
    state = [*learner.variables, *learner.optimizer.variables]
    before = [variable.numpy() for variable in state]
    for number in range(len(meta_batch[1])):
        learner.reset_metrics()
        logs = step([tf.nest.map_structure(lambda part: _only(part, number), tuple(meta_batch))])  # noqa: B023
        if loop.has_diverged():
            loss = float(logs["loss"])
            what = "gradient" if np.isfinite(loss) else "loss"
            value = "not finite" if what == "gradient" else loss
            return (
                f"the {what} of task {number} in {where} is {value}, expected a finite number: "
                f"the weights are those before that step{show}"
            )
        for variable, value in zip(state, before, strict=True):
            variable.assign(value)
    return (
        f"the loss of {where} is not finite, though that of each of its tasks alone is: "
        f"the weights are those before that step{show}"
    )


def _only(part: Any, number: int) -> tf.Tensor:
    """One task of a meta-batch, in the precision in which Keras trains on arrays."""
    one = tf.convert_to_tensor(part[number : number + 1])
    return tf.cast(one, keras.config.floatx()) if one.dtype.is_floating else one
