"""On which alphabets, and how: all learners answer the same episodes."""

import re
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from benchmarks.alphabets import HELD_OUT, VALIDATION
from benchmarks.one_shot.training import QUERIES, SEED

SETTINGS = ((5, 1), (5, 5), (20, 1), (20, 5))  # ways and shots


def test(
    learners: dict[str, ml.Learner], images: ml.images.LabelledImages, within: bool, count: int
) -> list[dict[str, ml.Score]]:
    """The scores of all learners on the same episodes, for each of `SETTINGS`; empty where classes are too few."""
    sizes = np.unique(images.alphabets, return_counts=True)[1]
    embedded = {name: embed(learner, images) for name, learner in learners.items()}
    scores = []
    for ways, shots in SETTINGS:
        if ways > (sizes.max() if within else len(images.classes)):
            scores.append({})
            continue
        tasks = ml.tasks.episodes(
            numbered(images), ways, shots, QUERIES, meta_batch_size=20, seed=SEED + 1, within_alphabet=within
        )
        scores.append({name: ml.score(*looked_up(learners[name], tasks, embedded[name]), count) for name in learners})
    return scores


def embed(learner: ml.Learner, images: ml.images.LabelledImages) -> tf.Tensor:
    """What the network makes of each image, [n, D]: the same in every episode, so that once is enough."""
    return tf.constant(learner.model.predict(images.images / np.float32(255), batch_size=500, verbose=0))


def numbered(images: ml.images.LabelledImages) -> ml.images.LabelledImages:
    """The same classes, with images [n, 1, 1, 4] that hold nothing but their number, in base 256."""
    numbers = np.arange(len(images), dtype="<u4").view(np.uint8)
    return replace(images, images=numbers.reshape(-1, 1, 1, 4))


def looked_up(learner: ml.Learner, tasks: tf.data.Dataset, embedded: tf.Tensor) -> tuple[ml.Learner, tf.data.Dataset]:
    """A learner without its network, and tasks of numbered images with embeddings [D] in their place."""

    def look_up(task: dict[str, tf.Tensor], query_y: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        digits = {name: tf.cast(tf.round(255 * task[name]), tf.int32) for name in ("support_x", "query_x")}
        numbers = {name: tf.tensordot(x[:, :, 0, 0], [1, 256, 256**2, 256**3], 1) for name, x in digits.items()}
        return {**task, **{name: tf.gather(embedded, number) for name, number in numbers.items()}}, query_y

    bare = type(learner)(keras.Sequential([keras.Input(embedded.shape[1:]), keras.layers.Identity()]))
    bare.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return bare, tasks.map(look_up)


def split(
    images: ml.images.LabelledImages,
) -> tuple[ml.images.LabelledImages, ml.images.LabelledImages, ml.images.LabelledImages, ml.images.LabelledImages]:
    """Omniglot as (training, tests, held out, foreign).

    Tests are all alphabets but the validation ones. Held out are a quarter of these, and training is everything
    else. Foreign are the tests in scripts that the glyphs do not have, not even in print.

    Raises:
        ValueError: if there are too few alphabets.
    """
    names = sorted(set(images.alphabets))
    tests = [name for name in names if name not in VALIDATION]
    printed = {_letters(script) for script in ml.images.load_glyphs(drawers=1).alphabets}
    foreign = [name for name in tests if not any(script in _letters(name) for script in printed)]
    if len(tests) < 2 or not foreign:
        raise ValueError(
            f"Omniglot came with the alphabets {', '.join(names)}, expected two or more to test on, "
            "and one of a script that the glyphs lack"
        )
    held_out = np.random.default_rng(SEED).choice(tests, max(1, round(HELD_OUT * len(tests))), replace=False)
    return tuple(images.subset(part) for part in ([n for n in names if n not in held_out], tests, held_out, foreign))


def _letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())
