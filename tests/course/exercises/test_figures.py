"""Figures that are to be read show what their questions ask for, in a cell between the prompt and the answer."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import nbformat
import pytest
from matplotlib.container import ErrorbarContainer

from metalearn_course.exercises.chapters import all_chapters, background
from scripts import release


@pytest.fixture(autouse=True)
def _no_figures_left() -> Iterator[None]:
    plt.close("all")
    yield
    plt.close("all")


def test_the_answer_can_be_read_off_the_bars() -> None:
    """As drawn a bar reaches from the lower end of the axis to its height; what it stands for starts at zero."""
    background.chapter.how_much_it_lies.figure()
    ax = plt.gca()
    left, right = (bar.get_height() for bar in ax.patches)
    start, end = ax.get_ylim()
    assert start > 0 and left < end
    assert background.chapter.how_much_it_lies.check([(left - start) / (right - start), left / right]).kind == "pass"


def test_no_other_axis_of_the_chapter_is_cut_off() -> None:
    """In the second question the faults are others, and one each."""
    background.chapter.five_figures.figure()
    shown = [ax for ax in plt.gcf().axes if ax.get_title()]
    assert [ax.get_title()[0] for ax in shown] == list("12345")
    assert all(ax.get_ylim()[0] <= 0 for ax in shown)
    with_intervals = [any(isinstance(c, ErrorbarContainer) for c in ax.containers) for ax in shown]
    assert (with_intervals[0], with_intervals[3]) == (False, True)


@pytest.mark.parametrize("chapter", all_chapters(), ids=lambda chapter: chapter.name)
def test_a_figure_is_drawn_between_prompt_and_answer(chapter) -> None:
    cells: list[nbformat.NotebookNode] = release.source_notebook(chapter).cells
    ids = [cell.id for cell in cells]
    for name, exercise in chapter.exercises.items():
        assert (f"{name}-figure" in ids) == (exercise.figure is not None)
        if exercise.figure:
            at = ids.index(f"{name}-figure")
            assert (ids[at - 1], ids[at + 1]) == (f"{name}-prompt", f"{name}-answer")
            assert cells[at].source == f"chapter.{name}.figure()"
            assert exercise.figure() is None and plt.get_fignums()
