"""Train a prototypical network on drawn glyphs, test it on real handwriting (Omniglot).

    python benchmarks/one_shot.py --omniglot PATH [--steps N] [--episodes N]

PATH is an official archive of Omniglot, or a folder that holds archives; `download_omniglot` fetches them. The
results are printed and written into the README beside this file.
"""

import argparse
import os
import re
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
from alphabets import HELD_OUT, VALIDATION
from report import write

import metalearn_lib as ml
from metalearn_lib.core.checks import at_least

SEED = 0
STEPS, EPISODES = 3_000, 600
WAYS, QUERIES, RATE = 60, 5, 1e-2  # of training, one shot each
# Squared distances in 256 dimensions are in the hundreds: a softmax of them is one or nothing and learns slowly.
SCALE = 0.1
SETTINGS = ((5, 1), (5, 5), (20, 1), (20, 5))  # ways and shots of the tests
DRAWERS = 20  # of each glyph
SIZE, ORIGINAL = 28, 105  # pixels of an image, and of one of Omniglot before its areas are averaged


def shrunk(images: ml.images.LabelledImages) -> ml.images.LabelledImages:
    """Omniglot's one-bit drawings, averaged over the areas of larger pixels instead of the nearest one."""
    parts = np.array_split(images.images[..., 0], -(-len(images) // 500))
    pixels = np.concatenate([np.rint(ml.images.shrink_images(part, SIZE)).astype(np.uint8) for part in parts])
    return replace(images, images=pixels[..., None])


def turned_and_mirrored(images: ml.images.LabelledImages) -> ml.images.LabelledImages:
    """Eight classes of each: its four turns by 90 degrees, and those of its mirror image."""
    mirrored = ml.images.LabelledImages(
        np.concatenate([images.images, images.images[:, :, ::-1]]),
        np.concatenate([images.labels, images.labels + len(images.classes)]),
        (*images.classes, *(f"{name} mirrored" for name in images.classes)),
        (*images.alphabets, *(f"{name} mirrored" for name in images.alphabets)),
    )
    return mirrored.with_rotations()


def train(images: ml.images.LabelledImages, steps: int) -> ml.PrototypicalNetwork:
    """A prototypical network after so many training episodes."""
    images = turned_and_mirrored(images)
    learner = ml.PrototypicalNetwork(
        keras.Sequential([ml.networks.conv4(), keras.layers.Rescaling(SCALE)]), batch_norm="running"
    )
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    learner.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ways = min(WAYS, len(images.classes))
    learner.fit(ml.tasks.episodes(images, ways, 1, QUERIES, meta_batch_size=1, seed=SEED), steps_per_epoch=steps)
    return ml.PrototypicalNetwork(five_views(learner.model))


def five_views(model: keras.Model) -> keras.Model:
    """A network that returns the mean of five: of an image as it is and moved by a pixel along each diagonal."""
    image = keras.Input(model.input_shape[1:])
    outputs = [model(image)]
    for down, right in ((0, 0), (0, 2), (2, 0), (2, 2)):
        padded = keras.layers.ZeroPadding2D(((2 - down, down), (2 - right, right)))(image)
        outputs.append(model(keras.layers.Cropping2D(1)(padded)))
    return keras.Model(image, keras.layers.Average()(outputs))


def nearest_blurred_pixels() -> ml.NearestNeighbor:
    """The baseline without learning: the nearest support image after a Gaussian blur of one pixel."""
    kernel = np.exp(-(np.arange(-3, 4) ** 2) / 2)
    kernel = np.outer(kernel, kernel) / kernel.sum() ** 2
    blur = keras.layers.DepthwiseConv2D(7, padding="same", use_bias=False)
    model = keras.Sequential([keras.Input((28, 28, 1)), blur, keras.layers.Flatten()])
    blur.set_weights([kernel[:, :, None, None]])
    return ml.NearestNeighbor(model)


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


def report(
    training: ml.images.LabelledImages,
    tests: ml.images.LabelledImages,
    held_out: ml.images.LabelledImages,
    foreign: ml.images.LabelledImages,
    steps: int,
    count: int,
) -> str:
    """Train, test, and tell in Markdown."""
    began, busy = time.perf_counter(), time.process_time()
    keras.utils.set_random_seed(SEED)
    by_glyphs = {
        "pixels": nearest_blurred_pixels(),
        "glyphs": train(ml.images.load_strokes(DRAWERS, SIZE, SEED), steps),
    }
    both = by_glyphs | {"Omniglot": train(training, steps)}
    lines = [
        "| alphabets tested | trained on | episodes "
        + "".join(f"| {ways}-way {shots}-shot " for ways, shots in SETTINGS)
        + "|",
        "|" + " --- |" * (3 + len(SETTINGS)),
    ]
    what = {"pixels": "nothing: nearest blurred pixels", "glyphs": "glyphs only", "Omniglot": "other alphabets of it"}
    for title, images, learners in (
        ("all {}", tests, by_glyphs),
        ("the {} of foreign scripts", foreign, by_glyphs),
        ("{} held out", held_out, both),
    ):
        for within in (False, True):
            scores = test(learners, images, within, count)
            for name in learners:
                cells = [title.format(len(set(images.alphabets))), what[name], "within" if within else "mixed"]
                cells += [str(score[name]) if score else "–" for score in scores]
                lines.append(f"| {' | '.join(cells)} |")
    minutes, busy = (time.perf_counter() - began) / 60, (time.process_time() - busy) / 60
    return (
        f"`python benchmarks/one_shot.py --omniglot PATH --steps {steps} --episodes {count}` took {minutes:.0f} "
        f"minutes on {os.cpu_count()} cores, {busy:.0f} of processor time; seed {SEED}, TensorFlow {tf.__version__}. "
        f"Accuracy with 95 % confidence intervals over {count} episodes, {QUERIES} queries a class. Tested: "
        f"{len(tests.classes)} characters "
        f"of {len(set(tests.alphabets))} alphabets. Held out: {', '.join(sorted(set(held_out.alphabets)))}.\n\n"
    ) + "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--omniglot", metavar="PATH", required=True, help="an official archive, or a folder of them")
    parser.add_argument("--steps", type=int, default=STEPS, help="training episodes of each network (%(default)s)")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="test episodes of each cell (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        at_least(1, steps=given.steps)
        at_least(2, episodes=given.episodes)
        parts = split(shrunk(ml.images.load_omniglot(given.omniglot, ORIGINAL)))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    text = report(*parts, given.steps, given.episodes)
    print(text)
    write("one_shot", text)


if __name__ == "__main__":
    main()
