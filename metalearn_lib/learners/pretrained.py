"""Pre-trained features: ordinary classification first, then a nearest centroid or a linear probe on each task."""

from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least
from metalearn_lib.core.classes import (
    ABSENT,
    class_means,
    features_of,
    number_of_ways,
    squared_distances,
    without_absent,
)
from metalearn_lib.core.task import Task
from metalearn_lib.learners.learner import Learner

CLASSIFIERS = ("centroid", "probe")

# The probe's error shrinks by (κ − 1) / (κ + 1) a step, κ = 1 + S/2: after 8κ steps by e⁻¹⁶, float32's last digit.
STEPS_PER_CONDITION = 8


@keras.saving.register_keras_serializable("metalearn_lib")
class PretrainedFeatures(Learner):
    """A network trained to tell all training classes apart, whose features then serve each task as they are.

    `fit` takes ordinary labelled batches, such as `metalearn_lib.tasks.episodes.labelled_batches`: no tasks. Everything
    else takes tasks. Features are divided by their length: on glyphs of unseen scripts, 20-way 1-shot, that raised
    the nearest centroid from 73 to 76 %. The nearest centroid (SimpleShot, Wang et al. 2019) gives the negative
    squared distances to the means of the classes. The linear probe (Tian et al. 2020) gives the logits XW of
    multinomial logistic regression, where W minimises the cross-entropy summed over the support set + ½‖W‖².

    Args:
        model: a Keras model that embeds examples [B, ...] as vectors [B, D].
        num_classes: number of training classes; a dense layer on top of `model` tells them apart while it is trained.
        classifier: "centroid" or "probe".
        batch_norm: "support", "transductive" or "running" (as published), see
            `metalearn_lib.core.network`; `fit` normalises by its batches under every policy.

    Raises:
        ValueError: if `num_classes` is below 2, `classifier` is unknown, or the model's outputs are no vectors.
    """

    supports_xla = False  # the number of ways is known only when the labels are
    gives_logits = True
    fits_tasks = False
    ways_follow_the_task = True

    def __init__(
        self,
        model: keras.Model,
        *,
        num_classes: int,
        classifier: str = "centroid",
        batch_norm: str = "support",
        **options: Any,
    ):
        super().__init__(model, batch_norm=batch_norm, **options)
        at_least(2, num_classes=num_classes)
        if classifier not in CLASSIFIERS:
            raise ValueError(f"classifier is {classifier!r}, expected one of {', '.join(CLASSIFIERS)}")
        self.num_classes = num_classes
        self.classifier = classifier
        self.head = keras.layers.Dense(num_classes)
        self.head.build((None, features_of(self.network)))

    def call(self, task: Task, training: bool = False) -> tf.Tensor:
        """Logits [T, Q, N] of the queries."""
        embedded = self.embed(task)
        support, query = (tf.math.l2_normalize(features, axis=-1) for features in embedded)
        centroids, there = class_means(support, task["support_y"])
        if self.classifier == "centroid":
            return without_absent(-squared_distances(query, centroids), there)
        members = tf.one_hot(task["support_y"], number_of_ways(task["support_y"]), dtype=support.dtype)
        return without_absent(tf.matmul(query, linear_probe(support, members)), there)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One gradient step of ordinary classification."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            logits = self.head(self.model(x, training=True))
            loss = cast(tf.Tensor, self.compute_loss(x, y, logits, sample_weight))
            scaled = self.optimizer.scale_loss(loss)
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        self.track_loss(loss, tf.shape(x)[0])
        return self.compute_metrics(x, y, logits, sample_weight)

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> keras.callbacks.History:
        """`keras.Model.fit` on labelled batches: x [B, ...] and labels y [B], 0..classes-1.

        Raises:
            TypeError: if `x` holds tasks.
            ValueError: if the first batch has other labels.
        """
        first = next(iter(x.take(1)), (None, None)) if isinstance(x, tf.data.Dataset) else (x, y)
        if isinstance(first[0], dict):
            raise TypeError("x holds tasks, expected labelled batches (x, y), see metalearn_lib.tasks.episodes")
        labels = np.asarray(first[1])
        if labels.dtype.kind not in "iu" or labels.ndim != 1 or labels.min() < 0 or labels.max() >= self.num_classes:
            came = f"{labels.dtype} {labels.shape}" + (f" of {labels.min()}..{labels.max()}" if labels.size > 1 else "")
            raise ValueError(f"y is {came}, expected whole numbers [B] of 0..{self.num_classes - 1}")
        return super().fit(x, y, **options)


def linear_probe(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """W that minimises the summed cross-entropy of softmax(XW) + ½‖W‖², for each of T tasks.

    By gradient descent on A, where W = XᵀA: that is gradient descent on W itself, at a cost that does not grow
    with D. With rows of X of length 1 the Hessian lies between 1 and 1 + S/2, which sets rate and number of steps.

    Args:
        x: features of length 1, [T, S, D].
        y: classes, one-hot, [T, S, N]; a class that no example has counts as none.

    Returns:
        W [T, D, N].
    """
    gram = tf.matmul(x, x, transpose_b=True)
    absent = ABSENT * (1 - tf.reduce_max(y, axis=1, keepdims=True))
    size = tf.shape(x)[1]
    rate = 1 / (1 + tf.cast(size, x.dtype) / 4)

    def step(a: tf.Tensor) -> tuple[tf.Tensor]:
        return (a - rate * (a + tf.nn.softmax(tf.matmul(gram, a) + absent) - y),)

    steps = STEPS_PER_CONDITION * (1 + size // 2)
    (a,) = tf.while_loop(lambda a: True, step, (tf.zeros_like(y),), maximum_iterations=steps)
    return tf.matmul(x, a, transpose_a=True)
