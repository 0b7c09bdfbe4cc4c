"""A class of four from end to end: generate, autograde, feedback, export."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metalearn_lib.exercises.mathematics import chapter

pytest.importorskip("nbgrader", reason="needs the group `class`")

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"
NAME = chapter.name
POINTS = len(chapter.exercises)


def submission(folder: Path, student: str, source: Path, change=lambda cells: cells) -> None:
    notebook = json.loads(source.read_text(encoding="utf-8"))
    notebook["cells"] = change(notebook["cells"])
    target = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")


def without_checks(cells: list[dict]) -> list[dict]:
    return [cell for cell in cells if not cell["id"].endswith("-check")]


def with_cheating_checks(cells: list[dict]) -> list[dict]:
    """Every check says "Right." and is no more; q2's answer is wrong, and all the rest as it was given: empty."""
    for cell in cells:
        if cell["id"].endswith("-check"):
            cell["source"] = ["print('Right.')"]
        if cell["id"] == "q2-answer":
            cell["source"] = [
                "import numpy as np\n",
                "np.allclose = lambda *a, **o: True\n",
                "update = lambda *a: a[0]",
            ]
    return cells


def test_a_class(tmp_path: Path) -> None:
    shutil.copy(EXERCISES / "nbgrader_config.py", tmp_path)
    solved = EXERCISES / "source" / NAME / f"{NAME}.ipynb"
    shutil.copytree(solved.parent, tmp_path / "source" / NAME)

    # nbgrader looks for its database tool on the path.
    activated = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}

    def nbgrader(*arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        run = subprocess.run(command, cwd=tmp_path, env=activated, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr

    nbgrader("generate_assignment", NAME)
    to_fill_in = tmp_path / "release" / NAME / f"{NAME}.ipynb"
    submission(tmp_path, "all", solved)
    submission(tmp_path, "nothing", to_fill_in)
    submission(tmp_path, "deleted", solved, without_checks)
    submission(tmp_path, "edited", to_fill_in, with_cheating_checks)
    nbgrader("autograde", NAME)
    nbgrader("generate_feedback", NAME)
    nbgrader("export", "--to=grades.csv")
    with (tmp_path / "grades.csv").open() as table:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(table)}
    assert scores == {
        "all": (POINTS, POINTS),
        "nothing": (0, POINTS),
        "deleted": (POINTS, POINTS),
        "edited": (0, POINTS),
    }
    feedback = (tmp_path / "feedback" / "edited" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "expected:" in feedback and "Not filled in yet." in feedback
