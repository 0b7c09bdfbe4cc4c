"""Measures one project: in a process of its own, within its time, on the queries of families that it has not seen."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from metalearn_course.capstone.families import Family
from metalearn_course.capstone.rivals import RIVALS, answers
from metalearn_course.exercises.engine.probes import COPIES, FOR_CLASSES, FOR_VALUES, shown_by, with_copies
from metalearn_course.exercises.grading.outside import run_outside, sent
from metalearn_lib.core.checks import at_least
from metalearn_lib.evaluation.score import Score, score_predictions

SECONDS = 120.0  # of a project: for `prepare`, and for the tasks of each family
TRAININGS = 3

HARNESS = """
def capstone_prepare(seed):
    if "prepare" in globals():
        prepare(int(seed))
    return 0.0

def capstone_answers(tasks):
    import numpy as np
    if "learner" in globals():
        return learner().predict(tasks, verbose=0)
    found = []
    for x, y, query_x in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"]):
        found.append(np.asarray(learn(x, y)(query_x), dtype=float))
    return np.stack(found)
"""


@dataclass
class Result:
    """What was measured of one project.

    Args:
        name: of the project.
        scores: by family; over trainings and tasks.
        problems: sentences, by family: why there is no score, or what `audit`'s probes saw.
        seconds: of wall-clock time, for all trainings.
    """

    name: str
    scores: dict[str, Score] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def judge(source: str, name: str, families: list[Family], user: str | None = None) -> Result:
    """Run a project and score it.

    Args:
        source: of the project, Python.
        name: of the project.
        families: see `draw_families`.
        user: the account that it runs as, if root judges.

    Returns:
        Its scores, or sentences.

    Raises:
        ValueError: if a family has too few tasks to be probed.
    """
    at_least(COPIES + 1, tasks=min((len(family.query_y) for family in families), default=0))
    result, begin = Result(name), time.monotonic()
    # These seeds say nothing of the families': who knows that one knows every answer.
    runs = [_run(source, families, number, user) for number in range(TRAININGS)]
    for family in families:
        probes = FOR_CLASSES if family.ways else FOR_VALUES
        scores = []
        for run in runs:
            predictions, problem = run[family.name]
            if problem:
                result.problems[family.name] = problem
                break
            try:
                scores.append(score_predictions(predictions[: len(family.query_y)], family.query_y))
            except (TypeError, ValueError, ArithmeticError) as error:
                result.problems[family.name] = f"{error}."
                break
            if probe := shown_by(predictions, probes):
                result.problems[family.name] = probe.feedback
        if len(scores) == TRAININGS:
            values = np.stack([score.values for score in scores])
            result.scores[family.name] = Score(values, scores[0].measure, family.name)
    result.seconds = time.monotonic() - begin
    return result


def rivals_of(families: list[Family]) -> dict[str, dict[str, Score]]:
    """The scores of the simple learners, by family."""
    found = {}
    for family in families:
        for name, learn in RIVALS.items():
            score = score_predictions(answers(learn, family.tasks), family.query_y)
            found.setdefault(family.name, {})[name] = Score(score.values, score.measure, family.name)
    return found


def read_project(path: Path) -> str:
    """The source of a project: a .py file, or the code cells of a notebook.

    Raises:
        ValueError: if it is neither.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    try:
        cells = json.loads(text)["cells"]
        return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"path is {path.name}, expected a notebook: {error}") from None


def _run(source: str, families: list[Family], seed: int, user: str | None) -> dict[str, tuple[np.ndarray, str]]:
    """The predictions of one training, or a sentence, by family."""
    steps: list[dict[str, Any]] = [
        {"number": 0, "kind": "cell", "source": source, "seconds": SECONDS},
        {"number": 1, "kind": "cell", "source": HARNESS},
        {"number": 2, "kind": "function", "name": "capstone_prepare", "cases": [[seed]], "seconds": SECONDS},
    ]
    for number, family in enumerate(families, 3):
        tasks = with_copies(family.tasks, FOR_CLASSES if family.ways else FOR_VALUES)
        cases = [[sent(tasks)]]
        steps.append(
            {"number": number, "kind": "function", "name": "capstone_answers", "cases": cases, "seconds": SECONDS}
        )
    found, _, why = run_outside(steps, "capstone", SECONDS * (len(families) + 2), user)
    return {family.name: _predictions(found.get(number), why) for number, family in enumerate(families, 3)}


def _predictions(outcomes: Any, why: str) -> tuple[np.ndarray, str]:
    try:
        if problem := outcomes[0]["problem"]:
            return np.zeros(0), str(problem)
        found = np.array(outcomes[0]["value"], dtype=float)
    except (TypeError, ValueError, KeyError, IndexError):
        return np.zeros(0), why
    problem = "" if found.ndim == 3 else f"The predictions have the shape {found.shape}, expected three axes."
    return found, problem
