"""The verdicts on a class's submissions, one file for each in `verdicts/ASSIGNMENT` of the course's folder.

A file is written whole or not at all, and holds what it was made from: the submission, the exercises, the hidden cases.
So grading that was ended goes on where it was, several processes and machines share one folder, and a submission that
was handed in again is graded again.
"""

import contextlib
import hashlib
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.verdict import Verdict
from metalearn_course.exercises.grading.grade import grade
from metalearn_course.exercises.grading.isolation import strongest

MOST_CELLS, MOST_LETTERS = 1_000, 1_000_000  # of a notebook; the solved ones have 40 cells and 30,000 letters
_EXERCISES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Graded:
    """What is stored about a submission.

    Args:
        made_from: a digest of the submitted cells, the exercises and the seed of the hidden cases.
        level: how far the submission was kept from everything else, see `isolation`.
        verdicts: by name of the exercise.
    """

    made_from: str
    level: str
    verdicts: dict[str, Verdict]


def graded_submission(
    course: Path, student: str, chapter: Chapter, cells: list[str], user: str | None = None
) -> Graded:
    """The verdicts on a submission: the stored ones, if they were made from the same; else it is graded now.

    Args:
        course: nbgrader's folder.
        student: nbgrader's name.
        chapter: that of the assignment.
        cells: the learner's own, see `own_cells`.
        user: the account that they run as, chosen by root.

    Returns:
        What is stored now.
    """
    seed = _seed(course / "verdicts" / chapter.name)
    made_from = _digest([_source_of_exercises(), str(seed), *cells])
    stored = read_graded(file := course / "verdicts" / chapter.name / f"{student}.json")
    if stored and stored.made_from == made_from:
        return stored
    if problem := _too_large(cells):
        verdicts = dict.fromkeys(chapter.exercises, Verdict("wrong", problem))
    else:
        verdicts = grade(cells, chapter, seed, user)
    graded = Graded(made_from, strongest(user), verdicts)
    _write(file, asdict(graded))
    return graded


def own_cells(cells: list[dict[str, Any]], chapter: Chapter) -> list[str]:
    """The sources of the code cells of a notebook that are the learner's own, in order.

    Checks and figures are left out, by nbgrader's name of the cell or, where an editor dropped that, by the cell's own.
    The start cell stays, since somebody may have added to it; `grade` runs the one that was handed out before it.

    Args:
        cells: of a notebook; "source" may be a list of lines.
        chapter: that of the notebook.
    """
    given = {f"{name}-{part}" for name in chapter.exercises for part in ("check", "figure")}
    own = [cell for cell in cells if cell.get("cell_type") == "code" and grade_id(cell) not in given]
    return ["".join(cell.get("source", "")) for cell in own]


def grade_id(cell: dict[str, Any]) -> str:
    """nbgrader's name of a cell, also if a submission has damaged or lost its metadata.

    Args:
        cell: of a notebook.
    """
    metadata = cell.get("metadata")
    of_nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return str(of_nbgrader.get("grade_id")) if isinstance(of_nbgrader, dict) else str(cell.get("id", ""))


def read_graded(file: Path) -> Graded | None:
    """What a file holds; None if there is none, or it is damaged.

    Args:
        file: `verdicts/ASSIGNMENT/STUDENT.json`.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        verdicts = {name: Verdict(**verdict) for name, verdict in content["verdicts"].items()}
        return Graded(content["made_from"], content["level"], verdicts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _too_large(cells: list[str]) -> str:
    letters = sum(map(len, cells))
    if len(cells) <= MOST_CELLS and letters <= MOST_LETTERS:
        return ""
    return f"The notebook has {len(cells)} cells with {letters} letters; at most {MOST_CELLS} and {MOST_LETTERS} count."


def _seed(folder: Path) -> int:
    """That of the hidden cases: the same for a whole class, and secret."""
    file = folder / "hidden-cases.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".new") as own:
            own.write(json.dumps({"seed": secrets.randbits(62)}))
            own.flush()
            with contextlib.suppress(FileExistsError):  # another process was first
                os.link(own.name, file)
    return int(json.loads(file.read_text())["seed"])


def _write(file: Path, content: dict[str, Any]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".new", delete=False, encoding="utf-8") as own:
        json.dump(content, own, ensure_ascii=True)
    os.replace(own.name, file)


@cache
def _source_of_exercises() -> str:
    files = [file for part in ("engine", "chapters") for file in sorted((_EXERCISES / part).rglob("*.py"))]
    return _digest([file.read_text(encoding="utf-8") for file in files])


def _digest(texts: list[str]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
