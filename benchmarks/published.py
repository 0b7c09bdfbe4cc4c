"""Reproduce published results on a CPU and put them beside the papers' figures.

    python benchmarks/published.py [NAME ...] [--omniglot PATH] [--steps N] [--episodes N]

Runs the named experiments, all of them if none is named. PATH is an official archive of Omniglot, or a folder that
holds archives; the experiments on sinusoids need none. Each experiment keeps its row in `results/published.json`,
from which the tables in the README are made anew: one experiment can be run again alone.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import keras
import tensorflow as tf
from experiments import EXPERIMENTS
from report import replace, write
from training import SEED, protocols

import metalearn_lib as ml
from metalearn_lib.core.checks import at_least

ROWS = Path(__file__).parent / "results" / "published.json"
EPISODES = 600
DIVERGED = 1e3  # of a squared error: targets are within ±5
TABLES = {
    "Sinusoids": (
        "Mean squared error after 1, 5 and 10 gradient steps on the 5 or 10 examples of a new task",
        tuple(f"{shots}-shot, {steps} step{'s' * (steps > 1)}" for shots in (5, 10) for steps in (1, 5, 10)),
    ),
    "Omniglot": (
        "Accuracy in %",
        ("5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot"),
    ),
}
# As published: the papers' own figures, with their own intervals where they give any. Finn, Abbeel, Levine 2017 (MAML,
# FOMAML, pre-training; table 1 and the sinusoid table of the appendix); Nichol, Achiam, Schulman 2018 (Reptile);
# Snell, Swersky, Zemel 2017 (prototypical networks); Vinyals et al. 2016 (matching networks); Li et al. 2017
# (Meta-SGD); Raghu et al. 2020 (ANIL).
PUBLISHED = {
    "MAML, sinusoids": ("0.67", "0.38", "0.35"),
    "Pre-training, sinusoids": ("2.41", "2.23", "2.19"),
    "MAML": ("98.7 ± 0.4", "99.9 ± 0.1", "95.8 ± 0.3", "98.9 ± 0.2"),
    "FOMAML": ("98.3 ± 0.5", "99.2 ± 0.2", "89.4 ± 0.5", "97.9 ± 0.1"),
    "Reptile": ("95.39", "98.90", "88.14", "96.65"),
    "Reptile, transductive": ("97.68", "99.48", "89.43", "97.12"),
    "Prototypical network": ("98.8", "99.7", "96.0", "98.9"),
    "Matching network": ("98.1", "98.9", "93.8", "98.5"),
    "Meta-SGD": ("99.53 ± 0.26", "99.93 ± 0.09", "95.93 ± 0.38", "98.97 ± 0.19"),
    "ANIL": (None, None, "96.2 ± 0.5", "98.0 ± 0.3"),
}


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
        "scores": {column: _figure(score) for column, score in scores.items()},
        "steps": steps,
        "episodes": num_tasks,
        "seed": SEED,
        "minutes": round(minutes, 1),
        "processor minutes": round(busy, 1),
        "tensorflow": tf.__version__,
    }


def kept() -> dict[str, dict]:
    """The rows of all experiments that were run."""
    return json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else {}


def keep(name: str, row: dict) -> None:
    """Put one experiment's row in the place of its last one."""
    ROWS.parent.mkdir(exist_ok=True)
    replace(ROWS, json.dumps({**kept(), name: row}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def table(title: str, rows: dict[str, dict]) -> str:
    """One of `TABLES` in Markdown, with a row for every experiment, whether it was run or not."""
    what, columns = TABLES[title]
    chosen = {name: experiment for name, experiment in EXPERIMENTS.items() if experiment.table == title}
    cells = [["experiment", "learner", *columns, "steps", "minutes (of processor time)"]]
    cells.append(["---"] * len(cells[0]))
    for name, experiment in chosen.items():
        published = dict(zip(columns, PUBLISHED[experiment.published], strict=False))
        row = rows.get(name)
        measured = [row["scores"].get(column, "–") if row else "–" for column in columns]
        figures = [f"{m} ({published[c]})" if published.get(c) else m for c, m in zip(columns, measured, strict=True)]
        cost = ["not run", "–"]
        if row:
            of = f" of {experiment.published_steps:,}" if experiment.published_steps else ""
            cost = [f"{row['steps']:,}{of}", f"{row['minutes']} ({row['processor minutes']})"]
        cells.append([f"`{name}`", experiment.learner, *figures, *cost])
    notes = [f"- `{name}`: {experiment.recipe}" for name, experiment in chosen.items()]
    lines = [f"### {title}", "", f"{what}; in brackets: as published.", "", *(f"| {' | '.join(c)} |" for c in cells)]
    return "\n".join([*lines, "", *notes])


def report(rows: dict[str, dict]) -> str:
    """Both tables, and how they were made."""
    settings = {(row["episodes"], row["seed"], row["tensorflow"]) for row in rows.values()}
    how = "; ".join(f"{count} test tasks a cell, seed {seed}, TensorFlow {v}" for count, seed, v in sorted(settings))
    return "\n\n".join(
        [
            "`python benchmarks/published.py EXPERIMENT --omniglot PATH --steps STEPS` makes a row anew. Means with "
            f"95 % confidence intervals; {how or 'nothing was run yet'}.",
            *(table(title, rows) for title in TABLES),
        ]
    )


def _figure(score: ml.Score) -> str:
    """Mean ± half width; in powers of ten where a task that diverged makes up the mean."""
    if score.mean > DIVERGED:
        return f"{score.mean:.0e} ± {score.half_width:.0e}"
    return str(score).removesuffix(" %")


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
        keep(name, run(name, images, given.steps, given.episodes))
        write("published", report(kept()))
    print(report(kept()))


if __name__ == "__main__":
    main()
