"""Figures of scores: what stands where, not how it looks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex

import metalearn_lib as ml


def accuracy(*values: float) -> ml.Score:
    return ml.Score(np.array(values), "accuracy")


def error(*values: float) -> ml.Score:
    return ml.Score(np.array(values), "mean squared error")


def of_trainings(values: np.ndarray) -> ml.Score:
    score = error(1.0, 2.0)
    object.__setattr__(score, "values", values)
    return score


def inside(ax) -> bool:
    """Whether every number lies in the frame of its axes."""
    ax.figure.canvas.draw()
    frame = ax.get_window_extent()
    extents = [text.get_window_extent() for text in ax.texts]
    return all(frame.x0 <= extent.x0 and extent.x1 <= frame.x1 for extent in extents)


SCORES = {"from scratch": accuracy(0.5, 0.7, 0.9), "MAML": accuracy(0.1, 0.2, 0.3)}


def test_bars_have_means_intervals_and_numbers():
    ax = ml.plot_scores(SCORES)
    assert [round(bar.get_width()) for bar in ax.patches] == [70, 20] and [bar.get_x() for bar in ax.patches] == [0, 0]
    assert [t.get_text() for t in ax.texts] == [str(s) for s in SCORES.values()]
    assert [t.get_text() for t in ax.get_yticklabels()] == list(SCORES)
    assert ax.yaxis_inverted() and len(ax.containers) == 4  # bars and their intervals


def test_bars_have_the_colours_of_their_learners_and_others_are_grey():
    ax = ml.plot_scores(SCORES | {"something else": accuracy(0.1, 0.2)})
    colors = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert [color.upper() for color in colors] == [ml.plots.color_of(name) for name in (*SCORES, "unknown")]
    assert colors[-1][1:3] == colors[-1][3:5] == colors[-1][5:]


def test_the_grid_lies_behind_the_bars_with_any_style():
    with plt.rc_context({"axes.axisbelow": False}):
        assert ml.plot_scores(SCORES).get_axisbelow() is True


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("values", [(0.98, 1.0), (0.01, 0.02)])
def test_numbers_lie_inside_the_frame(log, values):
    assert inside(ml.plot_scores({"a": accuracy(*values), "from scratch, 1000 steps": accuracy(0.5, 0.6)}, log=log))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_score_without_a_spread_has_a_figure(value, log):
    if value or not log:
        ax = ml.plot_scores({"a": error(value, value)}, log=log)
        assert inside(ax) and ax.get_xlim()[0] <= value < ax.get_xlim()[1]


@pytest.mark.parametrize("sharex", [False, True])
@pytest.mark.parametrize("styled", [False, True])
def test_numbers_lie_inside_the_frames_of_panels(sharex, styled):
    if styled:
        ml.plots.use_style()
    _, axes = plt.subplots(1, 2, figsize=(10, 2.5), sharex=sharex)
    for ax, top in zip(axes, (0.5, 1.0), strict=True):
        ml.plot_scores({"a rather long name of a learner": accuracy(top - 0.01, top), "b": accuracy(0.2, 0.3)}, ax)
    assert inside(axes[0]) and inside(axes[1])
    assert (axes[0].get_xlim() == axes[1].get_xlim()) is sharex


def test_the_number_of_a_negative_bar_stands_at_its_own_end():
    ax = ml.plot_scores({"worse": error(-3.0, -2.8), "even": error(-0.4, 0.3), "better": error(0.9, 1.0)})
    assert inside(ax)
    for text, score, bar in zip(ax.texts, (-2.9, -0.05, 0.95), ax.patches, strict=True):
        extent, end = text.get_window_extent(), ax.transData.transform((score, 0))[0]
        assert extent.x1 < end if score < 0 else extent.x0 > end
        assert bar.get_x() + min(bar.get_width(), 0) == pytest.approx(min(score, 0))
    assert ax.get_xlim()[0] < -2.9 and ax.get_xlim()[1] > 0.95


def test_a_figure_too_narrow_for_its_numbers_still_shows_bars():
    _, ax = plt.subplots(figsize=(1.2, 1))
    ml.plot_scores({"worse": error(-3.0, -2.8), "better": error(0.9, 1.0)}, ax)
    low, high = ax.get_xlim()
    assert -30 < low < -2.9 and 0.95 < high < 30


def test_accuracies_have_no_ticks_beyond_100():
    ax = ml.plot_scores({"a": accuracy(0.98, 1.0), "b": accuracy(1.0, 1.0)})
    ax.figure.canvas.draw()
    assert max(ax.get_xticks()) == 100 < ax.get_xlim()[1]
    curve = [accuracy(0.8, 0.9), accuracy(0.8, 1.0), accuracy(1.0, 1.0)]
    ax = ml.plot_curves({"a": curve})
    ax.figure.canvas.draw()
    assert max(ax.get_yticks()) == 100


def test_on_a_log_axis_stand_points_with_intervals():
    ax = ml.plot_scores({"MAML": error(0.9, 1.1), "Reptile": error(9.0, 11.0), "wide": error(0.1, 3.0)}, log=True)
    assert ax.get_xscale() == "log" and not ax.patches
    points = [container.lines[0] for container in ax.containers]
    np.testing.assert_allclose([point.get_xdata()[0] for point in points], [1.0, 10.0, 1.55])
    assert same_color(points[0].get_color(), ml.plots.color_of("MAML"))
    ends = ax.containers[1].lines[2][0].get_segments()[0][:, 0]
    score = error(9.0, 11.0)
    np.testing.assert_allclose(ends, [10 - score.half_width if score.low > 0 else 1.0, score.high])


def test_ticks_of_log_axes_are_plain_decimals():
    ax = ml.plot_scores({"a": error(0.2, 0.21), "b": error(4.0, 4.1)}, log=True)
    ax.figure.canvas.draw()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert {"0.2", "0.5", "1", "2"} <= set(labels) <= {"0.1", "0.2", "0.5", "1", "2", "5", "10"}
    assert not len(ax.get_xticks(minor=True))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 2, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
        (1e-4, 10, [1e-4, 1e-3, 1e-2, 0.1, 1, 10]),
        (3.1, 4.6, [3.5, 4, 4.5]),
    ],
)
def test_log_axes_have_some_ticks_and_not_too_many(low, high, expected):
    ax = ml.plot_curves({"a": [error(low, low), error(high, high)]}, log=True)
    ax.set_ylim(low, high)
    np.testing.assert_allclose(ax.get_yticks(), expected)
    ax.set_ylim(1e-20, 1e20)
    assert 3 <= len(ax.get_yticks()) <= 9


@pytest.mark.parametrize("log", [False, True])
def test_every_training_is_a_dot(log):
    values = np.array([[0.8, 1.0, 1.2], [1.0, 1.2, 1.4], [2.0, 2.2, 2.4]])
    ax = ml.plot_scores({"MAML": of_trainings(values), "Reptile": error(1.0, 1.1)}, log=log)
    dots = [line for line in ax.lines if line.get_color() == "white"]
    np.testing.assert_allclose(dots[0].get_xdata(), [1.0, 1.2, 2.2])
    assert set(dots[0].get_ydata()) == {0} and not len(dots[1].get_xdata())
    assert inside(ax) and ax.texts[0].get_window_extent().x0 > ax.transData.transform((2.2, 0))[0]


@pytest.mark.parametrize("measure", ["accuracy", "distance (cm)"])
def test_axes_are_labelled_with_the_measure(measure):
    score = ml.Score(np.array([0.2, 0.3]), measure)
    label = "accuracy (%)" if measure == "accuracy" else measure
    assert ml.plot_scores({"a": score}).get_xlabel() == label
    assert ml.plot_curves({"a": [score, score]}).get_ylabel() == label


def test_curves_run_over_inner_steps():
    curve = [error(v, v + 1) for v in (3.0, 2.0, 1.0)]
    ax = ml.plot_curves({"maml": curve})
    x, y = ax.lines[0].get_data()
    np.testing.assert_array_equal(x, [0, 1, 2])
    np.testing.assert_allclose(y, [3.5, 2.5, 1.5])
    assert "steps" in ax.get_xlabel() and "error" in ax.get_ylabel()


def test_curves_have_the_styles_of_their_learners_and_bands_their_colours():
    curves = {name: [error(1.0, 1.2), error(0.5, 0.6)] for name in ("MAML, a", "something", "MAML, b")}
    ax = ml.plot_curves(curves, log=True)
    styles = [{"color": line.get_color(), "linestyle": line.get_linestyle()} for line in ax.lines]
    assert styles == list(ml.plots.curve_styles(curves).values()) and ax.get_yscale() == "log"
    for line, band in zip(ax.lines, ax.collections, strict=True):
        assert same_color(line.get_color(), band.get_facecolor()[0][:3])


def test_what_is_not_positive_has_no_place_on_a_log_axis():
    for draw, value in ((ml.plot_scores, error(-1.0, 0.5)), (ml.plot_curves, [error(-1.0, 0.5)])):
        with pytest.raises(ValueError, match=r"scores|curves.*has mean -0.25, expected positive ones with log=True"):
            draw({"a": value}, log=True)
