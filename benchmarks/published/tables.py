"""The tables of the README: what was measured, beside what was published."""

import json
from pathlib import Path

import metalearn_lib as ml
from benchmarks.published.experiments import EXPERIMENTS

DIVERGED = 1e3  # of a squared error: targets are within ±5
# What stands under a title, and its columns.
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
# The papers' own figures by column, with their own intervals where they give any, and where they stand.
SOURCES = json.loads(Path(__file__).with_name("published_figures.json").read_text(encoding="utf-8"))
PUBLISHED = {source["name"]: source["figures"] for source in SOURCES}


def figure(score: ml.Score) -> str:
    """Mean ± half width; in powers of ten where a task that diverged makes up the mean."""
    if score.mean > DIVERGED:
        return f"{score.mean:.0e} ± {score.half_width:.0e}"
    return str(score).removesuffix(" %")


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


def section(rows: dict[str, dict]) -> str:
    """Both tables, and how they were made."""
    settings = {(row["episodes"], row["seed"], row["tensorflow"]) for row in rows.values()}
    how = "; ".join(f"{count} test tasks a cell, seed {seed}, TensorFlow {v}" for count, seed, v in sorted(settings))
    return "\n\n".join(
        [
            "`python -m benchmarks.published EXPERIMENT --omniglot PATH --steps STEPS` makes a row anew. Means with "
            f"95 % confidence intervals; {how or 'nothing was run yet'}.",
            *(table(title, rows) for title in TABLES),
        ]
    )
