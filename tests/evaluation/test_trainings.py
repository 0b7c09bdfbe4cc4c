"""Intervals over trainings and tasks: by hand, against a second derivation, and by simulated coverage."""

import numpy as np
import pytest
from scipy import stats

import metalearn_lib as ml
from metalearn_lib.evaluation.intervals import crossed


def test_three_trainings_and_two_tasks_by_hand():
    """[[0, 2], [1, 5], [2, 8]]: mean 3.

    Rows 1, 3, 5: MS_R = 2·(4 + 0 + 4)/2 = 8; columns 1, 5: MS_T = 3·(4 + 4)/1 = 24; rest [[1, −1], [0, 0], [−1, 1]]:
    MS_E = 4/2 = 2. Variance (8 + 24 − 2)/6 = 5, degrees of freedom 30² / (8²/2 + 24²/1 + 2²/2) = 900/610.
    """
    score = ml.Score(np.array([[0.0, 2.0], [1.0, 5.0], [2.0, 8.0]]), "regret")
    assert score.mean == 3 and (score.trainings, score.num_tasks) == (3, 2)
    assert score.half_width == pytest.approx(stats.t.ppf(0.975, 900 / 610) * np.sqrt(5))


def test_equal_trainings_are_one_training_and_equal_tasks_are_a_sample_of_trainings():
    """Where trainings do not differ, MS_R = MS_E = 0 leaves Student's interval over tasks; and the other way round."""
    tasks = np.random.default_rng(0).normal(size=50)
    alone = ml.Score(tasks, "regret")
    np.testing.assert_allclose(crossed(np.tile(tasks, (5, 1))), alone.half_width)
    np.testing.assert_allclose(crossed(np.tile(tasks[:, None], (1, 7))), alone.half_width)
    assert crossed(np.ones((5, 7))) == 0


@pytest.mark.parametrize("trainings", [3, 5])
@pytest.mark.parametrize("of_training, of_task", [(0, 1), (0.1, 1), (0.5, 1), (1, 0)])
def test_the_interval_covers_what_it_says_and_one_over_tasks_does_not(trainings, of_training, of_task):
    """2,000 simulations: the standard error of a share of 0.95 is 0.005."""
    rng = np.random.default_rng(trainings)
    held = held_by_tasks = 0
    for _ in range(2_000):
        rest = 0.5 * rng.normal(size=(trainings, 200))
        values = of_training * rng.normal(size=(trainings, 1)) + of_task * rng.normal(size=200) + rest
        held += abs(values.mean()) <= crossed(values)
        held_by_tasks += abs(values.mean()) <= ml.Score(values.mean(axis=0), "regret").half_width
    assert (0.92 if trainings == 5 else 0.905) <= held / 2_000 <= 0.965
    if of_training == 0.5:
        assert 0.3 < held_by_tasks / 2_000 < 0.6


def scores(trainings: int, seed: int = 0) -> list[ml.Score]:
    values = np.random.default_rng(seed).normal(size=(trainings, 20))
    return [ml.Score(row, "regret", "these") for row in values]


def test_differences_are_paired_by_task_and_by_training():
    a, b = ml.over_trainings(scores(5)), ml.over_trainings(scores(5, seed=1))
    np.testing.assert_array_equal((a - b).values, a.values - b.values)
    untrained = ml.Score(np.arange(20.0), "regret", "these")
    np.testing.assert_array_equal((a - untrained).values, a.values - np.arange(20.0))
    np.testing.assert_array_equal((untrained - a).values, np.arange(20.0) - a.values)
    with pytest.raises(ValueError, match=r"^other is of 3 trainings, expected 5 as here$"):
        a - ml.over_trainings(scores(3))


def test_what_is_refused():
    two, of_other_tasks = scores(3), ml.Score(np.ones(20), "regret", "others")
    with pytest.raises(ValueError, match=r"^scores has 2 trainings, expected at least 3$"):
        ml.over_trainings(two[:2])
    with pytest.raises(ValueError, match=r"^scores\[3\] is a regret of other tasks, expected all of the same tasks$"):
        ml.over_trainings([*two, of_other_tasks])
    with pytest.raises(ValueError, match=r"^scores\[0\] is of 3 trainings, expected the score of one$"):
        ml.over_trainings([ml.over_trainings(two)] * 3)
