"""A class is graded by several processes, which may be ended at any moment, and what is graded stays."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metalearn_course.exercises.chapters.mathematics import chapter
from metalearn_course.exercises.grading.classroom import main
from metalearn_course.exercises.grading.isolation import NAMESPACES, strongest
from metalearn_course.exercises.grading.verdicts import Graded, _seed, graded_submission, own_cells, read_graded
from scripts.release import answer_cell

pytestmark = pytest.mark.slow
NAME = chapter.name
EXERCISES = Path(__file__).resolve().parents[3] / "exercises"
BLANK = json.loads((EXERCISES / f"{NAME}.ipynb").read_text(encoding="utf-8"))
SOLVED = answer_cell("one_update", chapter.one_update)
SWAPPED = "one_update = [1.4, 1.6]"
SLOW = f"import time\ntime.sleep(1)\n{SOLVED}"


def hand_in(course: Path, student: str, answer: str = SOLVED) -> Path:
    cells = [dict(cell) for cell in BLANK["cells"]]
    next(cell for cell in cells if cell["id"] == "one_update-answer")["source"] = answer
    file = course / "submitted" / student / NAME / f"{NAME}.ipynb"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**BLANK, "cells": cells}), encoding="utf-8")
    return file


def stored(course: Path, student: str) -> Graded:
    graded = read_graded(course / "verdicts" / NAME / f"{student}.json")
    assert graded
    return graded


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grading(course: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "metalearn_course.exercises.grading", NAME]
    command += ["--jobs", "2"] if strongest() == NAMESPACES else []
    environment = {**os.environ, "PYTHONPATH": str(EXERCISES.parent)}
    return subprocess.Popen(command, cwd=course, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_grading_that_is_killed_goes_on(course: Path) -> None:
    students = [f"student{number}" for number in range(8)]
    for student in students:
        hand_in(course, student, SLOW)
    files = [course / "verdicts" / NAME / f"{student}.json" for student in students]

    first = grading(course)
    over = time.monotonic() + 60
    while sum(file.exists() for file in files) < 2 and time.monotonic() < over:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(1.5)
    done = {file: file.stat().st_mtime_ns for file in files if file.exists()}
    assert 2 <= len(done) < len(files)
    assert _of_submissions(course) == [], "a process of the killed grading goes on"

    second = grading(course)
    page = second.communicate(timeout=120)[0].decode()
    assert second.returncode == 0
    assert {file: file.stat().st_mtime_ns for file in done} == done, "what was graded is not graded again"
    assert [stored(course, student).verdicts["one_update"].kind for student in students] == ["pass"] * len(files)
    assert "| one_update | 8 | 0 | 0 | 0 |" in page and "| 1 | 8 |" in page


def _of_submissions(course: Path) -> list[str]:
    """The command lines of grading processes whose folder is the course."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "cwd") == str(course):
                found.append((folder / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return [line for line in found if "spawn" in line or "unshare" in line or "worker.py" in line]


def test_the_report_says_what_to_teach_again(course: Path, capsys: pytest.CaptureFixture) -> None:
    for student, answer in {"ann": SOLVED, "bob": SWAPPED, "cat": SWAPPED, "dan": "one_update = [7.0, 8.0]"}.items():
        hand_in(course, student, answer)
    hand_in(course, "eve").write_text("{", encoding="utf-8")
    huge = hand_in(course, "fay")
    huge.write_text(huge.read_text(encoding="utf-8") + " " * 10_000_000, encoding="utf-8")
    assert main([NAME]) == 1
    page = capsys.readouterr().out
    assert page == (course / "verdicts" / NAME / "report.md").read_text(encoding="utf-8")
    assert "| one_update | 1 | 0 | 2 | 1 |" in page
    assert "- 2 of 4, one_update, `swapped`: The two numbers are exchanged" in page
    assert '- "eve": The file is no notebook.' in page and '- "fay": The file has 100' in page
    assert f"4 as {strongest()}" in page


def test_only_what_changed_is_graded_again(course: Path, capsys: pytest.CaptureFixture) -> None:
    for student in ("ann", "bob", "cat"):
        hand_in(course, student)
    assert main([NAME]) == 0
    before = {student: stored(course, student) for student in ("ann", "bob", "cat")}
    times = {student: _time(course, student) for student in before}
    hand_in(course, "ann", SWAPPED)
    (course / "verdicts" / NAME / "bob.json").write_text('{"made_from": 3', encoding="utf-8")
    assert main([NAME]) == 0
    assert stored(course, "ann").verdicts["one_update"].mistake == "swapped"
    assert stored(course, "bob") == before["bob"]
    assert _time(course, "cat") == times["cat"]


def _time(course: Path, student: str) -> int:
    return (course / "verdicts" / NAME / f"{student}.json").stat().st_mtime_ns


def test_machines_share_the_work(course: Path, capsys: pytest.CaptureFixture) -> None:
    for student in ("ann", "bob", "cat"):
        hand_in(course, student)
    assert main([NAME, "--part", "2/2"]) == 0
    assert sorted(path.stem for path in (course / "verdicts" / NAME).glob("[abc]*.json")) == ["bob"]
    assert main([NAME, "--part", "1/2"]) == 0
    assert sorted(path.stem for path in (course / "verdicts" / NAME).glob("[abc]*.json")) == ["ann", "bob", "cat"]
    assert "# 04_mathematics: 3 submissions" not in capsys.readouterr().out
    assert main([NAME]) == 0
    assert "# 04_mathematics: 3 submissions" in capsys.readouterr().out


def test_a_class_has_one_secret_seed(course: Path) -> None:
    folder = course / "verdicts" / NAME
    assert _seed(folder) == _seed(folder) != _seed(course / "verdicts" / "05_code")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([NAME], "has no NAME/04_mathematics/04_mathematics.ipynb"),
        ([NAME, "--part", "3/2"], "is '3/2', expected K/N with K from 1 to N"),
        ([NAME, "--part", "half"], "is 'half', expected K/N"),
        ([NAME, "--jobs", "-1"], "--jobs is -1, expected at least 1"),
        (["4"], "invalid choice: '4'"),
    ],
)
def test_a_wrong_command_is_one_sentence(
    arguments: list[str], sentence: str, course: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert sentence in capsys.readouterr().err


def test_without_namespaces_one_at_a_time(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("metalearn_course.exercises.grading.classroom.strongest", lambda user: "process")
    with pytest.raises(SystemExit):
        main([NAME, "--jobs", "2"])
    assert "--jobs is 2, expected 1: without namespaces submissions could disturb" in capsys.readouterr().err


def test_a_notebook_that_is_too_large_is_told_so(course: Path) -> None:
    verdicts = graded_submission(course, "ann", chapter, ["\n" * 2_000_000]).verdicts
    assert {verdict.text for verdict in verdicts.values()} == {
        "The notebook has 1 cells with 2000000 letters; at most 1000 and 1000000 count."
    }


def test_the_start_cell_may_be_missing_or_have_grown(course: Path) -> None:
    cells = [cell for cell in BLANK["cells"] if cell["id"] != "start"]
    without = own_cells(cells, chapter)
    with_more = own_cells([{**cells[0], "cell_type": "code", "id": "start", "source": "import math as m"}], chapter)
    answers = ["one_update = list(np.array([1.6, 1.4]))"]
    assert graded_submission(course, "ann", chapter, [*without, *answers]).verdicts["one_update"].kind == "pass"
    answers = ["one_update = [1.6 * m.cos(0), 1.4]"]
    assert graded_submission(course, "bob", chapter, [*with_more, *answers]).verdicts["one_update"].kind == "pass"


def test_cells_are_known_without_nbgraders_metadata() -> None:
    stripped = [{**cell, "metadata": {}} for cell in BLANK["cells"]]
    assert own_cells(stripped, chapter) == own_cells(BLANK["cells"], chapter)
    assert not any(".check(" in source for source in own_cells(stripped, chapter))
