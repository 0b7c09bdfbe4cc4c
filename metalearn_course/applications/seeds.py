"""Seeds of TensorFlow's stateless random numbers."""

import tensorflow as tf

from metalearn_lib.core.checks import at_least


def stateless_seed(seed: int | tf.Tensor) -> tf.Tensor:
    """A seed [2] from a whole number; one that is such a seed already stays as it is."""
    if isinstance(seed, tf.Tensor):
        return seed
    at_least(0, seed=seed)
    return tf.constant([0, seed], tf.int64)


def split_seed(seed: int | tf.Tensor, parts: int) -> list[tf.Tensor]:
    """Independent seeds [2], as many as `parts`."""
    whole = stateless_seed(seed)
    return [tf.random.fold_in(whole, part) for part in range(parts)]  # pyright: ignore[reportReturnType]  # not an int
