"""In-context learning: a transformer that reads the support set and answers (Garg, Tsipras, Liang, Valiant 2022)."""

from typing import Any, cast

import keras
import tensorflow as tf

from metalearn_lib.core.checks import at_least
from metalearn_lib.core.classes import as_vectors, features_of
from metalearn_lib.core.task import Task
from metalearn_lib.learners.learner import Learner


@keras.saving.register_keras_serializable("metalearn_lib")
class InContextLearner(Learner):
    """Predicts each query's y from the (x, y) pairs of the support set in one forward pass; no weight is updated.

    A support example is one token, the sum of linear maps of its x and its y; a query is the token of its x alone.
    In every block of a pre-norm transformer all tokens attend to the support tokens and to no others: a query never
    sees another query, and predictions do not depend on the order of the support set, which has no positions. Nor do
    they change when every example is shown twice: attention weights sum to 1, so equal examples cannot be counted. The
    published model reads x and y as tokens of their own, in turn, with positions and a causal mask, and its loss is
    taken at every prefix; what is learned, an estimator of the task from its examples, is the same.

    In `fit`, half of the tasks show only a random part of their support set, of 1 to S examples, so that a context of
    any size up to S can be read. Compile with "mse" for values, with
    `SparseCategoricalCrossentropy(from_logits=True)` for labels.

    Args:
        model: any Keras model from examples [B, ...] to features [B, F].
        num_outputs: number D of values of a target, or number N of classes.
        width: of the tokens.
        depth: number of blocks.
        heads: number of attention heads, a divisor of `width`.
        batch_norm: "support", "transductive" or "running", see `metalearn_lib.core.network`.

    Raises:
        ValueError: for a number below 1, a width that the heads cannot share.
    """

    gives_logits = True

    def __init__(
        self,
        model: keras.Model,
        *,
        num_outputs: int = 1,
        width: int = 64,
        depth: int = 3,
        heads: int = 4,
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, batch_norm=batch_norm, **options)
        at_least(1, num_outputs=num_outputs, width=width, depth=depth, heads=heads)
        if width % heads:
            raise ValueError(f"width is {width}, expected a multiple of heads, which is {heads}")
        self.num_outputs, self.width, self.depth, self.heads = num_outputs, width, depth, heads
        self.token_of_x = keras.layers.Dense(width)
        self.token_of_x.build((None, None, features_of(self.network)))
        self.token_of_y = keras.layers.Dense(width)
        self.token_of_y.build((None, None, num_outputs))
        self.blocks = [TransformerBlock(width, heads) for _ in range(depth)]
        self.answer = keras.Sequential(
            [keras.Input((None, width)), keras.layers.LayerNormalization(), keras.layers.Dense(num_outputs)]
        )
        self.random = keras.random.SeedGenerator()

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Values [T, Q, D] or logits [T, Q, N] of the queries."""
        support, query = self.embed(task, training)
        support_y = as_vectors(task["support_y"], self.num_outputs, support.dtype)
        tokens = tf.concat([self.token_of_x(support) + self.token_of_y(support_y), self.token_of_x(query)], axis=1)
        shots = tf.shape(support)[1]
        seen = self._random_context(support) if training else None
        for block in self.blocks:
            tokens = block(tokens, shots, seen)
        return self.answer(tokens[:, shots:])

    def _random_context(self, support: tf.Tensor) -> tf.Tensor:
        """Which support examples each task shows, [T, S]: all in half of the tasks, else any number from 1 equally."""
        tasks, shots = tf.unstack(tf.shape(support)[:2])
        place = cast(tf.Tensor, keras.random.uniform((tasks, shots), seed=self.random))
        # With a share that is uniform in [0, 1], the number of uniform places below it is uniform in 0..S.
        share = cast(tf.Tensor, keras.random.uniform((tasks, 1), maxval=2.0, seed=self.random))
        return place <= tf.maximum(share, tf.reduce_min(place, axis=1, keepdims=True))

    def num_classes_known(self) -> int:
        """The number of outputs."""
        return self.num_outputs


class TransformerBlock(keras.layers.Layer):
    """One pre-norm block in which all tokens attend to the first of them, the support set.

    Args:
        width: of the tokens.
        heads: number of attention heads, a divisor of `width`.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.normalise = keras.layers.LayerNormalization()
        self.normalise.build((None, None, width))
        self.attend = keras.layers.MultiHeadAttention(heads, width // heads)
        self.attend.build((None, None, width), (None, None, width))
        layers = [keras.layers.LayerNormalization(), keras.layers.Dense(4 * width, "gelu"), keras.layers.Dense(width)]
        self.think = keras.Sequential([keras.Input((None, width)), *layers])
        self.built = True

    def call(self, tokens: tf.Tensor, shots: tf.Tensor, seen: tf.Tensor | None = None) -> tf.Tensor:
        """Tokens [T, S + Q, width] to tokens; `seen` [T, S] tells which of the S support tokens can be attended to."""
        normal = self.normalise(tokens)
        mask = None if seen is None else seen[:, None]
        tokens += self.attend(normal, normal[:, :shots], attention_mask=mask)
        return tokens + self.think(tokens)
