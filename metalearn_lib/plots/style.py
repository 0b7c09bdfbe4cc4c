"""The look of the course's figures."""

import importlib
import io
import sys

import matplotlib.pyplot as plt
import PIL.Image
from cycler import cycler
from matplotlib.figure import Figure

from metalearn_lib.plots.colors import COLORS

DPI = 160  # dots of a picture
SHOWN_DPI = 100  # of these a notebook shows so many to an inch: letters keep the size of the text around


def use_style() -> None:
    """Give every later figure of the session the look of the course.

    Pictures have 160 dots to an inch; a notebook shows them as large as those of 100.
    """
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLORS),
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.formatter.min_exponent": 4,  # 0.6 on log axes, not 6 × 10⁻¹
            "grid.alpha": 0.25,
            "figure.figsize": (7.0, 3.6),
            "figure.dpi": DPI,
            "savefig.dpi": DPI,
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
            "image.cmap": "cividis",
        }
    )
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None and "inline" in plt.get_backend():
        importlib.import_module("matplotlib_inline.backend_inline")  # which else chose the form of pictures later
        shell.display_formatter.formatters["image/png"].for_type(Figure, picture)


def picture(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """A figure as a PNG, and how large a notebook shows it, in pixels."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=figure.dpi, bbox_inches="tight")
    width, height = PIL.Image.open(file).size
    return file.getvalue(), {"width": shown(width, figure), "height": shown(height, figure)}


def shown(dots: int, figure: Figure) -> int:
    """How many pixels wide or high a notebook shows a picture of a figure that has so many dots."""
    return round(dots * min(1, SHOWN_DPI / figure.dpi))
