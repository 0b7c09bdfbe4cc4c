"""N-way K-shot episodes from any labelled images, as endless, seeded streams; ordinary labelled batches of them too."""

import numpy as np
import tensorflow as tf

from metalearn_lib.core.checks import at_least, flags, instances, seeds
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.images.labelled import LabelledImages
from metalearn_lib.tasks.stream import static_shape, task_stream


def episodes(
    images: LabelledImages,
    ways: int = 5,
    shots: int = 1,
    queries: int = 5,
    meta_batch_size: int = 4,
    seed: int = 0,
    within_alphabet: bool = False,
) -> tf.data.Dataset:
    """An endless stream of N-way K-shot episodes (Vinyals et al. 2016).

    Each episode has `ways` distinct classes, labelled 0..ways-1 anew at random, and `shots + queries`
    distinct images of each: no support image is among the queries. Examples stand class by class, label 0
    first.

    Args:
        images: the classes to draw from.
        ways: number N of classes in an episode.
        shots: number K of support images per class.
        queries: number of query images per class.
        meta_batch_size: number T of episodes in a meta-batch.
        seed: fixes the whole stream.
        within_alphabet: draw the classes of an episode from one alphabet; every alphabet of at least `ways`
            classes is equally likely.

    Returns:
        A dataset of `({"support_x", "support_y", "query_x"}, query_y)`: support_x [T, N*K, H, W, C] and
        query_x [T, N*queries, H, W, C] float32 in [0, 1], support_y [T, N*K] and query_y [T, N*queries]
        int32.

    Raises:
        TypeError: if `images` are no LabelledImages, or `within_alphabet` is not True or False.
        ValueError: if a number is not a whole one of at least 1, there are not enough classes, or a class has not
            enough images.
    """
    instances(LabelledImages, "LabelledImages", images=images)
    at_least(1, ways=ways, shots=shots, queries=queries)
    flags(within_alphabet=within_alphabet)
    allowed = _allowed(images, ways, within_alphabet)
    each = shots + queries
    drawable = np.flatnonzero(allowed.any(axis=0))
    counts = images.counts
    smallest = drawable[counts[drawable].argmin()]
    if counts[smallest] < each:
        raise ValueError(
            f"shots + queries is {each}, expected at most the {counts[smallest]} images of class "
            f"{images.classes[smallest]!r}"
        )
    # On the CPU, where tf.data draws; a GPU would otherwise copy every image back at every meta-batch.
    with tf.device("/cpu:0"):
        ordered = tf.constant(images.images[np.argsort(images.labels, kind="stable")])
        size = tf.constant(counts, tf.int32)
        start = tf.cumsum(size, exclusive=True)
        choices = tf.constant(allowed)
    most = int(counts.max())

    def draw(seed: tf.Tensor, tasks: int) -> MetaBatch:
        seeds = tf.unstack(tf.random.split(seed, 3, alg="philox"), num=3)
        group = tf.random.stateless_uniform([tasks], seeds[0], maxval=len(allowed), dtype=tf.int32, alg="philox")
        chosen = _distinct(seeds[1], tf.gather(choices, group), ways)  # [T, N]
        there = tf.range(most) < tf.gather(size, chosen)[..., None]  # [T, N, most]
        drawn = tf.gather(start, chosen)[..., None] + _distinct(seeds[2], there, each)  # [T, N, each]
        support, query = tf.split(drawn, [shots, queries], axis=-1)
        labels = tf.tile(tf.range(ways)[None], [tasks, 1])

        def pictures(index: tf.Tensor) -> tf.Tensor:
            picked = tf.gather(ordered, tf.reshape(index, [tasks, -1]))
            return tf.cast(picked, tf.float32) / 255.0

        task = {
            "support_x": pictures(support),
            "support_y": tf.repeat(labels, shots, axis=1),
            "query_x": pictures(query),
        }
        return task, tf.repeat(labels, queries, axis=1)

    return task_stream(draw, meta_batch_size, seed)


def labelled_batches(images: LabelledImages, batch: int = 64, seed: int = 0) -> tf.data.Dataset:
    """An endless stream of ordinary labelled batches: every image comes once before any comes again.

    Args:
        images: what to draw from.
        batch: number B of images in a batch.
        seed: fixes the whole stream; the i-th batch depends on `seed` and i alone.

    Returns:
        A dataset of `(x, y)`: x [B, H, W, C] float32 in [0, 1] and y [B] int32, the class of each.

    Raises:
        TypeError: if `images` are no LabelledImages.
        ValueError: if `batch` is not a whole number of at least 1, or `seed` is no seed.
    """
    instances(LabelledImages, "LabelledImages", images=images)
    at_least(1, batch=batch)
    seeds(seed=seed)
    with tf.device("/cpu:0"):
        pictures, labels = tf.constant(images.images), tf.constant(images.labels, tf.int32)
    number = len(images)

    def choose(count: tf.Tensor) -> tf.Tensor:
        turn, place = tf.stack([tf.constant(seed, tf.int64), count // number]), tf.math.floormod(count, number)
        shuffle = tf.random.experimental.index_shuffle  # pyright: ignore[reportAttributeAccessIssue]  # not in its stubs
        return shuffle(place, turn, tf.constant(number - 1, tf.int64))

    def pick(chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.cast(tf.gather(pictures, chosen), tf.float32) / 255.0, tf.gather(labels, chosen)

    chosen = tf.data.Dataset.counter().map(choose).batch(batch, drop_remainder=True)
    return chosen.map(pick, num_parallel_calls=2, deterministic=True).prefetch(2)


def _allowed(images: LabelledImages, ways: int, within_alphabet: bool) -> np.ndarray:
    """Which classes an episode may draw from: bool [groups, classes], a row per alphabet or just one."""
    if not within_alphabet:
        if ways > len(images.classes):
            raise ValueError(f"ways is {ways}, expected at most the {len(images.classes)} classes of images")
        return np.ones([1, len(images.classes)], bool)
    names, alphabet = np.unique(images.alphabets, return_inverse=True)
    sizes = np.bincount(alphabet)
    if ways > sizes.max():
        raise ValueError(
            f"ways is {ways} within an alphabet, expected at most the {sizes.max()} classes of the largest, "
            f"{str(names[sizes.argmax()])!r}"
        )
    return alphabet == np.flatnonzero(sizes >= ways)[:, None]


def _distinct(seed: tf.Tensor, allowed: tf.Tensor, number: int) -> tf.Tensor:
    """Distinct allowed positions of the last axis in random order, int32 [..., number]."""
    score = tf.random.stateless_uniform(static_shape(allowed), seed, alg="philox")
    order = tf.where(allowed, score, -1.0)
    return tf.math.top_k(order, number).indices
