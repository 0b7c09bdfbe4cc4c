"""Figures of scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import by_name, flags
from metalearn_lib.evaluation.score import Score
from metalearn_lib.plots.axis import STEPS, UpTo100, make_room, new_axes, use_decimals, write_beside
from metalearn_lib.plots.colors import BLACK, color_of, curve_styles

_TRAINING = {"color": "white", "markeredgecolor": BLACK, "markeredgewidth": 0.8, "markersize": 4, "zorder": 4}


def plot_scores(scores: Mapping[str, Score], ax: Axes | None = None, *, log: bool = False) -> Axes:
    """One bar per learner with its 95 % confidence interval, and the numbers beside it.

    Learners have their colours, see `color_of`. Where a score is of several trainings, each is a dot.

    Args:
        scores: scores by name, all of one measure.
        ax: where to draw.
        log: points on a log axis in place of bars, which would have no place to start from.

    Raises:
        TypeError: if `scores` is no dictionary of scores with at least one entry, `ax` are no axes, or `log` is not
            True or False.
        ValueError: if measures differ, or a score on a log axis is not positive.
    """
    measure, unit = _measure("scores", scores)
    flags(log=log)
    if log:
        _positive("scores", scores)
    ax = new_axes(ax, height=0.6 + 0.45 * len(scores))
    ax.set_axisbelow(True)
    for row, (name, score) in enumerate(scores.items()):
        color, mean, error = color_of(name), unit * score.mean, unit * score.half_width
        trainings = unit * score.values.mean(axis=1) if score.values.ndim == 2 else np.array([])
        if log:
            ends = [[mean - _log_low(mean, mean - error)], [error]]
            ax.errorbar(mean, row, xerr=ends, fmt="o", color=color, ecolor=color, markersize=7, capsize=3)
        else:
            ax.barh(row, mean, xerr=error, color=color, height=0.6, capsize=3, ecolor=BLACK)
        ax.plot(trainings, np.full(len(trainings), row), "o", **_TRAINING)
        left = mean < 0
        end = min(mean - error, *trainings, 0) if left else max(mean + error, *trainings, 0)
        write_beside(ax, str(score), end, row, left)
    ax.set_yticks(range(len(scores)), list(scores))
    ax.set_ylim(len(scores) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    if log:
        ax.set_xscale("log")
        use_decimals(ax.xaxis)
    elif measure == "accuracy":
        ax.xaxis.set_major_locator(UpTo100())
    ax.set_xlabel(_label(measure))
    make_room(ax)
    return ax


def plot_curves(curves: Mapping[str, Sequence[Score]], ax: Axes | None = None, *, log: bool = False) -> Axes:
    """Adaptation curves: score against the number of inner steps, with 95 % confidence bands.

    Learners have their colours, and two curves of one learner two line styles, see `curve_styles`.

    Args:
        curves: for each name the scores after 0, 1, 2, ... inner steps, all of one measure.
        ax: where to draw.
        log: scores on a log axis.

    Raises:
        TypeError: if `curves` is no dictionary of lists of scores with at least one entry, `ax` are no axes, or `log`
            is not True or False.
        ValueError: if measures differ, or a score on a log axis is not positive.
    """
    by_name((list, tuple), "lists of scores", curves=curves)
    steps = {f"curves[{name!r}] at step {i}": score for name, curve in curves.items() for i, score in enumerate(curve)}
    measure, unit = _measure("curves", steps)
    flags(log=log)
    if log:
        _positive("curves", steps)
    ax = new_axes(ax)
    for (name, scores), style in zip(curves.items(), curve_styles(curves).values(), strict=True):
        steps = np.arange(len(scores))
        mean, low, high = (unit * np.array([getattr(s, end) for s in scores]) for end in ("mean", "low", "high"))
        inner = style["color"] if style["linestyle"] == "-" else "white"
        marks = {"marker": "o", "markersize": 4, "markerfacecolor": inner, "markevery": 1 + len(scores) // 16}
        ax.plot(steps, mean, label=name, **marks, **style)
        low = _log_low(mean, low) if log else low
        ax.fill_between(steps, low, high, color=style["color"], alpha=0.2, linewidth=0)
    if log:
        ax.set_yscale("log")
        use_decimals(ax.yaxis)
    elif measure == "accuracy":
        ax.yaxis.set_major_locator(UpTo100())
    ax.set_ylabel(_label(measure))
    ax.set_xlabel("inner steps on the support set")
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=STEPS, integer=True))
    ax.legend()
    return ax


def _label(measure: str) -> str:
    return "accuracy (%)" if measure == "accuracy" else measure


def _measure(name: str, scores: Mapping[str, Score]) -> tuple[str, int]:
    """The one measure of all scores, and what a figure multiplies it by."""
    by_name(Score, "a Score", **{name: scores})
    measures = {score.measure: None for score in scores.values()}
    if len(measures) > 1:
        raise ValueError(f"{name} are of {' and '.join(measures)}, expected one measure")
    measure = next(iter(measures))
    return measure, 100 if measure == "accuracy" else 1


def _log_low(mean: ArrayLike, low: ArrayLike) -> np.ndarray:
    """The low end of an interval on a log axis: one that holds zero is drawn down to a tenth of its mean."""
    return np.where(np.asarray(low) > 0, low, np.asarray(mean) / 10)


def _positive(argument: str, scores: Mapping[str, Score]) -> None:
    for name, score in scores.items():
        if not score.mean > 0:
            raise ValueError(f"{argument}: {name} has mean {score.mean:.3g}, expected positive ones with log=True")
