"""Axes: new ones, their ticks, and room in them for numbers."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

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


def make_room(ax: Axes) -> None:
    """Widen the axes of this figure that hold numbers until these lie inside; axes with a common scale keep it."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # settles how wide axes are
    beside = BESIDE / 72 * figure.dpi
    for ax in figure.axes:
        together = ax.get_shared_x_axes().get_siblings(ax)
        if any(map(_numbers, together)):
            ax.set_xlim(_fitting(together, beside))


def _numbers(ax: Axes) -> list[Annotation]:
    return [text for text in ax.texts if isinstance(text, Annotation) and text.get_gid() == _NUMBER]


def _fitting(together: list[Axes], beside: float) -> tuple[float, float]:
    """The limits between which all numbers lie, on a scale that the axes share; `beside` is in pixels."""
    log = together[0].get_xscale() == "log"
    forth, back = (np.log10, lambda v: 10.0**v) if log else (float, float)
    ends = [float(forth(end)) for ax in together for end in ax.dataLim.intervalx if np.isfinite(end)]
    low, high = (min(ends), max(ends)) if log else (min(0, *ends), max(0, *ends))
    if low == high:
        low, high = (low - 0.1, high + 0.1) if log else (0.0, 1.0)
    # How far a side reaches, and the part of the axis that is needed beyond.
    lefts, rights = [(low, 0.02 * (low < 0 or log))], [(high, 0.02 * (high > 0 or log))]
    numbers = [(text, ax) for ax in together for text in _numbers(ax)]
    most = 0.4 if len({text.get_horizontalalignment() for text, _ in numbers}) > 1 else 0.8  # of a narrow figure
    for text, ax in numbers:
        share = (text.get_window_extent().width + beside) / ax.bbox.width + 0.01
        side = lefts if text.get_horizontalalignment() == "right" else rights
        side.append((float(forth(text.xy[0])), min(share, most)))
    for _ in range(50):  # what one side needs depends on the other
        high = max(low + (end - low) / (1 - share) for end, share in rights)
        low = min(high - (high - end) / (1 - share) for end, share in lefts)
    return back(low), back(high)


class UpTo100(MaxNLocator):
    """Ticks for a percentage."""

    def __init__(self) -> None:
        super().__init__("auto", steps=STEPS)

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """Round numbers up to 100."""
        return [tick for tick in super().tick_values(vmin, vmax) if tick <= 100]


class Decimal(Locator):
    """Ticks for a log axis: 1, 2, 5, 10, ..., powers of ten if these are many, round numbers if they are few."""

    def __call__(self) -> Sequence[float]:
        """The ticks between the limits of the axis."""
        assert self.axis is not None
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """The ticks between two positive numbers."""
        powers = 10.0 ** np.arange(math.floor(math.log10(vmin)), math.ceil(math.log10(vmax)) + 1)
        ticks = _between(vmin, vmax, np.outer(powers, (1, 2, 5)).ravel())
        if len(ticks) > MOST:
            powers = _between(vmin, vmax, powers)
            return powers[:: math.ceil(len(powers) / MOST)]
        if len(ticks) < LEAST:
            return _between(vmin, vmax, MaxNLocator(4, steps=STEPS).tick_values(vmin, vmax))
        return ticks


def use_decimals(axis: Axis) -> None:
    """Plain numbers at the ticks of a log axis."""
    axis.set_major_locator(Decimal())
    axis.set_major_formatter(FuncFormatter(lambda value, _: np.format_float_positional(value, precision=12, trim="-")))
    axis.set_minor_locator(NullLocator())


def _between(low: float, high: float, ticks: ArrayLike) -> list[float]:
    return [tick for tick in np.asarray(ticks).tolist() if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
