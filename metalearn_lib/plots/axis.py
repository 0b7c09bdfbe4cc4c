"""Axes: new ones, their ticks, and room in them for numbers."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, NullLocator

from metalearn_lib.core.checks import instances

STEPS = [1, 2, 2.5, 5, 10]
MOST, LEAST = 9, 3  # ticks of a log axis
BESIDE = 6.0  # points from the end of an interval to its number
_NUMBER = "number of a score"


def new_axes(ax: Axes | None, width: float = 7.0, height: float = 3.6) -> Axes:
    """The axes to draw into: `ax`, or those of a new figure."""
    if ax is None:
        return plt.subplots(figsize=(width, height))[1]
    instances(Axes, "matplotlib axes", ax=ax)
    return ax


def write_beside(ax: Axes, text: str, x: float, y: float, left: bool) -> None:
    """Write a number to the left or to the right of (x, y)."""
    offset, side = ((-BESIDE, 0), "right") if left else ((BESIDE, 0), "left")
    number = ax.annotate(text, (x, y), offset, textcoords="offset points", ha=side, va="center")
    number.set(gid=_NUMBER, in_layout=False)  # `make_room` keeps it inside


def make_room(figure: Figure) -> None:
    """Widen all axes of a figure that hold numbers until the numbers lie inside; axes with one scale stay so."""
    figure.draw_without_rendering()  # settles how wide axes are
    for ax in figure.axes:
        together = ax.get_shared_x_axes().get_siblings(ax)
        if any(map(_numbers, together)):
            ax.set_xlim(_fitting(together))


def _numbers(ax: Axes) -> list[Annotation]:
    return [text for text in ax.texts if isinstance(text, Annotation) and text.get_gid() == _NUMBER]


def _fitting(together: list[Axes]) -> tuple[float, float]:
    """The limits between which all numbers lie, on a scale that the axes share."""
    log = together[0].get_xscale() == "log"
    forth, back = (np.log10, lambda v: 10.0**v) if log else (float, float)
    ends = [float(forth(end)) for ax in together for end in ax.dataLim.intervalx if np.isfinite(end)]
    low, high = min(ends), max(ends)
    lefts, rights = [(low, 0.02)] if low < 0 or log else [], [(high, 0.02)] if high > 0 or log else []
    for ax in together:
        for text in _numbers(ax):
            extent = text.get_window_extent()
            share = extent.width / ax.bbox.width + BESIDE / 72 * ax.get_figure(root=True).dpi / ax.bbox.width + 0.01
            side = lefts if text.get_horizontalalignment() == "right" else rights
            side.append((float(forth(text.xy[0])), min(share, 0.8)))
    low, high = min(low, 0) if not log else low, max(high, 0) if not log else high
    for _ in range(50):  # what one side needs depends on the other
        high = max([high, *(low + (end - low) / (1 - share) for end, share in rights)])
        low = min([low, *(high - (high - end) / (1 - share) for end, share in lefts)])
    return back(low), back(high) if high > low else back(low + 1)


class UpTo100(MaxNLocator):
    """Ticks for a percentage."""

    def __init__(self) -> None:
        super().__init__("auto", steps=STEPS)

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        """Round numbers up to 100."""
        ticks = np.asarray(super().tick_values(vmin, vmax))
        return ticks[ticks <= 100]


class Decimal(Locator):
    """Ticks for a log axis: 1, 2, 5, 10, ..., powers of ten if these are many, round numbers if they are few."""

    def __call__(self) -> np.ndarray:
        """The ticks between the limits of the axis."""
        assert self.axis is not None
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        """The ticks between two positive numbers."""
        powers = 10.0 ** np.arange(math.floor(math.log10(vmin)), math.ceil(math.log10(vmax)) + 1)
        ticks = _between(vmin, vmax, np.outer(powers, (1, 2, 5)).ravel())
        if len(ticks) > MOST:
            powers = _between(vmin, vmax, powers)
            return powers[:: math.ceil(len(powers) / MOST)]
        if len(ticks) < LEAST:
            ticks = _between(vmin, vmax, np.asarray(MaxNLocator(4, steps=STEPS).tick_values(vmin, vmax)))
        return ticks


def use_decimals(axis: Axis) -> None:
    """Plain numbers at the ticks of a log axis."""
    axis.set_major_locator(Decimal())
    axis.set_major_formatter(FuncFormatter(lambda value, _: np.format_float_positional(value, precision=12, trim="-")))
    axis.set_minor_locator(NullLocator())


def _between(low: float, high: float, ticks: np.ndarray) -> np.ndarray:
    return ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]
