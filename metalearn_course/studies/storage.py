"""Stored results of a study: one small file with the scores of every training, and how they came about."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from metalearn_lib.evaluation import Score
from metalearn_lib.evaluation.score import LEAST_TRAININGS

STORED = Path(__file__).parent / "stored"
BETWEEN = "|"  # of a rival's name and a measurement's, in the names of arrays


@dataclass(frozen=True, eq=False)
class Results(Mapping[str, dict[str, Score]]):
    """What a study found: `results["after 5 steps"]["MAML"]` is a score over trainings and tasks.

    Args:
        about: how the results came about: question, budget, seeds, versions, minutes, and for each rival its setting
            and all that was tried.
        scores: for each measurement the score of each rival.
    """

    about: dict[str, Any]
    scores: dict[str, dict[str, Score]]

    def __getitem__(self, measurement: str) -> dict[str, Score]:
        if measurement not in self.scores:
            raise KeyError(f"measurement is {measurement!r}, expected one of {', '.join(self.scores)}")
        return self.scores[measurement]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __str__(self) -> str:
        about, lines = self.about, []
        lines.append(f"{about['question']}\n{about['budget']}; {len(about['seeds'])} trainings of each learner.")
        width = max(map(len, about["rivals"]))
        for name, rival in about["rivals"].items():
            lines.append(f"  {name:{width}}  {how_tuned(rival)}")
        return "\n".join(lines)

    def check_live(self, rival: str, measurement: str, live: Score) -> None:
        """Fail if a training made here and now is not one like those that are stored.

        Its mean has to lie in the 99 % prediction interval for one more training, m ± t₀.₉₉₅(R − 1) · s · √(1 + 1/R),
        widened by the live score's own interval, as its tasks may be others.

        Args:
            rival: its name.
            measurement: its name.
            live: the score of the live training, of T tasks.

        Raises:
            AssertionError: if it lies outside.
        """
        of_training = self[measurement][rival].values.mean(axis=1)
        count = len(of_training)
        half = stats.t.ppf(0.995, count - 1) * of_training.std(ddof=1) * np.sqrt(1 + 1 / count) + live.half_width
        mean = float(of_training.mean())
        assert abs(live.mean - mean) <= half, (
            f"{rival} has {live} {measurement}, expected {mean:.4g} ± {half:.2g} as in the stored trainings"
        )


def how_tuned(rival: Mapping[str, Any]) -> str:
    """How one learner of `about["rivals"]` came to its setting, e.g. "inner_lr=0.01 of 0.003..0.1 (4 tried)"."""
    if not rival["grid"]:
        return f"not tuned: {rival['untuned']}"
    parts = [f"{name}={rival['setting'][name]} of {_span(values)}" for name, values in rival["grid"].items()]
    return f"{', '.join(parts)} ({len(rival['tried'])} tried)"


def results(name: str) -> Results:
    """The stored results of a study.

    Args:
        name: that of the study.

    Raises:
        FileNotFoundError: if nothing is stored under this name.
    """
    path = file_of(name)
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in STORED.glob("*.npz")))
        raise FileNotFoundError(f"name is {name!r}, expected a study that was run: {there}")
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        scores: dict[str, dict[str, Score]] = {}
        for key, (measure, tasks) in about["measures"].items():
            rival, measurement = key.split(BETWEEN)
            values = arrays[key].astype(np.float64)
            scores.setdefault(measurement, {})[rival] = Score(values, measure, tasks)
    return Results(about, scores)


def file_of(name: str) -> Path:
    """Where the results of a study are stored."""
    return STORED / f"{name}.npz"


def store(name: str, about: dict[str, Any], found: Mapping[str, Sequence[Mapping[str, Score]]]) -> Path:
    """Write the results of a study; the file is there whole or as it was before.

    Args:
        name: that of the study.
        about: see `Results`.
        found: for each rival the scores of its trainings, one dictionary by measurement for each training.
    """
    arrays, measures = {}, {}
    for rival, trainings in found.items():
        for measurement, first in trainings[0].items():
            values = np.stack([one[measurement].values for one in trainings]).astype(np.float32)
            assert len(trainings) == 1 or len(trainings) >= LEAST_TRAININGS
            key = f"{rival}{BETWEEN}{measurement}"
            arrays[key] = values if len(trainings) > 1 else values[0]
            measures[key] = [first.measure, first.tasks[:16]]
    path = file_of(name)
    part = path.with_suffix(f".{os.getpid()}.part")  # workers may come to the end together
    try:
        with open(part, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, about=json.dumps({**about, "measures": measures}), **arrays)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _span(values: list) -> str:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return f"{values[0]}..{values[-1]}" if numbers else " | ".join(map(str, values))
