"""Networks that embed names: by their n-grams of bytes, or by a convolution over the bytes.

Their inputs are pictures of bytes [B, 1, L, 1] in [0, 1], made by `metalearn_course.applications.language.names`.
"""

from typing import Any

import keras
import tensorflow as tf

from metalearn_course.applications.checks import arrays, whole_numbers
from metalearn_course.applications.language.names import LENGTH
from metalearn_lib.core.checks import at_least

BUCKETS = 2048
SIZES = (1, 2, 3)


@keras.saving.register_keras_serializable("metalearn_lib")
class NGramProfile(keras.layers.Layer):
    """The n-grams of bytes in a name: the square roots of their counts, as a vector of length 1.

    A zero before and after the name makes beginnings and ends n-grams of their own. n-grams are assigned to buckets by
    their hash (Weinberger et al. 2009), so that no alphabet needs to be known; some then share a bucket.

    Args:
        buckets: number D of buckets.
        sizes: the values of n.
    """

    def __init__(self, buckets: int = BUCKETS, sizes: tuple[int, ...] = SIZES, **kwargs: Any):
        super().__init__(**kwargs)
        at_least(1, buckets=buckets)
        whole_numbers(1, sizes=sizes)
        self.buckets, self.sizes = buckets, tuple(sizes)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Profiles [B, D] of names [B, 1, L, 1]."""
        codes = bytes_of(x)
        codes = tf.pad(codes, [[0, 0], [1, 1]])
        found = tf.concat([self._of_size(codes, size) for size in self.sizes], axis=1)
        counts = tf.math.bincount(found, minlength=self.buckets + 1, maxlength=self.buckets + 1, axis=-1)
        counts = tf.ensure_shape(counts, [None, self.buckets + 1])[:, 1:]  # bucket 0 is for what is no n-gram
        return tf.math.l2_normalize(tf.sqrt(tf.cast(counts, x.dtype)), axis=-1)

    def bucket(self, ngram: str) -> int:
        """The coordinate 0..D-1 of an n-gram; a zero byte in it stands for the beginning or the end of a name."""
        code = list(ngram.encode())
        return int(self._hash(tf.constant([code]), len(code))[0, 0])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for saving."""
        return {**super().get_config(), "buckets": self.buckets, "sizes": self.sizes}

    def _of_size(self, codes: tf.Tensor, size: int) -> tf.Tensor:
        """1 + the coordinates of all n-grams of one size, 0 after the end of the name."""
        # The last byte may be the zero after the name, the one before it not: one zero at an end, never two.
        inside = codes[:, size - 1 :] > 0
        if size > 1:
            inside |= codes[:, size - 2 : -1] > 0
        return tf.where(inside, 1 + self._hash(codes, size), 0)

    def _hash(self, codes: tf.Tensor, size: int) -> tf.Tensor:
        number = int(codes.shape[1] or 0) - size + 1
        code = tf.zeros_like(codes[:, :number])
        for place in range(size):
            code = 256 * code + codes[:, place : place + number]
        mixed = code * -1640531527 + size  # Knuth's multiplicative hash, in 32 bits that overflow
        return tf.math.floormod(tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, 15)), self.buckets)


@keras.saving.register_keras_serializable("metalearn_lib")
class Emphasis(keras.layers.Layer):
    """Multiplies each coordinate by a positive weight of its own, then scales the vector to a learned length.

    All weights start at 1. They are stored as logarithms (`log_weights`).
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """One weight per coordinate, and the length."""
        self.log_weights = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="log_weights")
        self.log_length = self.add_weight(shape=(), initializer="ones", name="log_length")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Vectors [B, D] of one length."""
        return tf.exp(self.log_length) * tf.math.l2_normalize(x * tf.exp(self.log_weights), axis=-1)


def weighted_profile(buckets: int = BUCKETS) -> keras.Model:
    """From names to n-gram profiles [B, buckets] with a learned weight for each n-gram; all weights start at 1."""
    return keras.Sequential(
        [keras.Input((1, LENGTH, 1)), NGramProfile(buckets), Emphasis(name="emphasis")], name="weighted_profile"
    )


def convolution(width: int = 128, num_outputs: int = 64) -> keras.Model:
    """From names to vectors [B, num_outputs]: an embedding of bytes, a convolution over five of them, the maximum."""
    at_least(1, width=width, num_outputs=num_outputs)
    layers = [
        keras.Input((1, LENGTH, 1)),
        Bytes(),
        keras.layers.Embedding(256, 16),
        keras.layers.Conv1D(width, 5, padding="same", activation="relu"),
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Dense(num_outputs),
    ]
    return keras.Sequential(layers, name="convolution")


@keras.saving.register_keras_serializable("metalearn_lib")
class Bytes(keras.layers.Layer):
    """From pictures of bytes [B, 1, L, 1] in [0, 1] to the bytes, int32 [B, L]."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """The bytes."""
        return bytes_of(x)


def bytes_of(x: tf.Tensor) -> tf.Tensor:
    """From pictures of bytes [B, 1, L, 1] in [0, 1] to the bytes, int32 [B, L]."""
    arrays(x=(x, "B 1 L 1"))
    return tf.cast(tf.round(255 * tf.reshape(x, [-1, x.shape[2]])), tf.int32)
