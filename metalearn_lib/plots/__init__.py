"""Every figure of the course, in one look.

Each function draws into `ax`, or into a new figure, and returns what it drew into. Axes have names and units, and a
learner has one colour in all chapters (`color_of`), from colours that every kind of colour vision can tell apart.
"""

import matplotlib.pyplot as plt

from metalearn_lib.plots.colors import COLORS, GREY, color_of, curve_styles
from metalearn_lib.plots.moving import animation
from metalearn_lib.plots.scores import plot_curves, plot_scores
from metalearn_lib.plots.style import use_style
from metalearn_lib.plots.tasks import plot_episode, plot_plane, plot_regression

__all__ = [
    "COLORS",
    "GREY",
    "animation",
    "color_of",
    "curve_styles",
    "plot_curves",
    "plot_episode",
    "plot_plane",
    "plot_regression",
    "plot_scores",
    "plt",
    "use_style",
]
