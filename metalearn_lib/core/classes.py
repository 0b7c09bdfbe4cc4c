"""Labels and classes: ways, class means, targets as vectors, distances.

A task whose labels leave out some of 0..N-1 has those classes absent: they get `ABSENT` for a logit, so that no query
is given to them, and predictions do not depend on how many ways the other tasks of a meta-batch have.
"""

import tensorflow as tf

from metalearn_lib.core.network import Network

ABSENT = -1e9  # the logit of a class that a task has not; finite, so that gradients are


def number_of_ways(labels: tf.Tensor) -> tf.Tensor:
    """N, where labels are 0..N-1: a scalar int32.

    Raises:
        ValueError: if they are no whole numbers.
    """
    if not labels.dtype.is_integer:
        raise ValueError(f"support_y has dtype {labels.dtype.name}, expected integer labels 0..N-1")
    return tf.cast(tf.reduce_max(labels), tf.int32) + 1


def class_means(x: tf.Tensor, labels: tf.Tensor, ways: tf.Tensor | int | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """The mean of the examples of each class, for each task.

    Args:
        x: [T, S, D].
        labels: [T, S].
        ways: N; that of the labels if None.

    Returns:
        Means [T, N, D], zero for an absent class; and whether each class is there, bool [T, N].
    """
    members = tf.one_hot(labels, number_of_ways(labels) if ways is None else ways, dtype=x.dtype)
    counts = tf.reduce_sum(members, axis=1)
    means = tf.math.divide_no_nan(tf.einsum("tsn,tsd->tnd", members, x), tf.expand_dims(counts, -1))
    return means, counts > 0


def without_absent(logits: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    """Logits [T, Q, N] with `ABSENT` for the classes that a task has not, by `there` [T, N]."""
    return tf.where(there[:, None], logits, tf.constant(ABSENT, logits.dtype))


def squared_distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean distances [T, A, B] between the rows of `a` [T, A, D] and of `b` [T, B, D].

    |a|² + |b|² − 2ab, in at least float32 and from the mean of `b`: far from the origin the difference of large
    numbers would leave nothing of a distance.
    """
    if a.dtype.size < 4:
        a, b = tf.cast(a, tf.float32), tf.cast(b, tf.float32)
    centre = tf.stop_gradient(tf.reduce_mean(b, axis=1, keepdims=True))
    a, b = a - centre, b - centre
    lengths = tf.reduce_sum(a**2, axis=-1, keepdims=True) + tf.reduce_sum(b**2, axis=-1)[:, None]
    return lengths - 2 * tf.matmul(a, b, transpose_b=True)


def as_vectors(y: tf.Tensor, num_outputs: int, dtype: tf.DType | str) -> tf.Tensor:
    """Labels [T, S] as one-hot vectors [T, S, num_outputs]; values [T, S, num_outputs] as they are.

    Raises:
        ValueError: for values of another shape.
    """
    if y.dtype.is_integer:
        return tf.one_hot(y, num_outputs, dtype=dtype)
    if y.shape[2:] != (num_outputs,):
        shape = tuple(y.shape[2:])
        raise ValueError(f"support_y has values of shape {shape}, expected ({num_outputs},), one per output")
    return tf.cast(y, dtype)


def features_of(network: Network) -> int:
    """The number D of features of a network that gives vectors [B, D].

    Raises:
        ValueError: if its outputs are no vectors.
    """
    shape = network.output_shape
    if len(shape) != 2 or shape[1] is None:
        raise ValueError(f"model has outputs of shape {tuple(shape[1:])}, expected vectors")
    return shape[1]
