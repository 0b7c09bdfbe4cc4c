"""The notebooks in exercises/ are those that follow from the exercises, and run unfilled."""

import json
import re
from pathlib import Path

import pytest

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Chapter, Training, training
from scripts import release

FOLDER = Path(__file__).resolve().parents[3] / "exercises"
EACH = pytest.mark.parametrize("chapter", all_chapters(), ids=lambda chapter: chapter.name)
MAKE = "differs from what the exercises give: run `make release`"


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(path)]


def source_of(chapter: Chapter) -> Path:
    return FOLDER / "source" / chapter.name / f"{chapter.name}.ipynb"


@EACH
def test_the_notebook_with_solutions_is_up_to_date(chapter: Chapter) -> None:
    made = release.as_text(release.source_notebook(chapter))
    assert made == source_of(chapter).read_text(encoding="utf-8"), MAKE


@EACH
def test_its_code_is_as_narrow_as_that_of_the_chapters(chapter: Chapter) -> None:
    code = ["".join(cell["source"]) for cell in cells(source_of(chapter)) if cell["cell_type"] == "code"]
    assert not [line for source in code for line in source.splitlines() if len(line) > release.COLUMNS]


@EACH
def test_the_notebook_to_fill_in_is_the_one_with_solutions_without_them(chapter: Chapter) -> None:
    """nbgrader's rule in one line: what it makes is what we think it makes."""
    solution = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION$", re.S | re.M)
    emptied = [solution.sub(r"\1# your answer here", source) for source in sources(source_of(chapter))]
    assert emptied == sources(FOLDER / f"{chapter.name}.ipynb"), MAKE
    assert not any(cell.get("outputs") for cell in cells(FOLDER / f"{chapter.name}.ipynb"))


@EACH
def test_nbgrader_makes_the_notebook_to_fill_in(chapter: Chapter, tmp_path: Path) -> None:
    made = tmp_path / "source" / chapter.name / f"{chapter.name}.ipynb"
    release.write(made, source_of(chapter).read_text(encoding="utf-8"))
    assert release.generate(tmp_path, chapter.name) == (FOLDER / f"{chapter.name}.ipynb").read_text(encoding="utf-8"), (
        MAKE
    )


def test_the_table_of_mistakes_is_up_to_date() -> None:
    assert release.table_of_mistakes() == release.MISTAKES.read_text(encoding="utf-8"), MAKE


def test_the_readme_lists_every_notebook_and_gives_no_answer_away() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({chapter.name}.ipynb)" in readme for chapter in all_chapters())
    exercises = [exercise for chapter in all_chapters() for exercise in chapter.exercises.values()]
    told = [text for e in exercises for text in (e.title, e.why, *(mistake.feedback for mistake in e.mistakes))]
    assert not [text for text in told if text in readme]


def run(path: Path) -> dict[str, list[str]]:
    """Every code cell in order; what its last line shows, by the id of the cell."""
    names, shown = {}, {}
    for cell in cells(path):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            exec(source, names)
            if source.endswith(")"):
                shown[cell["id"]] = repr(eval(source.splitlines()[-1], names))
    return shown


@EACH
def test_unfilled_it_runs_and_says_so(chapter: Chapter) -> None:
    shown = run(FOLDER / f"{chapter.name}.ipynb")
    number = len(chapter.exercises)
    assert [shown[f"{name}-check"] for name in chapter.exercises] == ["… Not filled in yet."] * number
    assert shown["progress"].startswith(f"· 0 of {number} exercises passed")


@EACH
def test_with_its_solutions_everything_passes(chapter: Chapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """In `inspect.getsource` cells have no file: the checks must do without. What trains does so once."""
    monkeypatch.setattr(training, "TRAININGS", 1)
    for exercise in chapter.exercises.values():
        if isinstance(exercise, Training):
            monkeypatch.setattr(exercise, "seconds", 1200.0)  # a busy machine must not decide
    number = len(chapter.exercises)
    assert run(source_of(chapter))["progress"].startswith(f"✔ {number} of {number} exercises passed")
