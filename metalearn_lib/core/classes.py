"""Labels and classes: ways, one-hot vectors, class means, distances."""

import tensorflow as tf


def squared_distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean distances [T, A, B] between the rows of `a` [T, A, D] and of `b` [T, B, D]."""
    lengths = tf.reduce_sum(a**2, axis=-1)[..., None] + tf.reduce_sum(b**2, axis=-1)[:, None]
    return lengths - 2 * tf.matmul(a, b, transpose_b=True)


def number_of_ways(labels: tf.Tensor) -> tf.Tensor:
    """N, where labels are 0..N-1: a scalar int32.

    Raises:
        ValueError: if they are no whole numbers.
    """
    if not labels.dtype.is_integer:
        raise ValueError(f"support_y has dtype {labels.dtype.name}, expected integer labels 0..N-1")
    return tf.cast(tf.reduce_max(labels), tf.int32) + 1


def as_vectors(y: tf.Tensor, num_outputs: int, dtype: str) -> tf.Tensor:
    """Labels [T, S] as one-hot vectors [T, S, num_outputs]; values [T, S, num_outputs] as they are.

    Raises:
        ValueError: for values of another shape.
    """
    if y.dtype.is_integer:
        return tf.one_hot(y, num_outputs, dtype=dtype)
    if y.shape[2:] != (num_outputs,):
        raise ValueError(
            f"support_y has values of shape {tuple(y.shape[2:])}, expected ({num_outputs},), one an output"
        )
    return tf.cast(y, dtype)
