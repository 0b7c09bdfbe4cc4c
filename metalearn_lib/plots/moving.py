"""Figures in motion."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metalearn_lib.core.checks import at_least, functions, instances, positive
from metalearn_lib.core.extras import import_extra
from metalearn_lib.plots.style import shown

if TYPE_CHECKING:
    from IPython.display import Image


def animation(figure: Figure, draw: Callable[[int], object], frames: int, seconds: float = 0.2) -> "Image":
    """A figure in motion, as an animated PNG: it plays where pictures do, without scripts.

    The last frame stays for ten times as long; then it starts anew.

    Args:
        figure: what to draw into; closed afterwards.
        draw: `draw(number)` changes the figure to frame `number`.
        frames: number of frames.
        seconds: how long a frame stays.

    Returns:
        The picture, which notebooks show.

    Raises:
        ImportError: if IPython is not installed.
        TypeError: if `figure` is no figure, or `draw` no function.
        ValueError: if `frames` is not a whole number of at least 1, or `seconds` not positive.
    """
    instances(Figure, "a matplotlib figure", figure=figure)
    functions("a function that draws a frame", draw=draw)
    at_least(1, frames=frames)
    positive(seconds=seconds)
    display = import_extra("IPython.display", "course")  # takes as long to import as the rest of this module

    pictures, canvas = [], FigureCanvasAgg(figure)
    for number in range(frames):
        draw(number)
        canvas.draw()
        figure.set_layout_engine("none")  # that of the first frame, else the axes jump
        pictures.append(PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    plt.close(figure)
    # All frames share the colours of the last one, where most has been drawn: a third of the size.
    palette = pictures[-1].quantize(128)
    first, *others = [picture.quantize(palette=palette, dither=PIL.Image.Dither.NONE) for picture in pictures]
    durations = [1000 * seconds] * (frames - 1) + [10_000 * seconds]
    file = io.BytesIO()
    first.save(file, "PNG", save_all=True, append_images=others, duration=durations, loop=0)
    return display.Image(file.getvalue(), format="png", width=shown(first.width, figure))
