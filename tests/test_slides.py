"""A deck has a column of slides for every section, its figures, and no program and no exercise."""

import re
from pathlib import Path

import nbformat
import pytest

from scripts.slides import as_slides, main

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_section_and_figure_is_on_a_slide(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = as_slides(notebook).cells
    kinds = [(cell.metadata.slideshow.slide_type, cell) for cell in cells]
    texts = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown").split("\n## Exercises")[0]
    headings = re.findall(r"^##? .*", texts, re.M)
    slides = [c.source.splitlines()[0] for kind, c in kinds if kind == "slide"]
    assert slides == headings and len(headings) > 5
    figures = [c for c in notebook.cells if c.cell_type == "code" and "image/png" in str(c.outputs)]
    shown = [c for kind, c in kinds if kind == "subslide" and "image/png" in str(c.get("outputs"))]
    assert len(shown) >= 0.9 * len(figures), "apart from those below the exercises"
    assert kinds[0][0] == "slide"


def test_a_tag_decides() -> None:
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["notes"]})
    (made,) = as_slides(nbformat.v4.new_notebook(cells=[cell])).cells
    assert made.metadata.slideshow.slide_type == "notes"


def test_a_deck_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.slides.ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "a.ipynb").write_bytes(NOTEBOOKS[0].read_bytes())
    main(tmp_path / "decks")
    page = (tmp_path / "decks" / "a.slides.html").read_text(encoding="utf-8")
    assert page.count("<section") > 20 and "data:image/png" in page and "import metalearn_lib" not in page
