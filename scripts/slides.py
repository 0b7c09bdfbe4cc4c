"""Makes a deck of slides of every chapter, with nbconvert and reveal.js.

    python scripts/slides.py [FOLDER]

A section of the chapter starts a column of slides, and a part of it the next slide below. Figures and what is printed
are shown, programs are not, and the text of a section after its first paragraph is in the speaker's notes (press S). A
cell with the tag `slide`, `subslide`, `fragment`, `notes` or `skip` is what its tag says. To show a deck, the browser
needs reveal.js and MathJax, which it gets from the network.
"""

import re
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("slide", "subslide", "fragment", "notes", "skip")
LEFT_OUT = ("## Exercises",)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    exporter = SlidesExporter(exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        deck = as_slides(nbformat.read(path, as_version=4))
        html, _ = exporter.from_notebook_node(deck)
        (folder / f"{path.stem}.slides.html").write_text(html, encoding="utf-8")
        print(folder / f"{path.stem}.slides.html")


def as_slides(notebook: NotebookNode) -> NotebookNode:
    """The notebook with a kind of slide for every cell; text is split into what is shown and what is said."""
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        own = next((tag for tag in cell.metadata.get("tags", ()) if tag in KINDS), "")
        if own:
            cells.append(_with(cell, cell.source, own))
        elif cell.cell_type == "code":
            cells.append(_with(cell, cell.source, _kind_of_outputs(cell.outputs)))
        else:
            for part in re.split(r"(?m)^(?=#{1,3} )", cell.source):
                if part.startswith(LEFT_OUT):
                    return _numbered(notebook, cells)
                kind = {"#": "slide", "##": "slide", "###": "subslide"}.get(part.partition(" ")[0], "")
                shown, said = _split(part) if kind else ("", part)
                cells += [_with(cell, shown, kind), _with(cell, said, "notes")]
    return _numbered(notebook, cells)


def _kind_of_outputs(outputs: list) -> str:
    """A figure has a slide of its own; what is printed comes below what is there."""
    if any("image/png" in output.get("data", {}) for output in outputs):
        return "subslide"
    return "fragment" if any("text" in output for output in outputs) else "skip"


def _numbered(notebook: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    cells = [cell for cell in cells if cell.source.strip()]
    return NotebookNode(
        {**notebook, "cells": [NotebookNode({**cell, "id": f"slide-{n}"}) for n, cell in enumerate(cells)]}
    )


def _split(source: str) -> tuple[str, str]:
    """A heading with its first paragraph, or the list after it, and the rest."""
    heading, _, rest = source.partition("\n\n")
    first, _, more = rest.partition("\n\n")
    if re.match(r"\*\*.*\*\*\n-", more):  # the aims at the head of a chapter
        aims, _, more = more.partition("\n\n")
        first = f"{first}\n\n{aims}"
    return f"{heading}\n\n{first}", more


def _with(cell: NotebookNode, source: str, kind: str) -> NotebookNode:
    return NotebookNode(
        {
            **cell,
            "id": f"{cell.id}-{kind}",
            "source": source,
            "metadata": nbformat.from_dict({"slideshow": {"slide_type": kind}}),
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "slides")
