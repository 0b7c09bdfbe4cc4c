"""The style of the course, and how notebooks show its pictures."""

import io
from types import SimpleNamespace

import IPython
import matplotlib.pyplot as plt
import PIL.Image
import pytest
from IPython.core.formatters import DisplayFormatter

import metalearn_lib as ml
from metalearn_lib.plots import style


def test_pictures_have_160_dots_to_an_inch():
    ml.plots.use_style()
    figure = plt.figure(figsize=(2, 1))
    file = io.BytesIO()
    figure.savefig(file)
    assert PIL.Image.open(file).size == (320, 160) and figure.dpi == 160


def test_the_grid_lies_behind_and_log_axes_have_plain_numbers():
    ml.plots.use_style()
    _, ax = plt.subplots()
    ax.plot([1, 2], [0.05, 2])
    ax.set_yscale("log")
    ax.figure.canvas.draw()
    assert ax.get_axisbelow() is True
    assert {"$\\mathdefault{0.1}$", "$\\mathdefault{1}$"} <= {label.get_text() for label in ax.get_yticklabels()}


@pytest.mark.parametrize(("dpi", "part"), [(160, 100 / 160), (70, 1)])
def test_letters_keep_their_size_on_the_screen(dpi, part):
    png, shown = style.picture(plt.figure(figsize=(3, 2), dpi=dpi))
    width, height = PIL.Image.open(io.BytesIO(png)).size
    assert shown == {"width": pytest.approx(width * part, abs=1), "height": pytest.approx(height * part, abs=1)}


def test_a_notebook_shows_pictures_at_that_size(monkeypatch):
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(plt, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    ml.plots.use_style()
    formats, metadata = shell.display_formatter.format(plt.figure(figsize=(3, 2)), include=["image/png"])
    width, _ = PIL.Image.open(io.BytesIO(formats["image/png"])).size
    assert metadata["image/png"]["width"] == pytest.approx(width / 1.6, abs=1)
