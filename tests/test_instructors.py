"""The instructor's pages say what is there: aims as in the chapters, every exercise, thirty questions of ten points."""

import json
import re
from pathlib import Path

import pytest

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine import Training

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CHAPTERS = {chapter.name: chapter for chapter in all_chapters()}
AIMS = (DOCS / "aims.md").read_text(encoding="utf-8")


def in_aims(notebook: str) -> list[tuple[str, str]]:
    section = AIMS.split(f"(../notebooks/{notebook}.ipynb)")[1].split("\n## ")[0]
    return re.findall(r"^\| (?!aim|---)(.+) \| (.+) \|$", section, re.M)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_aims_are_those_of_the_chapter(path: Path) -> None:
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    stated = re.split(r"\n- ", first.split(" you can**")[1].split("**You need")[0])[1:]
    assert [aim for aim, _ in in_aims(path.stem)] == [re.sub(r"\s+", " ", aim).strip(" ;.\n") for aim in stated]


@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=CHAPTERS)
def test_every_exercise_tests_an_aim(chapter) -> None:
    pages = [path.stem for path in (ROOT / "notebooks").glob("*.ipynb") if path.stem[:2] == chapter.name[:2]]
    named = {name for page in pages for _, cell in in_aims(page) for name in re.findall(r"`(\w+)`", cell)}
    bold = {name for page in pages for _, cell in in_aims(page) for name in re.findall(r"\*\*`(\w+)`\*\*", cell)}
    assert named == set(chapter.exercises)
    assert bold == {name for name, exercise in chapter.exercises.items() if isinstance(exercise, Training)}


def test_the_exam_has_thirty_questions_of_ten_points() -> None:
    questions = re.split(r"^\*\*(\d+)\*\* ", (DOCS / "exam.md").read_text(encoding="utf-8"), flags=re.M)[1:]
    numbers, texts = questions[::2], questions[1::2]
    assert [int(number) for number in numbers] == list(range(1, 31))
    for number, text in zip(numbers, texts, strict=True):
        rubric = text.split("—", 1)[1]
        assert _points(rubric) == 10, f"question {number}"


def _points(rubric: str) -> int:
    """Of *3:*, of *3 each:* before that many parts, and of *2 each, up to 10:*."""
    if most := re.search(r"\*\d+ each, up to (\d+):\*", rubric):
        return int(most[1])
    if pair := re.fullmatch(r"\s*\*(\d+) \+ (\d+) each:\*.*", rubric.split("\n\n")[0], re.S):
        return 2 * (int(pair[1]) + int(pair[2]))
    total = sum(int(points) for points in re.findall(r"\*(\d+):\*", rubric))
    if several := re.search(r"\*(\d+) each:\*(.+?)(?=\*\d+:\*|$)", rubric, re.S):
        total += int(several[1]) * len([part for part in several[2].split("; ") if part.strip()])
    return total


@pytest.mark.parametrize("page", ["syllabus.md", "aims.md", "exam.md"])
def test_names_and_links_are_right(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (DOCS / link).exists(), link
    known = {name for chapter in CHAPTERS.values() for name in chapter.exercises}
    if page == "syllabus.md":
        assert set(re.findall(r"`([a-z]+_[a-z_]+)`", text)) <= known
