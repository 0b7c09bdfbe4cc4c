"""Task families: what they promise about their examples, and streams that a seed fixes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import metalearn_lib as ml

few = settings(max_examples=10, deadline=None)


@few
@given(
    shots=st.integers(1, 12), queries=st.integers(1, 12), meta_batch_size=st.integers(1, 9), seed=st.integers(0, 2**40)
)
def test_sinusoids_are_sinusoids(shots, queries, meta_batch_size, seed):
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(shots, queries, meta_batch_size, seed), meta_batch_size)
    assert task["support_x"].shape == task["support_y"].shape == (meta_batch_size, shots, 1)
    assert task["query_x"].shape == query_y.shape == (meta_batch_size, queries, 1)
    x = np.concatenate([task["support_x"], task["query_x"]], 1)[..., 0].astype(float)
    y = np.concatenate([task["support_y"], query_y], 1)[..., 0].astype(float)
    assert np.abs(x).max() <= 5 and np.abs(y).max() <= 5
    # A sin(x − φ) = a sin x − b cos x with a = A cos φ, b = A sin φ: linear in (a, b).
    for x_of, y_of in zip(x, y, strict=True):
        design = np.stack([np.sin(x_of), -np.cos(x_of)], 1)
        (a, b), *_ = np.linalg.lstsq(design, y_of)
        np.testing.assert_allclose(design @ [a, b], y_of, atol=1e-5)
        if len(x_of) > 4:
            assert 0.099 < np.hypot(a, b) < 5.001 and b > -1e-4  # A in [0.1, 5] and φ in [0, π]


@few
@given(shots=st.integers(1, 8), queries=st.integers(1, 8), seed=st.integers(0, 2**40))
def test_two_classes_are_balanced_and_a_line_parts_them(shots, queries, seed):
    task, query_y = ml.tasks.gather_tasks(ml.tasks.linear_classification(shots, queries, 8, seed), 8)
    assert (task["support_y"].sum(1) == shots).all() and (query_y.sum(1) == queries).all()
    x = np.concatenate([task["support_x"], task["query_x"]], 1).astype(float)
    labels = np.concatenate([task["support_y"], query_y], 1)
    assert np.abs(x).max() <= 1
    for x_of, y_of in zip(x, labels, strict=True):
        assert _a_line_parts(x_of, y_of)


def _a_line_parts(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether some w, b have (w·x + b)·sign ≥ 1 for all points, by linear programming."""
    from scipy.optimize import linprog

    signs = np.where(y == 1, 1.0, -1.0)[:, None]
    rows = -signs * np.column_stack([x, np.ones(len(x))])
    return linprog(np.zeros(3), rows, -np.ones(len(x)), bounds=[(None, None)] * 3).status == 0


def test_linear_regression_is_linear_with_the_noise_asked_for():
    """Least squares leaves nothing without noise, and residuals of variance σ² (n − d)/n with it."""
    for noise in (0.0, 0.5):
        task, query_y = ml.tasks.gather_tasks(
            ml.tasks.linear_regression(3, 8, 4, meta_batch_size=100, noise=noise), 1_000
        )
        x = np.concatenate([task["support_x"], task["query_x"]], 1).astype(float)
        y = np.concatenate([task["support_y"], query_y], 1).astype(float)
        assert x.shape == (1_000, 12, 3) and y.shape == (1_000, 12, 1)
        w = np.linalg.pinv(x) @ y
        # The mean square of n = 12,000 values of variance v has standard error v √(2/n) = 0.013 v; four of them.
        np.testing.assert_allclose(((y - x @ w) ** 2).mean(), noise**2 * 9 / 12, rtol=0.052, atol=1e-9)
    # w is normal: E[w wᵀ] = I, up to the noise of its estimate, σ² E[(XᵀX)⁻¹] = σ²/(n − d − 1) = 0.25/8.
    np.testing.assert_allclose(np.einsum("tid,tjd->ij", w, w) / 1_000, (1 + 0.25 / 8) * np.eye(3), atol=0.15)
    np.testing.assert_allclose((x**2).mean(), 1, atol=0.04)


