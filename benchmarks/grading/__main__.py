"""How long nbgrader takes for a class.

    python -m benchmarks.grading FOLDER [STUDENTS]

Makes a course for exercises/04_mathematics in FOLDER, with one zip file whose names are those of a learning-management
system, and runs the commands of docs/teaching.md. Of the answers 70 % are right, 20 % are mistakes that the exercises
know, and 10 % are blank; every twentieth student hands in one of the hostile notebooks of the tests. Grading is killed
(`kill -9`) when a quarter is done, and started again.
"""

import inspect
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from metalearn_course.exercises.chapters.mathematics import chapter
from metalearn_course.exercises.engine import Exercise, Value

ROOT = Path(__file__).resolve().parents[2]
EXERCISES, HOSTILE = ROOT / "exercises", ROOT / "tests" / "course" / "exercises" / "submissions"
NAME = chapter.name


def main(folder: Path, students: int) -> None:
    solved = EXERCISES / "source" / NAME / f"{NAME}.ipynb"
    shutil.copytree(solved.parent, folder / "source" / NAME)
    shutil.copy(EXERCISES / "nbgrader_config.py", folder)
    blank = (EXERCISES / f"{NAME}.ipynb").read_text(encoding="utf-8")
    hostile = cycle(path.read_text(encoding="utf-8") for path in sorted(HOSTILE.glob("*.ipynb")))
    rng = random.Random(0)
    archive = folder / "downloaded" / NAME / "archive" / "submissions.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for number in range(students):
            late = "_LATE" * (number % 7 == 0)
            again = f" ({number % 3})" * (number % 3 > 0)
            name = f"student{number:04}{late}_{10_000 + number}_{70_000 + number}_{NAME}{again}.ipynb"
            files.writestr(name, next(hostile) if number % 20 == 19 else filled_in(blank, rng))
    nbgrader = [sys.executable, "-m", "nbgrader"]
    timed(folder, [*nbgrader, "generate_assignment", NAME])
    timed(folder, [*nbgrader, "zip_collect", NAME])
    grading = [sys.executable, "-m", "metalearn_course.exercises.grading", NAME]
    done = killed(folder, grading, students // 4)
    timed(folder, grading)
    kept = sum(file.stat().st_mtime_ns == time for file, time in done.items())
    print(f"killed when {len(done)} were done, of which {kept} were not graded again")
    timed(folder, [*nbgrader, "autograde", NAME])
    timed(folder, [*nbgrader, "generate_feedback", NAME])
    timed(folder, [*nbgrader, "export"])
    print(f"{len(verdicts(folder))} verdicts, {len((folder / 'grades.csv').read_text().splitlines()) - 1} grades")


def verdicts(folder: Path) -> list[Path]:
    return [file for file in (folder / "verdicts" / NAME).glob("*.json") if file.name != "hidden-cases.json"]


def killed(folder: Path, command: list[str], enough: int) -> dict[Path, int]:
    """When each of the files was written that were there at the end."""
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        while len(verdicts(folder)) < enough:
            time.sleep(0.2)
        process.kill()
        process.wait()
    time.sleep(2)
    return {file: file.stat().st_mtime_ns for file in verdicts(folder)}


def filled_in(notebook: str, rng: random.Random) -> str:
    content = json.loads(notebook)
    for cell in content["cells"]:
        name, _, kind = cell["id"].partition("-")
        if kind == "answer" and (chance := rng.random()) > 0.1:
            cell["source"] = answer(name, chapter.exercises[name], rng if chance < 0.3 else None)
    return json.dumps(content)


def answer(name: str, exercise: Exercise, rng: random.Random | None) -> str:
    """The right one, or one of the mistakes that can stand in a notebook."""
    if isinstance(exercise, Value):
        return f"{name} = {rng.choice(exercise.mistakes).answer if rng else exercise.answer()!r}"
    complete = [mistake.answer for mistake in exercise.mistakes if stands_alone(mistake.answer)]
    source = textwrap.dedent(inspect.getsource(rng.choice(complete or [exercise.answer]) if rng else exercise.answer))
    return re.sub(r"^def \w+", f"def {name}", source[source.index("def ") :])


def stands_alone(function: Callable) -> bool:
    """Whether it uses nothing of its module but the imports that a notebook has, too."""
    source = inspect.getsource(function)
    names = set(re.findall(r"\w+", source[source.index("def ") :])) & set(function.__globals__)
    return names <= {"np", "ml", function.__name__}


def timed(folder: Path, command: list[str]) -> None:
    """Run a command, and print its seconds, and those of processor time of all that it starts."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (folder / "log").open("a") as log:
        subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, stdout=log, stderr=log, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - start
    print(f"{' '.join(command[2:])}: {wall:.0f} s, {processor:.0f} s of processor time", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
