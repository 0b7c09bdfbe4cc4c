"""The search on tasks whose best inner learning rate is known, and what it refuses."""

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_lib.evaluation.tuning import all_settings, best_setting


def parabolas(num_tasks: int = 40):
    """y = a·x at x = 1, with a from a normal distribution: the loss (w − a)² has curvature 2, so that one step of rate
    ½ from any start ends at the minimum; at rate α the error is (1 − 2α)² of that before."""
    a = np.random.default_rng(0).normal(size=(num_tasks, 1, 1)).astype("float32")
    ones = np.ones_like(a)
    return {"support_x": ones, "support_y": a, "query_x": ones}, a


def descended(inner_lr: float) -> ml.FromScratch:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    learner = ml.FromScratch(model, inner_lr=inner_lr, inner_steps=1)
    learner.compile(loss="mse")
    return learner


def test_the_best_rate_is_that_of_the_closed_form():
    tuned = ml.tune(descended, {"inner_lr": [0.1, 0.3, 0.5, 0.8]}, parabolas(), num_tasks=40)
    assert tuned.best == {"inner_lr": 0.5} and tuned.learner.inner_lr == 0.5
    start = tuned.tried[0][1].mean / 0.8**2
    for setting, score in tuned.tried:
        assert score.mean == pytest.approx((1 - 2 * setting["inner_lr"]) ** 2 * start, abs=1e-5)
    assert str(tuned).splitlines()[2].endswith("<- best")


@pytest.mark.parametrize("rates", [[0.1, 0.3, 0.5], [0.5, 0.7, 0.9]])
def test_a_best_value_at_the_edge_is_no_result(rates):
    with pytest.raises(ValueError, match=r"^grid\['inner_lr'\] has its best value, 0.5, at the edge of .* widen it$"):
        ml.tune(descended, {"inner_lr": rates}, parabolas(), num_tasks=40)


def test_a_setting_that_diverges_counts_as_tried():
    tuned = ml.tune(descended, {"inner_lr": [0.1, 0.5, 3e38]}, parabolas(), num_tasks=40)
    assert tuned.best == {"inner_lr": 0.5} and tuned.tried[2] == ({"inner_lr": 3e38}, None)
    assert "inner_lr=3e+38: diverged" in str(tuned)
    with pytest.raises(ValueError, match=r"expected a setting with which training does not diverge$"):
        ml.tune(descended, {"inner_lr": [2e38, 3e38]}, parabolas(), num_tasks=40)


def test_more_is_better_where_it_is():
    tried = [
        ({"scale": scale}, ml.Score(np.full(3, right), "accuracy")) for scale, right in ((1, 0.2), (2, 0.9), (4, 0.5))
    ]
    assert best_setting({"scale": [1, 2, 4]}, tried) == {"scale": 2}


def test_words_have_no_edge_and_the_last_argument_changes_fastest():
    grid = {"adapted": ["all", "head"], "inner_lr": [0.1, 0.2, 0.3]}
    settings = all_settings(grid)
    assert settings[:2] == [{"adapted": "all", "inner_lr": 0.1}, {"adapted": "all", "inner_lr": 0.2}]
    tried = [(setting, ml.Score(np.full(3, float(setting != settings[4])), "regret")) for setting in settings]
    assert best_setting(grid, tried) == {"adapted": "head", "inner_lr": 0.2}


@pytest.mark.parametrize(
    "grid, error, sentence",
    [
        ({}, TypeError, r"^grid is {}, expected a dictionary"),
        ({"a": 0.1}, TypeError, r"^grid\['a'\] is a float, expected a list of values$"),
        ({"a": [0.1]}, ValueError, r"^grid\['a'\] is \[0.1\], expected at least two different values$"),
        ({"a": [0.1, 0.1]}, ValueError, r"^grid\['a'\] is .*, expected at least two different values$"),
        ({"a": [0.2, 0.1]}, ValueError, r"^grid\['a'\] is \[0.2, 0.1\], expected rising numbers$"),
    ],
)
def test_grids_that_are_refused(grid, error, sentence):
    with pytest.raises(error, match=sentence):
        ml.tune(descended, grid, parabolas())
