"""Reproduce published results on a CPU and put them beside the papers' figures.

    python -m benchmarks.published [NAME ...] [--omniglot PATH] [--steps N] [--episodes N]

Runs the named experiments, all of them if none is named. PATH is an official archive of Omniglot, or a folder that
holds archives; the experiments on sinusoids need none. Each experiment keeps its row in `results.json` in this folder,
from which the tables in the README are made anew: one experiment can be run again alone.
"""

import argparse
import sys
import time
from pathlib import Path

import keras
import tensorflow as tf

import metalearn_lib as ml
from benchmarks import report
from benchmarks.published.experiments import EXPERIMENTS
from benchmarks.published.tables import figure, section
from benchmarks.published.training import SEED, protocols
from metalearn_lib.core.checks import at_least

ROWS = Path(__file__).with_name("results.json")
EPISODES = 600


def run(name: str, images: ml.images.LabelledImages | None, steps: int | None, num_tasks: int) -> dict:
    """One experiment's row, as it is kept."""
    experiment = EXPERIMENTS[name]
    steps = steps or experiment.steps
    print(f"{name}: {steps} steps", flush=True)
    keras.utils.set_random_seed(SEED)
    began, busy = time.perf_counter(), time.process_time()
    scores: dict[str, ml.Score] = experiment.run(images, steps, num_tasks)
    minutes, busy = (time.perf_counter() - began) / 60, (time.process_time() - busy) / 60
    return {
        "scores": {column: figure(score) for column, score in scores.items()},
        "steps": steps,
        "episodes": num_tasks,
        "seed": SEED,
        "minutes": round(minutes, 1),
        "processor minutes": round(busy, 1),
        "tensorflow": tf.__version__,
    }


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.published", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(EXPERIMENTS)}; all if none")
    parser.add_argument("--omniglot", metavar="PATH", help="an official archive, or a folder of them")
    parser.add_argument("--steps", type=int, help="training steps of each network, instead of the experiment's own")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="test tasks of each cell (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        names = given.names or list(EXPERIMENTS)
        if unknown := [name for name in names if name not in EXPERIMENTS]:
            raise ValueError(f"NAME is {unknown[0]!r}, expected one of {', '.join(EXPERIMENTS)}")
        at_least(2, episodes=given.episodes)
        if given.steps is not None:
            at_least(1, steps=given.steps)
        images = None
        if any(EXPERIMENTS[name].table == "Omniglot" for name in names):
            if given.omniglot is None:
                raise ValueError("--omniglot is missing, expected the path of an official archive or a folder of them")
            images = ml.images.load_omniglot(given.omniglot)
            protocols(images)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    for name in names:
        report.keep_row(ROWS, name, run(name, images, given.steps, given.episodes))
        report.write("published", section(report.read_rows(ROWS)))
    print(section(report.read_rows(ROWS)))


if __name__ == "__main__":
    main()
