"""How long nbgrader takes for a class.

    python -m benchmarks.grading FOLDER [STUDENTS]

Makes a course for exercises/04_mathematics in FOLDER, hands in for every student, and runs nbgrader's commands. Of the
answers 70 % are right, 20 % are mistakes that the exercises know, and 10 % are blank; every twentieth student hands in
one of the hostile notebooks of the tests.
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
    for number in range(students):
        target = folder / "submitted" / f"student{number:03}" / NAME / f"{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(next(hostile) if number % 20 == 19 else filled_in(blank, rng), encoding="utf-8")
    for command in (f"generate_assignment {NAME}", f"autograde {NAME}", f"generate_feedback {NAME}", "export"):
        wall, processor = run(folder, command)
        print(f"nbgrader {command}: {wall:.0f} s, {processor:.0f} s of processor time")


def filled_in(notebook: str, rng: random.Random) -> str:
    content = json.loads(notebook)
    for cell in content["cells"]:
        name, _, kind = cell["id"].partition("-")
        if kind == "answer" and (chance := rng.random()) > 0.1:
            cell["source"] = answer(name, chapter.exercises[name], rng if chance < 0.3 else None)
    return json.dumps(content)


def answer(name: str, exercise: Exercise, rng: random.Random | None) -> str:
    """The right one, or one of the mistakes."""
    given = rng.choice(exercise.mistakes).answer if rng else exercise.answer
    if isinstance(exercise, Value):
        return f"{exercise.target(name)} = {(given if rng else exercise.answer())!r}"
    source = textwrap.dedent(inspect.getsource(given))
    return re.sub(r"^def \w+", f"def {exercise.target(name)}", source[source.index("def ") :])


def run(folder: Path, command: str) -> tuple[float, float]:
    """Seconds, and seconds of processor time, of a command and all that it starts."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (folder / "log").open("a") as log:
        subprocess.run(
            [sys.executable, "-m", "nbgrader", *command.split()],
            cwd=folder, env={**os.environ, "PATH": path}, stderr=log, check=True,
        )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
