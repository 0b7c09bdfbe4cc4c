"""What a memory gives back, and how it shows itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np


@dataclass(frozen=True)
class Entry:
    """One element (θ, D) of a memory.

    Args:
        weights: θ, one array for each weight of the model.
        support_x: the examples of D [S, ...].
        support_y: their targets [S, ...].
    """

    weights: list[np.ndarray]
    support_x: np.ndarray
    support_y: np.ndarray


@dataclass(frozen=True)
class Recollection:
    """A retrieved entry with its distance.

    Args:
        index: its place in the memory, 0..n−1.
        distance: how far its task is from the one asked about, in the units of y.
        entry: the entry.
    """

    index: int
    distance: float
    entry: Entry


HEADINGS = ("i", "θᵢ", "‖θᵢ‖", "examples in Dᵢ", "targets in Dᵢ")


def cells(index: int, entry: Entry) -> tuple[str, ...]:
    """One row of the table: place, first numbers and length of θ, size of D, its labels or range of values."""
    flat = np.concatenate([w.astype(np.float64).ravel() for w in entry.weights])
    first = "  ".join(f"{v:.2f}" for v in flat[:3]) + (" …" if len(flat) > 3 else "")
    y = entry.support_y
    if y.dtype.kind in "iub":
        labels, counts = np.unique(y, return_counts=True)
        targets = ", ".join(f"{n} of class {label}" for label, n in zip(labels[:4], counts[:4], strict=True))
        targets += ", …" if len(labels) > 4 else ""
    else:
        targets = f"{float(y.min()):.2f} to {float(y.max()):.2f}"
    return str(index), first, f"{np.linalg.norm(flat):.2f}", str(len(y)), targets


def as_text(title: str, rows: Sequence[Sequence[str]]) -> str:
    """A title and aligned columns."""
    table = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["   ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in table]
    return "\n".join([title, *lines] if rows else [title])


def as_html(title: str, rows: Sequence[Sequence[str]]) -> str:
    """A title and a table."""

    def row(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row("td", r) for r in rows)
    table = f"<table><thead>{row('th', HEADINGS)}</thead><tbody>{body}</tbody></table>" if rows else ""
    return f"<div><p>{escape(title)}</p>{table}</div>"
