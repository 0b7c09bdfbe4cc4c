"""A bend whose geometry is known, and a controller that knows the truth."""

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.applications.driving.control import LANE, STEERING_RATE, Bend, corrected, equations, follow_bend
from metalearn_course.applications.driving.drives import CHANGE_SCALE
from metalearn_course.applications.driving.fleet import fleet_drives
from metalearn_course.applications.driving.vehicle import GRAVITY, INTERVAL, VAN, loaded

SPEED = np.float32([15.0, 20.0])
CARS = {"van": VAN}


@pytest.fixture(scope="module")
def bend() -> Bend:
    return Bend(SPEED, np.float32(0.5 * GRAVITY * 0.9) / SPEED**2)


def test_a_bend_turns_by_its_curvature_times_its_length(bend):
    # Two ramps of 1 s make up for one second: the angle is κ·v·(end − entry − ramp).
    distance = np.linspace(0, 100, 20_001, dtype="float32")[None].repeat(2, axis=0)
    angle = np.trapezoid(bend.curvature_at(distance).numpy(), distance, axis=1)
    np.testing.assert_allclose(angle, bend.curvature * bend.speed * 2.5, rtol=1e-3)


def test_coordinates_on_a_constant_curve_are_a_circle():
    circle = Bend(SPEED, np.float32([0.02, 0.01]), entry=-1.0, end=100.0)
    distance, side = np.linspace(0, 60, 50), 1.5
    found = circle.coordinates(0, np.stack([distance, np.full(50, side)], axis=-1))
    angle, radius = 0.02 * distance, 50 - side
    np.testing.assert_allclose(found, np.stack([radius * np.sin(angle), 50 - radius * np.cos(angle)], -1), atol=1e-3)


def test_moving_in_a_circle_stays_on_the_circle(bend):
    circle = Bend(SPEED, np.float32([0.02, 0.01]), entry=-1.0, end=100.0)
    yaw_rate = SPEED * [0.02, 0.01]
    state = np.stack([np.zeros(2), yaw_rate], axis=-1).astype("float32")[:, None]
    place = np.zeros((2, 1, 3), "float32")
    for _ in range(20):
        place = circle.move(place, state, state)
    np.testing.assert_allclose(place[:, 0], np.stack([SPEED, [0, 0], [0, 0]], axis=-1), atol=1e-3)


def test_the_true_model_keeps_to_the_middle_and_a_wrong_one_does_not(bend):
    vehicle = loaded(np.float32([0.9, 0.9]), 300.0, 2.0)
    exact = follow_bend(bend, vehicle, equations(vehicle, bend.speed), [1, 20], seed=None)
    assert exact.places.shape == (2, 2, 86, 3) and exact.steering.shape == (2, 2, 85)
    assert exact.largest_offset.max() < 0.06
    # Who sees everything or knows everything sees and knows the same.
    np.testing.assert_allclose(exact.places[0], exact.places[1], atol=0.02)
    wrong = follow_bend(bend, vehicle, equations(loaded(np.float32([0.4, 0.4])), bend.speed), [1, 20], seed=None)
    assert (wrong.largest_offset[1] > 4 * exact.largest_offset[1]).all()
    assert (wrong.largest_offset[0] < 0.2).all() and LANE > 0.2


def test_wheels_turn_no_faster_than_they_can(bend):
    vehicle = loaded(np.float32([0.9, 0.9]))
    steering = follow_bend(bend, vehicle, equations(vehicle, bend.speed), [5], seed=1).steering
    turns = np.abs(np.diff(steering, axis=-1, prepend=0))
    assert 0.01 < turns.max() <= STEERING_RATE * INTERVAL + 1e-6


def test_noise_has_a_seed(bend):
    vehicle = loaded(np.float32([0.9, 0.9]))
    model = equations(vehicle, bend.speed)
    first, again, other = (follow_bend(bend, vehicle, model, [5], seed=seed).places for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_a_correction_is_added_to_the_nominal_equations():
    # A network of which only the bias of the output is left corrects every state by CHANGE_SCALE times that bias.
    model = ml.networks.mlp(3, 2, (4,))
    bias = np.float32([0.3, -0.2])
    model.set_weights([*(np.zeros_like(w) for w in model.get_weights()[:-1]), bias])
    learner = ml.JointTraining(model)
    learner.compile(loss="mse")
    fleet = fleet_drives(3, 20, vehicles=CARS)
    task, _ = fleet.task(slice(0, 10), slice(10, 20))
    states, steering = fleet.drives.states[:, 4:9], fleet.drives.steering[:, 4:9]
    expected = equations(fleet.nominal, fleet.drives.speed)(states, steering)
    found = corrected(fleet.nominal, learner, task, fleet.drives.speed)(states, steering)
    np.testing.assert_allclose(found - expected, np.broadcast_to(bias * CHANGE_SCALE, found.shape), atol=1e-6)
