"""Drives as tasks: what is noisy, what is true, what a seed fixes."""

from dataclasses import replace

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.applications.driving.drives import (
    CHANGE_SCALE,
    NOISE,
    POSITION,
    SPEED,
    STATE_SCALE,
    drives,
    predict_ahead,
    random_drives,
    vehicle_examples,
)
from metalearn_course.applications.driving.vehicle import EMPTY_MASS, WHEELBASE, simulate_vehicle


def test_examples_hold_the_drive():
    drive = random_drives(3, 30, seed=4)
    x, y = (part.numpy() for part in vehicle_examples(drive.states, drive.steering, drive.speed))
    assert x.shape == (3, 30, 4) and y.shape == (3, 30, 2)
    np.testing.assert_allclose(x[..., :2] * STATE_SCALE, drive.states[:, :-1], rtol=1e-5)
    rebuilt = drive.states[:, :1] + np.cumsum(y * CHANGE_SCALE, axis=1)
    np.testing.assert_allclose(rebuilt, drive.states[:, 1:], atol=1e-4)


def test_a_stream_is_fixed_by_its_seed():
    first, again, other = (ml.tasks.gather_tasks(drives(queries=7, meta_batch_size=3, seed=s), 6) for s in (1, 1, 2))
    shapes = {name: array.shape for name, array in first[0].items()}
    assert shapes == {"support_x": (6, 20, 4), "support_y": (6, 20, 2), "query_x": (6, 7, 4)}
    assert first[1].shape == (6, 7, 2)
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.isclose(first[1], other[1]).any()
    assert len({array.tobytes() for array in first[0]["support_x"]}) == 6


def test_supports_are_measured_and_queries_are_true():
    drive = random_drives(200, 60, seed=0)
    task, query_y = drive.task(slice(0, 20), slice(20, 60))
    x, _ = vehicle_examples(drive.states, drive.steering, drive.speed)
    noise = (task["support_x"] - x[:, :20]).numpy() * (*STATE_SCALE, 1, 1)
    np.testing.assert_allclose(noise.std(axis=(0, 1)), (*NOISE, 0, 0), rtol=0.05)
    # The vehicle itself is the perfect learner: from a query's situation it drives exactly to the query's target.
    start, steering = drive.states[:, 40], drive.steering[:, 40:41]
    change = (simulate_vehicle(drive.vehicle, steering, drive.speed, start)[:, 1] - start).numpy() / CHANGE_SCALE
    np.testing.assert_allclose(change, query_y[:, 20], atol=1e-3)


def test_drives_are_drawn_from_their_ranges():
    drive = random_drives(2_000, 200, seed=3, demand=(2.0, 2.0), friction=(0.4, 0.6), load=(100.0, 300.0))
    van = drive.vehicle
    for values, low, high in (
        (van.friction, 0.4, 0.6),
        (van.mass, EMPTY_MASS + 100, EMPTY_MASS + 300),
        (drive.speed, *SPEED),
    ):
        assert low <= values.numpy().min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.numpy().max() <= high
    assert POSITION[0] < POSITION[1] < WHEELBASE
    # Asked for 2 m/s² (standard deviation over a long time), with δ = L·a/v².
    asked = drive.steering.numpy() * drive.speed.numpy()[:, None] ** 2 / WHEELBASE
    assert np.sqrt((asked**2).mean()) == pytest.approx(2.0, rel=0.03)


def test_a_drive_goes_on_on_another_road():
    dry = random_drives(4, 20, seed=5, demand=(3.0, 3.0), friction=(0.9, 0.9))
    steering = random_drives(4, 30, seed=6, demand=(3.0, 3.0)).steering
    icy = replace(dry.vehicle, friction=np.float32(0.2))
    drive = dry.go_on(icy, steering, seed=1)
    assert drive.states.shape == drive.measured.shape == (4, 51, 2) and drive.steering.shape == (4, 50)
    np.testing.assert_array_equal(drive.states[:, :21], dry.states)
    np.testing.assert_array_equal(drive.measured[:, :21], dry.measured)
    np.testing.assert_array_equal(drive.states[:, 20:], simulate_vehicle(icy, steering, dry.speed, dry.states[:, -1]))
    stays_dry = dry.go_on(dry.vehicle, steering, seed=1)
    assert np.abs(drive.states - stays_dry.states).max() > 0.1


def test_predicting_ahead_feeds_predictions_back():
    # A linear model y = x·W: the state after a step is s + CHANGE_SCALE · [s / STATE_SCALE, δ, v]·W.
    model = ml.networks.mlp(4, 2, hidden=())
    weights = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    model.set_weights([weights, np.zeros(2, "float32")])
    learner = ml.JointTraining(model)
    learner.compile(loss="mse")
    drive = random_drives(3, 25, seed=7)
    task, _ = drive.task(slice(0, 20), slice(20, 25))
    ahead = predict_ahead(learner, task, drive.states[:, 20], drive.steering[:, 20:], drive.speed).numpy()
    assert ahead.shape == (3, 6, 2)
    state = drive.states[:, 20].numpy()
    for step in range(5):
        x, _ = vehicle_examples(np.stack([state, state], axis=1), drive.steering[:, 20 + step : 21 + step], drive.speed)
        state = state + np.float32(CHANGE_SCALE) * (x[:, 0].numpy() @ weights)
        np.testing.assert_allclose(ahead[:, step + 1], state, rtol=1e-4, atol=1e-5)


def test_predicting_ahead_adapts_first():
    learner = ml.FromScratch(ml.networks.mlp(4, 2, hidden=(8,)), inner_lr=0.05, inner_steps=30)
    learner.compile(loss="mse")
    drive = random_drives(3, 21, seed=8)
    task, _ = drive.task(slice(0, 20), slice(20, 21))
    ahead = predict_ahead(learner, task, drive.states[:, 20], drive.steering[:, 20:], drive.speed).numpy()
    change = (ahead[:, 1] - ahead[:, 0]) / CHANGE_SCALE
    np.testing.assert_allclose(change, learner.predict(task)[:, 0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("seconds", [0, 0.07, -1])
def test_seconds_must_be_whole_intervals(seconds):
    with pytest.raises(ValueError, match="seconds is"):
        drives(seconds=seconds)


def test_counts_are_checked():
    with pytest.raises(ValueError, match="queries is 0"):
        drives(queries=0)
    with pytest.raises(ValueError, match="num_tasks is 0"):
        random_drives(0, 10)
