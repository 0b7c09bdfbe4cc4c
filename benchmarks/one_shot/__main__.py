"""Train a prototypical network on drawn glyphs, test it on real handwriting (Omniglot).

    python -m benchmarks.one_shot --omniglot PATH [--steps N] [--episodes N]

PATH is an official archive of Omniglot, or a folder that holds archives; `ml.images.download_omniglot` fetches them.
The results are printed and written into the README of the benchmarks.
"""

import argparse
import os
import sys
import time

import keras
import tensorflow as tf

import metalearn_lib as ml
from benchmarks import report
from benchmarks.one_shot import testing, training
from benchmarks.one_shot.training import QUERIES, SEED, SIZE
from metalearn_lib.core.checks import at_least

STEPS, EPISODES = 3_000, 600
DRAWERS = 20  # of each glyph
ORIGINAL = 105  # pixels of an image of Omniglot before its areas are averaged


def section(
    learned: ml.images.LabelledImages,
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
        "pixels": training.nearest_blurred_pixels(),
        "glyphs": training.train(ml.images.load_strokes(DRAWERS, SIZE, SEED), steps),
    }
    both = by_glyphs | {"Omniglot": training.train(learned, steps)}
    lines = [
        "| alphabets tested | trained on | episodes "
        + "".join(f"| {ways}-way {shots}-shot " for ways, shots in testing.SETTINGS)
        + "|",
        "|" + " --- |" * (3 + len(testing.SETTINGS)),
    ]
    what = {"pixels": "nothing: nearest blurred pixels", "glyphs": "glyphs only", "Omniglot": "other alphabets of it"}
    for title, images, learners in (
        ("all {}", tests, by_glyphs),
        ("the {} of foreign scripts", foreign, by_glyphs),
        ("{} held out", held_out, both),
    ):
        for within in (False, True):
            scores = testing.test(learners, images, within, count)
            for name in learners:
                cells = [title.format(len(set(images.alphabets))), what[name], "within" if within else "mixed"]
                cells += [str(score[name]) if score else "–" for score in scores]
                lines.append(f"| {' | '.join(cells)} |")
    minutes, busy = (time.perf_counter() - began) / 60, (time.process_time() - busy) / 60
    return (
        f"`python -m benchmarks.one_shot --omniglot PATH --steps {steps} --episodes {count}` took {minutes:.0f} "
        f"minutes on {os.cpu_count()} cores, {busy:.0f} of processor time; seed {SEED}, TensorFlow {tf.__version__}. "
        f"Accuracy with 95 % confidence intervals over {count} episodes, {QUERIES} queries a class. Tested: "
        f"{len(tests.classes)} characters "
        f"of {len(set(tests.alphabets))} alphabets. Held out: {', '.join(sorted(set(held_out.alphabets)))}.\n\n"
    ) + "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.one_shot", description=__doc__.splitlines()[0])
    parser.add_argument("--omniglot", metavar="PATH", required=True, help="an official archive, or a folder of them")
    parser.add_argument("--steps", type=int, default=STEPS, help="training episodes of each network (%(default)s)")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="test episodes of each cell (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        at_least(1, steps=given.steps)
        at_least(2, episodes=given.episodes)
        parts = testing.split(training.shrunk(ml.images.load_omniglot(given.omniglot, ORIGINAL)))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    text = section(*parts, given.steps, given.episodes)
    print(text)
    report.write("one_shot", text)


if __name__ == "__main__":
    main()
