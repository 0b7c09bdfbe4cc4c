"""Figures of tasks, and figures in motion: what stands in them, not how they look."""

import io

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from matplotlib.colors import same_color

import metalearn_lib as ml


def test_a_regression_task_is_drawn_in_the_order_of_x():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 3)
    ax = ml.plot_regression(task, query_y, {"zero": 0 * query_y}, index=2)
    truth, predicted, support = ax.lines
    assert (np.diff(truth.get_xdata()) >= 0).all() and (predicted.get_ydata() == 0).all()
    np.testing.assert_array_equal(support.get_ydata(), task["support_y"][2, :, 0])


def test_predictions_have_the_styles_of_their_learners():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 2)
    predictions = {"MAML, 1 step": query_y, "zero": 0 * query_y, "MAML, 10 steps": 2 * query_y}
    _, *drawn, _ = ml.plot_regression(task, query_y, predictions).lines
    styles = [{"color": line.get_color(), "linestyle": line.get_linestyle()} for line in drawn]
    assert styles == list(ml.plots.curve_styles(predictions).values())


def test_a_plane_shows_every_example():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.linear_classification(shots=3, queries=4), 2)
    ax = ml.plot_plane(task, query_y, probabilities=np.zeros((5, 5)))
    assert sorted(len(line.get_xdata()) for line in ax.lines) == [3, 3, 4, 4]


def test_probabilities_are_a_shade_from_one_class_to_the_other():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.linear_classification(), 2)
    grid = np.linspace(0, 1, 5)[None] * np.ones((5, 1))
    ax = ml.plot_plane(task, query_y, grid)
    (shade,) = ax.images
    assert shade.get_clim() == (0, 1)
    np.testing.assert_array_equal(shade.get_array(), grid)
    left, right, bottom, top = shade.get_extent()  # the middles of the outermost pixels are the ends of the axes
    assert (left, right, bottom, top) == (-1.25, 1.25, -1.25, 1.25) and ax.get_xlim() == ax.get_ylim() == (-1, 1)
    for end, color in ((0.0, ml.plots.COLORS[0]), (1.0, ml.plots.COLORS[1])):
        assert same_color(shade.cmap(end), color)


def test_the_true_boundary_is_dashed_where_the_values_change_their_sign():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.linear_classification(), 2)
    x = np.linspace(-1, 1, 9)
    ax = ml.plot_plane(task, query_y, truth=np.tile(x - 0.3, (9, 1)))
    (line,) = ax.collections
    assert line.get_linestyle()[0][1] is not None
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 0.3)
    assert not ml.plot_plane(task, query_y, truth=np.ones((9, 9))).collections


@pytest.mark.parametrize(("ways", "shots"), [(5, 2), (1, 1)])
def test_an_episode_has_a_row_for_each_class(ways, shots):
    images = np.random.default_rng(0).uniform(size=(1, ways * 3, 8, 8, 1))
    labels = np.tile(np.repeat(np.arange(ways), shots), (1, 1))
    queries = np.tile(np.repeat(np.arange(ways), 2), (1, 1))
    task = {"support_x": images[:, : ways * shots], "support_y": labels, "query_x": np.repeat(images, 2, 1)}
    task["query_x"] = task["query_x"][:, : ways * 2]
    figure = ml.plot_episode(task, queries)
    assert sum(len(ax.images) for ax in figure.axes) == ways * (shots + 2)


def test_an_animation_has_every_frame_and_leaves_no_figure_open():
    figure, ax = plt.subplots(figsize=(1, 1))
    drawn = []

    def draw(number):
        drawn.append(number)
        ax.clear()
        ax.bar(number, number + 1)

    picture = ml.plots.animation(figure, draw, frames=3, seconds=0.1)
    frames = PIL.Image.open(io.BytesIO(picture.data))
    durations, colours = [], set()
    for number in range(frames.n_frames):
        frames.seek(number)
        durations.append(frames.info["duration"])
        colours.add(frames.convert("RGB").tobytes())
    assert drawn == [0, 1, 2] and durations == [100, 100, 1000] and len(colours) == 3
    assert not plt.fignum_exists(figure.number)


@pytest.mark.parametrize(("dpi", "width"), [(160, 200), (70, 140)])
def test_an_animation_is_shown_as_large_as_a_picture(dpi, width):
    picture = ml.plots.animation(plt.figure(figsize=(2, 1), dpi=dpi), lambda _: None, frames=1)
    assert picture.width == width
