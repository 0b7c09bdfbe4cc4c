"""Chapter 8: what a learned metric is worth on images that differ from those of training in a way of their own.

Four changes leave every distance between blurred pixels as it was: for them the tasks stay equally hard.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial

import keras
import numpy as np
from scipy.ndimage import gaussian_filter

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

SHORT = 150
TASKS = 400
QUERIES = 5
Embed = Callable[[np.ndarray], np.ndarray]
Splits = dict[str, ml.images.LabelledImages]


@cache
def splits() -> Splits:
    """Images of scripts to train with and to test with."""
    parts = dict(zip(("train", "validation", "test"), ml.images.glyph_splits(size=20), strict=True))
    scripts = sorted(set(parts["test"].alphabets))
    strokes = ml.images.load_strokes(size=20, scripts=scripts)
    assert strokes.classes == parts["test"].classes
    return parts | {"strokes": strokes}


def changes() -> dict[str, np.ndarray]:
    """The test images, changed."""
    images = splits()["test"].images
    return {
        "none": images,
        "mirrored": images[:, :, ::-1],
        "upside down": images[:, ::-1],
        "turned by 90°": np.rot90(images, axes=(1, 2)),
        "ink and paper swapped": 255 - images,
        "stroke by stroke": splits()["strokes"].images,
    }


def accuracy(features: np.ndarray) -> ml.Score:
    """Of the nearest class mean, 5-way 1-shot, tasks drawn as in the chapter."""
    rng = np.random.default_rng(12)
    classes = np.argsort(rng.random((TASKS, len(splits()["test"].classes))), axis=1)[:, :5]
    drawings = np.argsort(rng.random((TASKS, 5, 20)), axis=2)[..., : 1 + QUERIES]
    support, query = np.split(20 * classes[..., None] + drawings, [1], axis=2)
    means, points = features[support].mean(axis=2), features[query].reshape(TASKS, 5 * QUERIES, -1)
    logits = 2 * points @ means.swapaxes(1, 2) - (means**2).sum(axis=-1)[:, None]
    labels = np.tile(np.repeat(np.arange(5), QUERIES), (TASKS, 1))
    return ml.score_predictions(logits, labels, ml.evaluation.fingerprint(query))


def inverted(images: ml.images.LabelledImages) -> ml.images.LabelledImages:
    """Twice as many classes: those with ink and paper swapped are further characters."""
    return replace(
        images,
        images=np.concatenate([images.images, 255 - images.images]),
        labels=np.concatenate([images.labels, images.labels + len(images.classes)]),
        classes=[*images.classes, *(f"{name}, swapped" for name in images.classes)],
        alphabets=[*images.alphabets, *images.alphabets],
    )


def by_prototypes(seed: int, steps: int = SHORT, both: bool = False) -> Embed:
    """The chapter's network; a long training's rate falls to zero along a cosine."""
    network = keras.Sequential([ml.networks.conv4(filters=32, input_shape=(20, 20, 1)), keras.layers.Rescaling(0.1)])
    learner = ml.PrototypicalNetwork(network, batch_norm="running")
    rate = 1e-2 if steps == SHORT else keras.optimizers.schedules.CosineDecay(1e-2, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(rate), loss)
    images = inverted(splits()["train"]) if both else splits()["train"]
    sizes = {"shots": 1, "queries": 1, "meta_batch_size": 1}
    learner.fit(ml.tasks.episodes(images, 60, seed=seed, **sizes), steps_per_epoch=steps, verbose=0)
    return lambda x: network.predict(x, batch_size=500, verbose=0)


def by_blur(seed: int) -> Embed:
    """No network: pixels under a blur of 1.5."""
    return lambda x: gaussian_filter(x[..., 0], (0, 1.5, 1.5)).reshape(len(x), -1)


def measure(embed: Embed) -> Mapping[str, ml.Score]:
    """Accuracy after each change."""
    return {name: accuracy(embed(x / np.float32(255))) for name, x in changes().items()}


STUDY = Study(
    name="far_from_training",
    chapter="08",
    question="How much of a learned metric is left on images that differ from those of training?",
    budget="150 steps of 120 images, or 1,200 with a rate that falls to zero",
    rivals={
        "prototypes": Rival(by_prototypes, untuned="the setting of metric_learning"),
        "prototypes, 1,200 steps": Rival(partial(by_prototypes, steps=1_200), untuned="as above"),
        "prototypes, swapped images too": Rival(partial(by_prototypes, both=True), untuned="as above"),
        "blurred pixels": Rival(by_blur, untuned="the width of metric_learning", trained=False),
    },
    validate=lambda embed: measure(embed)["none"],
    measure=measure,
)
