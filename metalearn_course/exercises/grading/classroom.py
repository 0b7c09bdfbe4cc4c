"""Grades a class, on all cores, and reports on it.

    cd exercises
    python -m metalearn_course.exercises.grading 04_mathematics

What was graded before is not graded again, so that a run that was ended goes on. Several machines that see the folder
share the work: `--part 1/3`, `--part 2/3` and `--part 3/3`. Then `nbgrader autograde` puts the verdicts into the
gradebook.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.grading.isolation import NAMESPACES, strongest
from metalearn_course.exercises.grading.report import report
from metalearn_course.exercises.grading.verdicts import Graded, graded_submission, own_cells

MOST_BYTES = 10_000_000  # of a notebook


def main(arguments: list[str] | None = None) -> int:
    """Grade, write `verdicts/ASSIGNMENT/report.md` and print it.

    Args:
        arguments: of the command line.

    Returns:
        The exit status: 1 if a submission could not be graded.
    """
    parser = argparse.ArgumentParser(prog="python -m metalearn_course.exercises.grading", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("assignment", help="04_mathematics, for example", choices=[c.name for c in all_chapters()])
    parser.add_argument("--jobs", type=int, help="how many submissions at once; by default one for each core")
    parser.add_argument("--part", type=_part, default=(1, 1), help="K/N: every Nth submission, from the Kth on")
    parser.add_argument("--user", help="the account that submissions run as, if root grades")
    given = parser.parse_args(arguments)
    isolated = strongest(given.user) == NAMESPACES
    jobs = given.jobs or (_cores() if isolated else 1)
    if jobs < 1:
        parser.error(f"--jobs is {jobs}, expected at least 1")
    if jobs > 1 and not isolated:
        parser.error(f"--jobs is {jobs}, expected 1: without namespaces submissions could disturb one another")
    chapter = next(chapter for chapter in all_chapters() if chapter.name == given.assignment)
    course = Path.cwd()
    files = sorted(course.glob(f"submitted/*/{chapter.name}/{chapter.name}.ipynb"))
    if not files:
        parser.error(f"{course}/submitted has no NAME/{chapter.name}/{chapter.name}.ipynb")
    number, parts = given.part
    results = dict(_all_graded(files[number - 1 :: parts], chapter.name, given.user, jobs))
    page = report(chapter, results)
    name = "report.md" if parts == 1 else f"report-{number}-of-{parts}.md"
    (course / "verdicts" / chapter.name / name).write_text(page, encoding="utf-8")
    print(page, end="")
    return int(any(isinstance(result, str) for result in results.values()))


def _all_graded(files: list[Path], assignment: str, user: str | None, jobs: int) -> Iterator[tuple[str, Graded | str]]:
    """The results in the order in which they come, with a bar that shows how many there are."""
    # Not forked: TensorFlow, if it is loaded, has threads.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _end_with_parent, (os.getpid(),)) as pool:
        waiting = {pool.submit(_graded, file, assignment, user): file for file in files}
        finished: Iterable = as_completed(waiting)
        for future in tqdm(finished, total=len(files), unit="submissions", file=sys.stderr):
            student = waiting[future].parents[1].name
            try:
                yield student, future.result()
            except BrokenProcessPool:
                raise SystemExit("A grading process was ended. Start the same command again: it goes on.") from None
            except Exception as error:
                yield student, f"{type(error).__name__}: {error}"


def _end_with_parent(parent: int) -> None:
    """A pool's process would wait for ever for a parent that was ended by force."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _graded(file: Path, assignment: str, user: str | None) -> Graded | str:
    chapter = next(chapter for chapter in all_chapters() if chapter.name == assignment)
    cells = _cells(file)
    if isinstance(cells, str):
        return cells
    return graded_submission(file.parents[3], file.parents[1].name, chapter, own_cells(cells, chapter), user)


def _cells(file: Path) -> list[dict] | str:
    """The cells of a notebook, or why there are none."""
    if (size := file.stat().st_size) > MOST_BYTES:
        return f"The file has {size} bytes, expected at most {MOST_BYTES}."
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        if isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells):
            return cells
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return "The file is no notebook."


def _part(text: str) -> tuple[int, int]:
    number, slash, parts = text.partition("/")
    if slash and number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts):
        return int(number), int(parts)
    raise argparse.ArgumentTypeError(f"is {text!r}, expected K/N with K from 1 to N, for example 1/3")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
