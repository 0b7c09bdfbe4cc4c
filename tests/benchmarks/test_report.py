"""Results land between their own markers, and nowhere else."""

import json
from pathlib import Path

import pytest

from benchmarks import published, report, speed
from benchmarks.published.tables import section as published_section
from benchmarks.speed.tables import drawing_table, table

PAGE = "before\n<!-- a: begin -->\nold\n<!-- a: end -->\nbetween\n<!-- b: begin --><!-- b: end -->\nafter\n"


@pytest.fixture
def readme(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text(PAGE)
    monkeypatch.setattr(report, "README", path)
    return path


def test_only_the_section_is_replaced(readme):
    readme.chmod(0o600)
    report.write("a", "ünew")
    report.write("b", "first")
    report.write("a", "newer")
    assert readme.read_text(encoding="utf-8") == (
        "before\n<!-- a: begin -->\n\nnewer\n\n<!-- a: end -->\n"
        "between\n<!-- b: begin -->\n\nfirst\n\n<!-- b: end -->\nafter\n"
    )
    assert readme.stat().st_mode & 0o777 == 0o600
    assert list(readme.parent.iterdir()) == [readme]


@pytest.mark.parametrize(
    "page",
    ["", "<!-- c: begin -->", "<!-- c: end --><!-- c: begin -->", "<!-- c: begin --><!-- c: begin --><!-- c: end -->"],
)
def test_a_page_without_the_markers_is_left_alone(readme, page):
    readme.write_text(page)
    with pytest.raises(ValueError, match=r"README.md has no <!-- c: begin --> followed by <!-- c: end -->"):
        report.write("c", "lost")
    assert readme.read_text() == page


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "rows.json"
    report.replace(path, "one")
    with pytest.raises(UnicodeEncodeError):
        report.replace(path, "\ud800")  # half a character, which no file can hold
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_one_row_is_replaced_and_the_others_stay(tmp_path):
    path = tmp_path / "results.json"
    assert report.read_rows(path) == {}
    report.keep_row(path, "a", {"steps": 1})
    report.keep_row(path, "b", {"mean": "2 ± 1"})
    report.keep_row(path, "a", {"steps": 3})
    assert report.read_rows(path) == {"a": {"steps": 3}, "b": {"mean": "2 ± 1"}}
    assert json.loads(path.read_text(encoding="utf-8")) == report.read_rows(path)


def test_the_readme_shows_the_rows_that_are_kept():
    page = report.README.read_text(encoding="utf-8")
    assert published_section(report.read_rows(Path(published.__file__).with_name("results.json"))) in page
    rows = report.read_rows(Path(speed.__file__).with_name("results.json"))
    assert table(rows) in page
    assert drawing_table(rows) in page


def test_every_section_of_the_readme_has_its_markers():
    page = report.README.read_text(encoding="utf-8")
    for section in ("one_shot", "published", "speed"):
        assert page.index(f"<!-- {section}: begin -->") < page.index(f"<!-- {section}: end -->")
