"""Every figure of the course, in one look.

Each function draws into `ax`, or into a new figure, and returns what it drew into. Axes have names and units, and
colours (Okabe and Ito's) tell apart for every kind of colour vision.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from metalearn_lib.core.extras import import_extra
from metalearn_lib.core.task import Task
from metalearn_lib.evaluation.score import Score

if TYPE_CHECKING:
    from IPython.display import Image

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#777777"


def use_style() -> None:
    """Give every later figure of the session the look of the course."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "figure.figsize": (7.0, 3.6),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
            "image.cmap": "cividis",
        }
    )


def plot_scores(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """One bar a learner with its 95 % confidence interval, and the numbers beside it.

    Args:
        scores: scores by name, all of one measure.
        ax: where to draw.
    """
    ax = _axes(ax, height=0.6 + 0.45 * len(scores))
    measure = next(iter(scores.values())).measure
    unit = 100 if measure == "accuracy" else 1
    for row, score in enumerate(scores.values()):
        colour = COLORS[row % len(COLORS)]
        ax.barh(row, unit * score.mean, xerr=unit * score.half_width, color=colour, height=0.6, capsize=3, ecolor=GREY)
        ax.annotate(
            f"{score}", (unit * max(score.high, 0), row), xytext=(6, 0), textcoords="offset points", va="center"
        )
    ax.set_yticks(range(len(scores)), scores)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.25)
    ax.set_xlabel(_label(measure))
    return ax


def plot_curves(curves: Mapping[str, Sequence[Score]], ax: Axes | None = None) -> Axes:
    """Adaptation curves: score against the number of inner steps, with 95 % confidence bands.

    Args:
        curves: for each name the scores after 0, 1, 2, ... inner steps.
        ax: where to draw.
    """
    ax = _axes(ax)
    for name, scores in curves.items():
        unit = 100 if scores[0].measure == "accuracy" else 1
        steps = np.arange(len(scores))
        (line,) = ax.plot(steps, [unit * s.mean for s in scores], marker="o", markersize=4, label=name)
        low, high = [unit * s.low for s in scores], [unit * s.high for s in scores]
        ax.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        ax.set_ylabel(_label(scores[0].measure))
    ax.set_xlabel("inner steps on the support set")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


def plot_regression(
    task: Task,
    query_y: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    index: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """A regression task in one variable: its function, its support set, and what learners predict.

    Args:
        task: tasks with x [T, S or Q, 1].
        query_y: targets [T, Q, 1].
        predictions: predictions [T, Q, 1] by name.
        index: which of the T tasks.
        ax: where to draw.
    """
    ax = _axes(ax)
    x = np.asarray(task["query_x"])[index, :, 0]
    order = np.argsort(x)
    ax.plot(x[order], np.asarray(query_y)[index, order, 0], color=GREY, linewidth=3, alpha=0.5, label="the task")
    for name, predicted in predictions.items():
        ax.plot(x[order], np.asarray(predicted)[index, order, 0], label=name)
    support = np.asarray(task["support_x"])[index, :, 0], np.asarray(task["support_y"])[index, :, 0]
    ax.plot(*support, "o", color="black", label="support set", zorder=3)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.legend(fontsize="small")
    return ax


def plot_plane(
    task: Task, query_y: np.ndarray, probabilities: np.ndarray | None = None, index: int = 0, ax: Axes | None = None
) -> Axes:
    """A task of two classes in the plane: the queries, the support set ringed, and what a learner answers where.

    Args:
        task: tasks with x [T, S or Q, 2]; for regions to be drawn the queries must form a square grid.
        query_y: labels [T, Q].
        probabilities: of class 1 on a grid, [G, G] over [−1, 1]², or None.
        index: which of the T tasks.
        ax: where to draw.
    """
    ax = _axes(ax, width=3.8, height=3.8)
    if probabilities is not None:
        colours = ListedColormap([COLORS[0], COLORS[1]])
        ax.imshow(probabilities > 0.5, extent=(-1, 1, -1, 1), origin="lower", cmap=colours, alpha=0.2, vmin=0, vmax=1)
    for label, marker in enumerate("os"):
        colour = COLORS[label]
        query = np.asarray(task["query_x"])[index][np.asarray(query_y)[index] == label]
        support = np.asarray(task["support_x"])[index][np.asarray(task["support_y"])[index] == label]
        ax.plot(*query.T, marker, color=colour, markersize=4, alpha=0.6, label=f"query, class {label}")
        ax.plot(
            *support.T, marker, color=colour, markeredgecolor="black", markersize=8, label=f"support, class {label}"
        )
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="x₁", ylabel="x₂")
    return ax


def plot_episode(task: Task, query_y: np.ndarray, index: int = 0, queries: int = 5) -> plt.Figure:
    """An episode of images: a row a class, its support images to the left of its queries.

    Args:
        task: tasks with images [T, S or Q, H, W, C] in [0, 1].
        query_y: labels [T, Q].
        index: which of the T tasks.
        queries: how many queries of each class to show at most.
    """
    support_y, query_y = np.asarray(task["support_y"])[index], np.asarray(query_y)[index]
    rows = []
    for label in range(support_y.max() + 1):
        support = np.asarray(task["support_x"])[index][support_y == label]
        query = np.asarray(task["query_x"])[index][query_y == label][:queries]
        rows.append((support, query))
    shots, most = max(len(s) for s, _ in rows), max(len(q) for _, q in rows)
    size = 0.75
    figure, axes = plt.subplots(len(rows), shots + most, figsize=(size * (shots + most) + 0.6, size * len(rows) + 0.4))
    for label, (support, query) in enumerate(rows):
        for column, ax in enumerate(np.atleast_2d(axes)[label]):
            ax.axis("off")
            part, position = (support, column) if column < shots else (query, column - shots)
            if position < len(part):
                ax.imshow(1 - part[position].squeeze(), cmap=None if part.shape[-1] == 3 else "gray", vmin=0, vmax=1)
        axes_of_row = np.atleast_2d(axes)[label]
        axes_of_row[0].text(-0.25, 0.5, str(label), transform=axes_of_row[0].transAxes, ha="right", va="center")
    top = np.atleast_2d(axes)[0]
    top[0].set_title("support", fontsize="small", loc="left")
    top[shots].set_title("query", fontsize="small", loc="left")
    return figure


def animation(figure: plt.Figure, draw: Callable[[int], object], frames: int, seconds: float = 0.2) -> "Image":
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
    """
    display = import_extra("IPython.display", "course")
    pictures = []
    for number in range(frames):
        draw(number)
        figure.canvas.draw()
        figure.set_layout_engine("none")  # that of the first frame, else the axes jump
        pictures.append(PIL.Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB"))
    plt.close(figure)
    # All frames share the colours of the last one, where most has been drawn: a third of the size.
    palette = pictures[-1].quantize(128)
    first, *others = [picture.quantize(palette=palette, dither=PIL.Image.Dither.NONE) for picture in pictures]
    durations = [1000 * seconds] * (frames - 1) + [10_000 * seconds]
    file = io.BytesIO()
    first.save(file, "PNG", save_all=True, append_images=others, duration=durations, loop=0)
    return display.Image(file.getvalue(), format="png")


def _axes(ax: Axes | None, width: float = 7.0, height: float = 3.6) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=(width, height))[1]


def _label(measure: str) -> str:
    return "accuracy on queries (%)" if measure == "accuracy" else f"{measure} on queries"
