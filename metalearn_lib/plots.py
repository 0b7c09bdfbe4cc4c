"""Every figure of the course, in one look.

Each function draws into `ax`, or into a new figure, and returns what it drew into. Axes have names and units, and
colours are Okabe and Ito's, which every kind of colour vision can tell apart.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from metalearn_lib.animation import animation as animation
from metalearn_lib.core.checks import at_least, by_name, instances, numbers, whole_in
from metalearn_lib.core.task import QUERY_X, SUPPORT_X, SUPPORT_Y, Task, check_task
from metalearn_lib.evaluation.score import Score

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
    """One bar per learner with its 95 % confidence interval, and the numbers beside it.

    Args:
        scores: scores by name, all of one measure.
        ax: where to draw.

    Raises:
        TypeError: if `scores` is no dictionary of scores with at least one entry, or `ax` are no axes.
        ValueError: if measures differ.
    """
    measure = _measure("scores", scores)
    ax = _axes(ax, height=0.6 + 0.45 * len(scores))
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
        curves: for each name the scores after 0, 1, 2, ... inner steps, all of one measure.
        ax: where to draw.

    Raises:
        TypeError: if `curves` is no dictionary of lists of scores with at least one entry, or `ax` are no axes.
        ValueError: if measures differ.
    """
    by_name((list, tuple), "lists of scores", curves=curves)
    steps = {f"curves[{name!r}] at step {i}": score for name, curve in curves.items() for i, score in enumerate(curve)}
    measure = _measure("curves", steps)
    unit = 100 if measure == "accuracy" else 1
    ax = _axes(ax)
    for name, scores in curves.items():
        steps = np.arange(len(scores))
        (line,) = ax.plot(steps, [unit * s.mean for s in scores], marker="o", markersize=4, label=name)
        low, high = [unit * s.low for s in scores], [unit * s.high for s in scores]
        ax.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    ax.set_ylabel(_label(measure))
    ax.set_xlabel("inner steps on the support set")
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    ax.legend()
    return ax


def plot_regression(
    task: Task,
    query_y: ArrayLike,
    predictions: Mapping[str, ArrayLike],
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
    ax = _axes(ax)
    order = np.argsort(query_x[:, 0])
    x = query_x[order, 0]
    ax.plot(x, targets[order, 0], color=GREY, linewidth=3, alpha=0.5, label="the task")
    for name, curve in curves.items():
        ax.plot(x, curve[index, order, 0], label=name)
    ax.plot(support_x[:, 0], support_y[:, 0], "o", color="black", label="support set", zorder=3)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.legend(fontsize="small")
    return ax


def plot_plane(
    task: Task, query_y: ArrayLike, probabilities: ArrayLike | None = None, index: int = 0, ax: Axes | None = None
) -> Axes:
    """A task of two classes in the plane: the queries, the support set ringed, and the regions a learner predicts.

    Args:
        task: tasks with x [T, S or Q, 2].
        query_y: labels [T, Q].
        probabilities: of class 1 on a grid, [G, G] over [−1, 1]², or None.
        index: which of the T tasks.
        ax: where to draw.

    Raises:
        TypeError: if an argument is of a wrong kind.
        ValueError: if a shape does not fit, a number is NaN or infinite, or there is no such task.
    """
    support_x, support_y, query_x, labels = _task(task, query_y, index, "[T, examples, 2]", "[T, examples]")
    grid = None if probabilities is None else numbers("probabilities", probabilities, "[G, G]")
    ax = _axes(ax, width=3.8, height=3.8)
    if grid is not None:
        colours = ListedColormap([COLORS[0], COLORS[1]])
        ax.imshow(grid > 0.5, extent=(-1, 1, -1, 1), origin="lower", cmap=colours, alpha=0.2, vmin=0, vmax=1)
    for label, marker in enumerate("os"):
        colour = COLORS[label]
        query, support = query_x[labels == label], support_x[support_y == label]
        ax.plot(*query.T, marker, color=colour, markersize=4, alpha=0.6, label=f"query, class {label}")
        ax.plot(
            *support.T, marker, color=colour, markeredgecolor="black", markersize=8, label=f"support, class {label}"
        )
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


def _axes(ax: Axes | None, width: float = 7.0, height: float = 3.6) -> Axes:
    if ax is None:
        return plt.subplots(figsize=(width, height))[1]
    instances(Axes, "matplotlib axes", ax=ax)
    return ax


def _label(measure: str) -> str:
    return "accuracy on queries (%)" if measure == "accuracy" else f"{measure} on queries"


def _measure(name: str, scores: Mapping[str, Score]) -> str:
    """The one measure of all scores."""
    by_name(Score, "a Score", **{name: scores})
    measures = {score.measure: None for score in scores.values()}
    if len(measures) > 1:
        raise ValueError(f"{name} are of {' and '.join(measures)}, expected one measure")
    return next(iter(measures))


def _task(task: Task, query_y: ArrayLike, index: int, x: str, y: str) -> tuple[np.ndarray, ...]:
    """`support_x`, `support_y`, `query_x` and `query_y` of one of the tasks, whose arrays have the axes `x` and `y`."""
    check_task(task, numbers("query_y", query_y))
    arrays = [numbers(name, task[name], axes) for name, axes in ((SUPPORT_X, x), (SUPPORT_Y, y), (QUERY_X, x))]
    whole_in(0, len(arrays[0]) - 1, index=index)
    return *(array[index] for array in arrays), numbers("query_y", query_y, y)[index]
