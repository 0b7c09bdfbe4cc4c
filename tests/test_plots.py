"""Figures: what stands in them, not how they look."""

import io

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest

import metalearn_lib as ml


@pytest.fixture(autouse=True)
def closed():
    with plt.rc_context():
        yield
    plt.close("all")


def test_bars_have_means_intervals_and_numbers():
    scores = {
        "a": ml.Score(np.array([0.5, 0.7, 0.9]), "accuracy"),
        "b": ml.Score(np.array([0.1, 0.2, 0.3]), "accuracy"),
    }
    ax = ml.plot_scores(scores)
    assert [round(bar.get_width()) for bar in ax.patches] == [70, 20]
    assert [t.get_text() for t in ax.texts] == [str(s) for s in scores.values()]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"] and "%" in ax.get_xlabel()


def test_curves_run_over_inner_steps():
    curve = [ml.Score(np.array([v, v + 1]), "mean squared error") for v in (3.0, 2.0, 1.0)]
    ax = ml.plot_curves({"maml": curve})
    x, y = ax.lines[0].get_data()
    np.testing.assert_array_equal(x, [0, 1, 2])
    np.testing.assert_allclose(y, [3.5, 2.5, 1.5])
    assert "steps" in ax.get_xlabel() and "error" in ax.get_ylabel()


def test_a_regression_task_is_drawn_in_the_order_of_x():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 3)
    ax = ml.plot_regression(task, query_y, {"zero": 0 * query_y}, index=2)
    truth, predicted, support = ax.lines
    assert (np.diff(truth.get_xdata()) >= 0).all() and (predicted.get_ydata() == 0).all()
    np.testing.assert_array_equal(support.get_ydata(), task["support_y"][2, :, 0])


def test_a_plane_shows_every_example():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.linear_classification(shots=3, queries=4), 2)
    ax = ml.plot_plane(task, query_y, probabilities=np.zeros((5, 5)))
    assert sorted(len(line.get_xdata()) for line in ax.lines) == [3, 3, 4, 4]


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
