"""Real cars against the package's own files, and the identification of their tyres."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from metalearn_course.applications.driving.drives import CHANGE_SCALE, record_drive
from metalearn_course.applications.driving.fleet import (
    FRICTION,
    LOAD,
    TYRES,
    FleetDrives,
    fitted_tyres,
    fleet_drives,
    real_vehicles,
)
from metalearn_course.applications.driving.vehicle import FRONT_COMPLIANCE, GRAVITY, Vehicle, simulate_vehicle

vehiclemodels = pytest.importorskip("vehiclemodels")
FILES = Path(vehiclemodels.__file__).parent / "parameters"
CARS = {"Ford Escort": 1, "BMW 320i": 2, "VW Vanagon": 3}


@pytest.fixture(scope="module")
def fleet() -> FleetDrives:
    return fleet_drives(40, 20, seed=3)


@pytest.mark.parametrize("name", CARS)
def test_parameters_are_those_of_the_files(name):
    text = (FILES / f"parameters_vehicle{CARS[name]}.yaml").read_text()
    file, tyre = yaml.safe_load(text), yaml.safe_load((FILES / "parameters_tire.yaml").read_text())["tire"]
    car = real_vehicles()[name]
    assert f"values are taken from a {name}" in text
    assert (car.mass, car.inertia, car.centre) == (file["m"], file["I_z"], file["a"])
    assert car.wheelbase == pytest.approx(file["a"] + file["b"])
    assert car.friction == tyre["p_dy1"]
    # Table 7's K_y = p_ky1 · F_z with F_z = m·g·b/L in front, m·g·a/L behind.
    weight = file["m"] * GRAVITY / (file["a"] + file["b"])
    stiffness = [-tyre["p_ky1"] * weight * distance for distance in (file["b"], file["a"])]
    np.testing.assert_allclose([float(s) for s in car.stiffness], [FRONT_COMPLIANCE * stiffness[0], stiffness[1]])


@pytest.mark.parametrize("name", CARS)
def test_a_real_car_turns_as_the_linear_model_in_closed_form(name):
    # r = v·δ/(L + K·v²); with C_r = k·F_r and C_f = c·k·F_f the understeer gradient is K = (1/c − 1)/(k·g).
    car, speed, steering = real_vehicles()[name], 20.0, 1e-5
    k = 21.92
    gradient = (1 / FRONT_COMPLIANCE - 1) / (k * GRAVITY)
    car = Vehicle(*(np.float64(field) for field in vars(car).values()))
    yaw_rate = simulate_vehicle(car, np.full(100, steering), np.float64(speed)).numpy()[-1, 1]
    assert yaw_rate == pytest.approx(speed * steering / (car.wheelbase + gradient * speed**2), rel=1e-4)


def test_cars_are_drawn_from_their_ranges():
    fleet = fleet_drives(1_500, 1, seed=1)
    real, nominal = fleet.drives.vehicle, fleet.nominal
    masses = sorted(car.mass for car in real_vehicles().values())
    found, counts = np.unique(nominal.mass.numpy(), return_counts=True)
    np.testing.assert_allclose(found, masses)
    assert counts.min() > 400
    for values, (low, high) in (
        (real.friction, FRICTION),
        (real.mass - nominal.mass, LOAD),
        (real.front / nominal.front, TYRES),
        (real.rear / nominal.rear, TYRES),
    ):
        margin = 0.02 * (high - low)
        assert low - 1e-3 <= values.numpy().min() < low + margin and high - margin < values.numpy().max() <= high + 1e-3
    assert abs(np.corrcoef(real.front / nominal.front, real.rear / nominal.rear)[0, 1]) < 0.1


def test_a_seed_fixes_cars_and_roads_whatever_the_demand(fleet):
    gentle = fleet_drives(40, 20, seed=3, demand=(0.005, 0.005))
    for ours, theirs in zip(vars(fleet.drives.vehicle).values(), vars(gentle.drives.vehicle).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(fleet.drives.speed, gentle.drives.speed)
    assert np.abs(gentle.drives.steering).max() < 0.1 * np.abs(fleet.drives.steering).max()
    other = fleet_drives(40, 20, seed=4)
    assert not np.isclose(fleet.drives.speed, other.drives.speed).any()


def test_targets_are_what_the_nominal_car_gets_wrong(fleet):
    task, query_y = fleet.task(slice(0, 12), slice(12, 20))
    assert (
        task["support_x"].shape == (40, 12, 3) and task["query_x"].shape == (40, 8, 3) and query_y.shape == (40, 8, 2)
    )
    states, steering = fleet.drives.states, fleet.drives.steering
    expected = simulate_vehicle(fleet.nominal, steering[:, 15:16], fleet.drives.speed, states[:, 15])[:, 1]
    np.testing.assert_allclose(query_y[:, 3], (states[:, 16] - expected) / CHANGE_SCALE, atol=0.02)
    # The slip angle of the front axle is δ − (v_y + a·r)/v for small angles.
    ahead = (states[:, 15, 0] + fleet.nominal.centre * states[:, 15, 1]) / fleet.drives.speed
    np.testing.assert_allclose(0.03 * task["query_x"][:, 3, 0], steering[:, 15] - ahead, atol=1e-3)


def test_a_nominal_car_leaves_nothing_to_learn(fleet):
    drives = record_drive(fleet.nominal, fleet.drives.speed, fleet.drives.steering, seed=0)
    _, query_y = FleetDrives(drives, fleet.nominal).task(slice(0, 10), slice(10, 20))
    assert np.abs(query_y).max() < 0.02


def test_least_squares_finds_linear_tyres(fleet):
    # Without noise and without limits to grip, nothing but the difference quotient is approximate: (λ·0.05 s)²/12.
    linear = replace(fleet.nominal, front=0.8 * fleet.nominal.front, rear=1.1 * fleet.nominal.rear, friction=50.0)
    drives = record_drive(linear, fleet.drives.speed, fleet.drives.steering, seed=0)
    exact = FleetDrives(replace(drives, measured=drives.states), fleet.nominal)
    found = fitted_tyres(exact, slice(0, 20))
    np.testing.assert_allclose(found.front / fleet.nominal.front, 0.8, rtol=0.1)
    np.testing.assert_allclose(found.rear / fleet.nominal.rear, 1.1, rtol=0.1)


def test_a_belief_counts_as_much_as_the_noise_allows(fleet):
    straight = fleet_drives(40, 20, seed=3, demand=(0.0, 0.0))
    found = fitted_tyres(straight, slice(0, 20), doubt=0.05)
    np.testing.assert_allclose(found.front / fleet.nominal.front, 1.0, atol=0.05)
    without = fitted_tyres(straight, slice(0, 20))
    assert np.median(np.abs(without.front / fleet.nominal.front - 1)) > 0.3