def test_negative_noise_gets_a_sentence():
    with pytest.raises(ValueError, match=r"noise is -0\.1, expected a number in \[0, inf\)"):
        ml.tasks.linear_regression(noise=-0.1)


@pytest.mark.parametrize("family", [ml.tasks.sinusoids, ml.tasks.linear_classification, ml.tasks.linear_regression])
def test_a_seed_fixes_the_stream_and_another_changes_it(family):
    (task, y), (again, y_again) = (ml.tasks.gather_tasks(family(seed=3), 40) for _ in range(2))
    other, _ = ml.tasks.gather_tasks(family(seed=4), 40)
    np.testing.assert_array_equal(y, y_again)
    np.testing.assert_array_equal(task["support_x"], again["support_x"])
    assert not np.isin(other["support_x"], task["support_x"]).all(axis=(1, 2)).any()


def test_no_task_comes_twice_in_a_stream():
    task, _ = ml.tasks.gather_tasks(ml.tasks.sinusoids(meta_batch_size=25), 2_000)  # several blocks
    assert len(np.unique(task["support_x"][:, 0, 0])) > 1_990


def test_the_parameters_fill_their_ranges():
    # With many points a least-squares fit gives each task's A and φ; uniform on [a, b] has deciles a + (b − a)/10 ...
    task, y = ml.tasks.gather_tasks(ml.tasks.sinusoids(shots=1, queries=30, meta_batch_size=100), 2_000)
    x = task["query_x"][..., 0].astype(float)
    design = np.stack([np.sin(x), -np.cos(x)], -1)
    ab = np.stack([np.linalg.lstsq(d, t)[0] for d, t in zip(design, y[..., 0].astype(float), strict=True)])
    for values, low, high in ((np.hypot(*ab.T), 0.1, 5.0), (np.arctan2(ab[:, 1], ab[:, 0]) % (2 * np.pi), 0, np.pi)):
        deciles = np.quantile(values, np.linspace(0.1, 0.9, 9))
        # The standard error of a decile of 2,000 values is at most 0.5/√2000 = 0.011 of the range: 4.5 of them.
        np.testing.assert_allclose(deciles, low + (high - low) * np.linspace(0.1, 0.9, 9), atol=0.05 * (high - low))


def test_a_block_changes_only_how_many_are_drawn_at_once():
    def draw(seed: tf.Tensor, tasks: int):
        x = tf.random.stateless_uniform([tasks, 2, 1], seed)
        return {"support_x": x, "support_y": x, "query_x": x}, x

    stream = ml.tasks.task_stream(draw, meta_batch_size=3, seed=0, block=4)
    shapes = {tuple(y.shape) for _, y in stream.take(9)}
    assert shapes == {(3, 2, 1)}


def test_gathering_cuts_to_the_count():
    task, y = ml.tasks.gather_tasks(ml.tasks.sinusoids(meta_batch_size=25), 60)
    assert len(y) == len(task["support_x"]) == 60
    with pytest.raises(ValueError, match="tasks ended after 50 tasks, expected at least 60"):
        ml.tasks.gather_tasks(ml.tasks.sinusoids(meta_batch_size=25).take(2), 60)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"shots": 0}, "shots is 0, expected a whole number of at least 1"),
        ({"queries": -1}, "queries is -1, expected a whole number of at least 1"),
        ({"meta_batch_size": 2.5}, "meta_batch_size is 2.5, expected a whole number of at least 1"),
    ],
)
def test_wrong_numbers_get_a_sentence(arguments, sentence):
    for family in (ml.tasks.sinusoids, ml.tasks.linear_classification, ml.tasks.linear_regression):
        with pytest.raises(ValueError, match=sentence):
            family(**arguments)
