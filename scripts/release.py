"""Writes everything that follows from `metalearn_course.exercises.chapters`.

    python scripts/release.py

For each chapter this is the notebook with solutions (exercises/source) and, made from it by nbgrader, the one to fill
in (exercises); and for all of them the table of mistakes (docs/mistakes.md).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Chapter, Exercise, Value
from metalearn_course.exercises.grading.with_nbgrader import graded

ROOT = Path(__file__).resolve().parent.parent
FOLDER, MISTAKES = ROOT / "exercises", ROOT / "docs" / "mistakes.md"
COLUMNS = 88  # of code in notebooks, as in exercises/ruff.toml
HELP = (
    "Fill in the cells and run the check below each: it says what is right, or what is wrong. "
    "`chapter.{0}.hint()` gives a hint, every call a further one, and `chapter.{0}.solution()` shows the solution "
    'and why. A choice is answered with its letter, as text: `"a"`.'
)
ABOUT_MISTAKES = (
    "# What the checks recognise\n\n"
    "The wrong answers that each exercise recognises, and the feedback on them. This table is for instructors and "
    "authors:\nit gives away which options are right. `make release` writes it, see [authors.md](authors.md).\n"
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        for chapter in all_chapters():
            write(course / "source" / chapter.name / f"{chapter.name}.ipynb", as_text(source_notebook(chapter)))
            release = generate(course, chapter.name)
            write(FOLDER / f"{chapter.name}.ipynb", release)
        shutil.copytree(course / "source", FOLDER / "source", dirs_exist_ok=True)
    write(MISTAKES, table_of_mistakes())


def source_notebook(chapter: Chapter) -> NotebookNode:
    """The notebook with solutions, in the form that nbgrader expects."""
    first = next(iter(chapter.exercises))
    cells = [
        new_markdown_cell(f"# {chapter.title}\n\n{chapter.introduction}\n\n{HELP.format(first)}", id="introduction"),
        new_code_cell(chapter.start, id="start", metadata=graded("start", locked=True)),
    ]
    for name, exercise in chapter.exercises.items():
        check = f"chapter.{name}.check({name})"
        cells.append(new_markdown_cell(chapter.prompts()[name], id=f"{name}-prompt"))
        if exercise.figure:
            figure = graded(f"{name}-figure", locked=True)
            cells.append(new_code_cell(f"chapter.{name}.figure()", id=f"{name}-figure", metadata=figure))
        cells += [
            new_code_cell(
                answer_cell(name, exercise), id=f"{name}-answer", metadata=graded(f"{name}-answer", solution=True)
            ),
            new_code_cell(check, id=f"{name}-check", metadata=graded(f"{name}-check", locked=True, points=1)),
        ]
    cells.append(new_markdown_cell("## How far you are", id="progress-heading"))
    cells.append(new_code_cell("chapter.progress()", id="progress"))
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return narrow(new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}))


def narrow(notebook: NotebookNode) -> NotebookNode:
    """The same, its code as narrow as in the chapters; the modules that it comes from have 120 columns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "notebook.ipynb")
        path.write_text(as_text(notebook), encoding="utf-8")
        # In a folder without the packages, so that imports are sorted as in the chapters, too.
        for command in (["check", "--select", "I", "--fix"], ["format", "--line-length", str(COLUMNS)]):
            run = [sys.executable, "-m", "ruff", *command, "--isolated", "--quiet", path.name]
            subprocess.run(run, cwd=folder, check=True)
        return nbformat.read(path, as_version=4)


def answer_cell(name: str, exercise: Exercise) -> str:
    """The cell to fill in, with the solution."""
    if isinstance(exercise, Value):
        return f"{name} = ...\n{region(f'{name} = {exercise.source()}')}"
    stub, body = exercise.parts()
    lines = [line for long in stub.splitlines() for line in wrapped(long)]
    return "\n".join([*lines, region(body)])


def wrapped(line: str) -> list[str]:
    """A docstring of one line on several where it is too long for a notebook; any other line as it is."""
    if not line.lstrip().startswith('"""'):
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def region(solution: str) -> str:
    indent = solution[: len(solution) - len(solution.lstrip())]
    return f"{indent}### BEGIN SOLUTION\n{solution}\n{indent}### END SOLUTION"


def generate(course: Path, assignment: str) -> str:
    """The notebook to fill in, which nbgrader makes from the one with solutions."""
    config = PyFileConfigLoader("nbgrader_config.py", str(FOLDER)).load_config()
    config.GenerateAssignment.no_database, config.SaveCells.enabled = True, False  # as the option --no-db
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.root = str(course)
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    made = course / "release" / assignment / f"{assignment}.ipynb"
    return as_text(nbformat.read(made, as_version=4))


def table_of_mistakes() -> str:
    """Every exercise with the wrong answers that it recognises, in Markdown."""
    rows = ["| exercise | wrong answer | feedback |", "| --- | --- | --- |"]
    for chapter in all_chapters():
        for number, exercise in enumerate(chapter.exercises.values(), 1):
            first = f"{chapter.name[:2].lstrip('0')}.{number} {exercise.title}"
            for mistake in exercise.mistakes:
                rows.append(
                    f"| {first} | {mistake.name.replace('_', ' ')} | {mistake.feedback.replace('|', chr(92) + '|')} |"
                )
                first = ""
    return "\n".join([ABOUT_MISTAKES, *rows, ""])


def as_text(notebook: NotebookNode) -> str:
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


if __name__ == "__main__":
    main()
