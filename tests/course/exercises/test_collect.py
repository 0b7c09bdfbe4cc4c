"""Files as learning-management systems name them reach the learner's folder, and nothing is dropped silently."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="needs the extra `class`")

ROOT = Path(__file__).resolve().parents[3]
SOLVED = ROOT / "exercises" / "source" / "04_mathematics" / "04_mathematics.ipynb"
NAMES = {  # in the archive: the learner
    "annalee_12345_678901_04_mathematics.ipynb": "annalee-12345",
    "bobsmith_LATE_12346_678902_04_mathematics-1.ipynb": "bobsmith-12346",
    "carla_late_12347_04_mathematics (1).ipynb": "carla-12347",
    "dora_12348_678903_my homework FINAL.ipynb": "dora-12348",
    "Eva Müller_12349_assignsubmission_file/04_mathematics.ipynb": "Eva-Müller-12349",
    "Franz O'Neil_12350_assignsubmission_file_/04_mathematics (2).ipynb": "Franz-O-Neil-12350",
    "greta.ipynb": "greta",
    "李雷_12351_678904_04_mathematics.ipynb": "李雷-12351",
}


def test_every_name_finds_its_learner(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "exercises" / "source", tmp_path / "source")
    shutil.copytree(ROOT / "exercises" / "source", tmp_path / "release")
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", tmp_path)
    archive = tmp_path / "downloaded" / "04_mathematics" / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "submissions.zip", "w") as file:
        for name in NAMES:
            file.write(SOLVED, name)
        file.writestr("henry_12352_678905_notes.txt", "no notebook")
    shutil.copy(SOLVED, archive / "annalee_12345_678999_04_mathematics (1).ipynb")  # handed in again, and later
    command = [sys.executable, "-m", "nbgrader", "zip_collect", "04_mathematics"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    found = {path.parent.parent.name: path for path in (tmp_path / "submitted").rglob("04_mathematics.ipynb")}
    assert set(found) == set(NAMES.values()), run.stderr
    assert "henry_12352_678905_notes.txt does not end in .ipynb: it is not graded" in run.stderr
    assert "greta.ipynb has a name of no known form: it counts as that of 'greta'" in run.stderr
