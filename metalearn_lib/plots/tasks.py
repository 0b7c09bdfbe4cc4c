"""Figures of tasks, and of what learners predict."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import at_least, instances, numbers, whole_in
from metalearn_lib.core.task import QUERY_X, SUPPORT_X, SUPPORT_Y, Task, check_task
from metalearn_lib.plots.axis import new_axes
from metalearn_lib.plots.colors import COLORS, GREY, curve_styles

# From class 0 over undecided to class 1.
SHADES = LinearSegmentedColormap.from_list("classes", [COLORS[0], "#F2F2F2", COLORS[1]])


def plot_regression(
    task: Task,
    query_y: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    index: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """A regression task in one variable: its function, its support set, and what learners predict.

    Learners have their colours, and two curves of one learner two line styles, see `curve_styles`.

    Args:
        task: tasks with x [T, S or Q, 1].
        query_y: targets [T, Q, 1].
        predictions: predictions [T, Q, 1] by name.
        index: which of the T tasks.
        ax: where to draw.

    Raises:
        TypeError: if an argument is of a wrong kind.
        ValueError: if a shape does not fit, a number is NaN or infinite, or there is no such task.
    """
    support_x, support_y, query_x, targets = _task(task, query_y, index, "[T, examples, 1]", "[T, examples, 1]")
    instances(Mapping, "a dictionary of predictions by name", predictions=predictions)
    curves = {name: numbers(f"predictions[{name!r}]", predicted) for name, predicted in predictions.items()}
    for name, curve in curves.items():
        if curve.shape != np.shape(query_y):
            raise ValueError(f"predictions[{name!r}] has shape {curve.shape}, expected that of query_y")
    ax = new_axes(ax)
    order = np.argsort(query_x[:, 0])
    x = query_x[order, 0]
    ax.plot(x, targets[order, 0], color=GREY, linewidth=3, alpha=0.5, label="the task")
    for name, style in curve_styles(curves).items():
        ax.plot(x, curves[name][index, order, 0], label=name, **style)
    ax.plot(support_x[:, 0], support_y[:, 0], "o", color="black", label="support set", zorder=3)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.legend(fontsize="small")
    return ax


def plot_plane(
    task: Task,
    query_y: ArrayLike,
    probabilities: ArrayLike | None = None,
    index: int = 0,
    ax: Axes | None = None,
    *,
    truth: ArrayLike | None = None,
) -> Axes:
    """A task of two classes in the plane: the queries, the support set ringed, and how sure a learner is where.

    Args:
        task: tasks with x [T, S or Q, 2].
        query_y: labels [T, Q].
        probabilities: of class 1 on a grid, [G, G] over [−1, 1]², or None; x₁ grows along the last axis.
        index: which of the T tasks.
        ax: where to draw.
        truth: values [G, G] on such a grid, or None; the true boundary, dashed, is where they change their sign.

    Raises:
        TypeError: if an argument is of a wrong kind.
        ValueError: if a shape does not fit, a number is NaN or infinite, a probability is outside 0..1, or there is
            no such task.
    """
    support_x, support_y, query_x, labels = _task(task, query_y, index, "[T, examples, 2]", "[T, examples]")
    shade = None if probabilities is None else _grid("probabilities", probabilities)
    if shade is not None and np.abs(shade - 0.5).max() > 0.5 + 1e-6:
        raise ValueError(f"probabilities has numbers {shade.min():.3g}..{shade.max():.3g}, expected 0..1")
    sides = None if truth is None else _grid("truth", truth)
    ax = new_axes(ax, width=3.8, height=3.8)
    ax.set_axisbelow(True)
    if shade is not None:
        end = 1 + 1 / (len(shade) - 1)  # a pixel has its point in its middle
        square = {"extent": (-end, end, -end, end), "origin": "lower", "interpolation": "bilinear"}
        ax.imshow(shade, cmap=SHADES, alpha=0.45, vmin=0, vmax=1, **square)
    if sides is not None and sides.min() < 0 < sides.max():
        line = np.linspace(-1, 1, len(sides))
        ax.contour(line, line, sides, levels=[0], colors="black", linestyles="dashed", linewidths=1.2)
    for label, marker in enumerate("os"):
        color = COLORS[label]
        query, support = query_x[labels == label], support_x[support_y == label]
        ax.plot(*query.T, marker, color=color, markersize=4, alpha=0.6, label=f"query, class {label}")
        ax.plot(*support.T, marker, color=color, markeredgecolor="black", markersize=8, label=f"support, class {label}")
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="x₁", ylabel="x₂")
    return ax


def plot_episode(task: Task, query_y: ArrayLike, index: int = 0, queries: int = 5) -> Figure:
    """An episode of images: one row per class, its support images to the left of its queries.

    Args:
        task: tasks with images [T, S or Q, H, W, C] in [0, 1].
        query_y: labels [T, Q].
        index: which of the T tasks.
        queries: how many queries of each class to show at most.

    Raises:
        TypeError: if an argument is of a wrong kind.
        ValueError: if a shape does not fit, a number is NaN or infinite, or there is no such task.
    """
    support_x, support_y, query_x, labels = _task(task, query_y, index, "[T, examples, H, W, C]", "[T, examples]")
    at_least(1, queries=queries)
    classes = range(support_y.max() + 1)
    rows = [(support_x[support_y == label], query_x[labels == label][:queries]) for label in classes]
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


def _task(task: Task, query_y: ArrayLike, index: int, x: str, y: str) -> tuple[np.ndarray, ...]:
    """`support_x`, `support_y`, `query_x` and `query_y` of one of the tasks, whose arrays have the axes `x` and `y`."""
    check_task(task, numbers("query_y", query_y))
    arrays = [numbers(name, task[name], axes) for name, axes in ((SUPPORT_X, x), (SUPPORT_Y, y), (QUERY_X, x))]
    whole_in(0, len(arrays[0]) - 1, index=index)
    return *(array[index] for array in arrays), numbers("query_y", query_y, y)[index]


def _grid(name: str, values: ArrayLike) -> np.ndarray:
    """Values on a square grid of at least two points a side."""
    grid = numbers(name, values, "[G, G]")
    if not len(grid) == grid.shape[1] >= 2:
        raise ValueError(f"{name} has shape {grid.shape}, expected [G, G] with G of at least 2")
    return grid.astype(float)
