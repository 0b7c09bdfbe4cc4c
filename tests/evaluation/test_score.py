"""Scores: intervals against SciPy's, coverage by simulation, pairing, and what is refused."""

import numpy as np
import pytest
from scipy import stats

import metalearn_lib as ml


def test_the_interval_is_students():
    values = np.random.default_rng(0).normal(size=17)
    ours = ml.Score(values, "mean squared error")
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([ours.low, ours.high], [low, high])


def test_the_interval_covers_the_truth_as_often_as_it_says():
    # 4,000 samples of 20: the share covered has a standard error of √(0.95·0.05/4000) = 0.0034; four of them.
    samples = np.random.default_rng(0).normal(3.0, 2.0, (4_000, 20))
    scores = [ml.Score(sample, "accuracy") for sample in samples]
    covered = np.mean([s.low < 3.0 < s.high for s in scores])
    assert abs(covered - 0.95) < 0.014


def test_two_values_by_hand():
    # Mean 1, s = √2, t₀.₉₇₅(1) = 12.706: half width 12.706 · √2 / √2.
    assert ml.Score(np.array([0.0, 2.0]), "mean squared error").half_width == pytest.approx(12.7062, abs=1e-4)


def test_a_paired_difference_is_narrower_than_two_intervals():
    rng = np.random.default_rng(0)
    difficulty = rng.normal(size=100)
    a = ml.Score(difficulty + 0.1 * rng.normal(size=100), "mean squared error", "same")
    b = ml.Score(difficulty + 0.1 * rng.normal(size=100), "mean squared error", "same")
    np.testing.assert_allclose((a - b).values, a.values - b.values)
    assert (a - b).half_width < 0.3 * a.half_width


def test_scores_of_other_tasks_are_not_subtracted():
    nearest = ml.NearestNeighbor()
    nearest.compile()
    a, b = (ml.score(nearest, ml.tasks.sinusoids(seed=seed), 10) for seed in (0, 1))
    with pytest.raises(ValueError, match=r"^other is a mean squared error of other tasks"):
        a - b
    assert (a - ml.score(nearest, ml.tasks.sinusoids(seed=0), 10)).mean == 0


def test_accuracy_counts_over_queries_and_takes_the_largest_class():
    # Task 0: classes 1, 0 predicted for 1, 1. Task 1: 2, 2 for 2, 2.
    predictions = np.array([[[0, 5, 1], [9, 5, 1]], [[0, 1, 2], [-3, -2, -1]]], float)
    result = ml.score_predictions(predictions, np.array([[1, 1], [2, 2]]))
    np.testing.assert_array_equal(result.values, [0.5, 1.0])
    assert result.measure == "accuracy"


def test_squared_errors_are_averaged_within_a_task():
    result = ml.score_predictions(
        np.array([[[1.0], [3.0]], [[0.0], [0.0]]]), np.array([[[0.0], [0.0]], [[2.0], [0.0]]])
    )
    np.testing.assert_array_equal(result.values, [5.0, 2.0])


def test_all_learners_see_the_same_tasks():
    learners = {"a": ml.FromScratch(ml.networks.mlp(), inner_steps=1), "b": ml.NearestNeighbor()}
    for learner in learners.values():
        learner.compile(loss="mse")
    scores = ml.compare(learners, ml.tasks.sinusoids(seed=5), 30)
    gathered = ml.compare(learners, ml.tasks.gather_tasks(ml.tasks.sinusoids(seed=5), 30))
    assert scores["a"].tasks == scores["b"].tasks == gathered["a"].tasks
    np.testing.assert_allclose(scores["a"].values, gathered["a"].values, rtol=1e-4)


def test_a_number_of_gathered_tasks_counts():
    nearest = ml.NearestNeighbor()
    nearest.compile()
    stream = ml.tasks.sinusoids(seed=5)
    gathered = ml.tasks.gather_tasks(stream, 30)
    assert len(ml.score(nearest, stream).values) == 600 and len(ml.score(nearest, gathered).values) == 30
    few = ml.score(nearest, gathered, num_tasks=10)
    np.testing.assert_array_equal(few.values, ml.score(nearest, stream, num_tasks=10).values)
    assert ml.audit(nearest, gathered, num_tasks=10).title == "Audit of NearestNeighbor on 10 tasks"
    with pytest.raises(ValueError, match=r"^num_tasks is 31, expected a whole number from 1 to 30$"):
        ml.score(nearest, gathered, num_tasks=31)


def test_a_list_of_values_is_a_score():
    assert ml.Score([0.5, 0.7], "accuracy").mean == pytest.approx(0.6)


def test_an_infinite_class_score_counts_and_an_infinite_value_is_refused():
    certain = np.where(np.eye(2)[[[0, 1], [1, 1]]] > 0, 0, -np.inf)
    assert ml.score_predictions(certain, np.array([[0, 1], [1, 0]])).values.tolist() == [1, 0.5]
    with pytest.raises(
        ValueError, match=r"^predictions of task 1 are infinite, expected numbers: the learner diverged$"
    ):
        ml.score_predictions(np.array([[[0.0]], [[np.inf]]]), np.zeros((2, 1, 1)))


def test_a_curve_begins_without_adaptation_and_ends_as_predict_does():
    learner = ml.MAML(ml.networks.mlp(), inner_steps=4)
    learner.compile(loss="mse")
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(seed=5), 30)
    curve = ml.adaptation_curve(learner, (task, query_y), steps=4)
    assert len(curve) == 5
    plain = np.stack([learner.model(x) for x in task["query_x"]])
    np.testing.assert_allclose(curve[0].values, ml.score_predictions(plain, query_y).values, rtol=1e-4)
    np.testing.assert_allclose(curve[4].values, ml.score(learner, (task, query_y)).values, rtol=1e-4)


@pytest.mark.parametrize(
    ("values", "measure", "shown"),
    [
        ([0.5, 0.7, 0.9], "accuracy", "70 ± 50 %"),
        ([1.00, 1.01, 1.02, 1.03], "mean squared error", "1.015 ± 0.021"),
        ([2.0, 2.0], "mean squared error", "2.00 ± 0.00"),
        ([0.00287, 0.00287], "rate", "0.00287 ± 0.00000"),  # equal values keep their digits
        ([0.2, 0.2 + 1e-17, 0.2 - 3e-17], "accuracy", "20.00 ± 0.00 %"),  # equal, but for rounding
    ],
)
def test_a_score_shows_two_digits_of_its_interval(values, measure, shown):
    assert str(ml.Score(np.array(values), measure)) == shown


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"^values has shape \(1,\), expected one number for each"):
        ml.Score(np.ones(1), "accuracy")
    with pytest.raises(ValueError, match=r"^predictions has shape \(2, 3\), expected \(2, 3, 1\)$"):
        ml.score_predictions(np.zeros((2, 3)), np.zeros((2, 3, 1)))
    with pytest.raises(ValueError, match=r"^predictions of task 1 are NaN, expected numbers: the learner diverged$"):
        ml.score_predictions(np.array([[[0.0]], [[np.nan]]]), np.zeros((2, 1, 1)))
    nearest = ml.NearestNeighbor()
    nearest.compile()
    assert ml.score(nearest, ml.tasks.linear_classification(), 50).mean > 0.7
