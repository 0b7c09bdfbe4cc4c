"""The single-track model against what can be worked out by hand."""

import numpy as np
import pytest

from metalearn_course.applications.driving.vehicle import (
    EMPTY_CENTRE,
    EMPTY_INERTIA,
    EMPTY_MASS,
    GRAVITY,
    INTERVAL,
    WHEELBASE,
    Vehicle,
    cornering_stiffness,
    loaded,
    simulate_vehicle,
    tyre_force,
    vehicle_derivatives,
    vehicle_path,
)

LOADS = [(0.0, 1.5), (1_000.0, 1.3), (1_000.0, 2.4)]


def float64(vehicle: Vehicle) -> Vehicle:
    return Vehicle(*(np.float64(value) for value in vars(vehicle).values()))


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("speed", [10.0, 20.0, 30.0])
def test_a_small_steering_angle_gives_the_steady_turn_of_the_linear_model(load, speed):
    # At rest in the turn the axles share m·v·r as b : a, and slip by force over stiffness:
    #   δ = L·r/v + α_f − α_r = r·(L/v + K·v),  K = (m/L)·(b/C_f − a/C_r)      (the understeer gradient)
    #   α_r = m·a·v·r/(L·C_r) = −(v_y − b·r)/v   =>   v_y = r·(b − m·a·v²/(L·C_r))
    car, steering = float64(loaded(0.8, *load)), 1e-5
    a, b, m = car.centre, WHEELBASE - car.centre, car.mass
    front, rear = (stiffness.numpy() for stiffness in car.stiffness)
    gradient = m / WHEELBASE * (b / front - a / rear)
    yaw_rate = steering / (WHEELBASE / speed + gradient * speed)
    lateral = yaw_rate * (b - m * a * speed**2 / (WHEELBASE * rear))

    states = simulate_vehicle(car, np.full(300, steering), np.float64(speed)).numpy()
    np.testing.assert_allclose(states[-1], [lateral, yaw_rate], rtol=1e-4)


def test_an_oversteering_van_is_unstable_above_its_critical_speed():
    # With K < 0 the steady yaw rate v·δ/(L + K·v²) grows without bound towards v² = −L/K.
    van = float64(loaded(0.8, 1_000.0, 3.2))
    (front, rear), (front_load, rear_load) = van.stiffness, van.axle_loads
    gradient = ((front_load / front - rear_load / rear) / GRAVITY).numpy()
    critical = np.sqrt(-WHEELBASE / gradient)
    start = np.array([0.0, 1e-4])
    slower, faster = (
        simulate_vehicle(van, np.zeros(100), factor * critical, start).numpy()[-1, 1] for factor in (0.8, 1.2)
    )
    assert abs(slower) < start[1] < abs(faster)


def test_a_load_in_the_back_takes_understeer_away():
    def gradient(car: Vehicle) -> float:
        (front, rear), (front_load, rear_load) = car.stiffness, car.axle_loads
        return float(front_load / front - rear_load / rear)

    assert gradient(loaded(0.8, 1_000.0, 2.4)) < gradient(loaded(0.8)) < gradient(loaded(0.8, 1_000.0, 0.0))


def test_mass_centre_and_inertia_of_two_bodies():
    # Directly, from the definition: moments about the common centre of gravity, both bodies shifted there.
    load, position = 600.0, 2.2
    van = loaded(0.5, load, position)
    assert van.mass == EMPTY_MASS + load
    assert van.mass * van.centre == pytest.approx(EMPTY_MASS * EMPTY_CENTRE + load * position)
    shifted = EMPTY_MASS * (van.centre - EMPTY_CENTRE) ** 2 + load * (position - van.centre) ** 2
    assert van.inertia == pytest.approx(EMPTY_INERTIA + shifted)
    assert vars(loaded(0.5)) == vars(Vehicle(0.5))


def test_the_axles_carry_the_weight_and_balance_about_the_centre():
    van = loaded(0.5, 600.0, 2.2)
    front, rear = van.axle_loads
    assert front + rear == pytest.approx(van.mass * GRAVITY)
    assert front * van.centre == pytest.approx(rear * (WHEELBASE - van.centre))


def test_stiffness_grows_less_than_load():
    once, twice = (cornering_stiffness(np.float64(load)).numpy() for load in (5_000.0, 10_000.0))
    assert once < twice < 2 * once


@pytest.mark.parametrize("friction", [0.2, 1.0])
def test_a_tyre_starts_linear_and_saturates_at_friction_times_load(friction):
    load, stiffness = np.float64(8_000.0), 90_000.0
    small = tyre_force(np.float64(1e-6), stiffness, load, friction).numpy()
    assert small == pytest.approx(stiffness * 1e-6, rel=1e-6)
    forces = tyre_force(np.linspace(0, 1.5, 3_001), stiffness, load, friction).numpy()
    assert 0.9999 * friction * load < forces.max() <= friction * load
    np.testing.assert_allclose(tyre_force(-np.linspace(0, 1.5, 3_001), stiffness, load, friction), -forces)


def test_no_driving_exceeds_the_grip():
    rng = np.random.default_rng(0)
    state = rng.normal(size=(2_000, 2)) * (5.0, 1.0)
    speed, steering = rng.uniform(10, 30, 2_000), rng.uniform(-0.5, 0.5, 2_000)
    friction = rng.uniform(0.1, 1.0, 2_000)
    change = vehicle_derivatives(loaded(friction, 500.0, 2.0), state, steering, speed).numpy()
    lateral_acceleration = np.abs(change[:, 0] + speed * state[:, 1])
    assert (lateral_acceleration <= friction * GRAVITY).all()
    assert (lateral_acceleration > 0.9 * friction * GRAVITY).any()


def test_tyres_take_energy_and_never_give_it():
    # With the wheels straight, v̇_y·m·v_y + ṙ·I·r = F_f·(v_y + a·r) + F_r·(v_y − b·r) − m·v·r·v_y: the first two
    # terms are the tyres' power, which slip makes negative; the last is that of whatever keeps the speed.
    rng = np.random.default_rng(1)
    state, speed, van = rng.normal(size=(2_000, 2)) * (3.0, 1.0), rng.uniform(10, 30, 2_000), loaded(0.6, 800.0, 2.0)
    change = vehicle_derivatives(van, state, np.zeros(2_000), speed).numpy()
    power = (change * state) @ [van.mass, van.inertia] + van.mass * speed * state.prod(axis=1)
    assert (power < 0).all()


def test_left_and_right_are_alike():
    rng = np.random.default_rng(2)
    steering, start = 0.05 * rng.normal(size=(5, 60)), rng.normal(size=(5, 2))
    there = simulate_vehicle(loaded(0.4, 300.0), steering, np.full(5, 20.0), start)
    back = simulate_vehicle(loaded(0.4, 300.0), -steering, np.full(5, 20.0), -start)
    np.testing.assert_allclose(back, -there.numpy(), atol=1e-12)


def test_the_integrator_is_of_fourth_order():
    rng = np.random.default_rng(3)
    steering, speed = 0.03 * rng.normal(size=(20, 10)), np.full(20, 15.0)
    exact = simulate_vehicle(loaded(0.5), steering, speed, substeps=16).numpy()
    errors = [np.abs(simulate_vehicle(loaded(0.5), steering, speed, substeps=n) - exact).max() for n in (1, 2, 4)]
    assert 10 < errors[0] / errors[1] < 24 and 10 < errors[1] / errors[2] < 24  # 2⁴ = 16
    assert errors[1] < 1e-4  # m/s, rad/s; two substeps are the default


def test_a_drive_can_be_cut_in_two():
    steering = 0.05 * np.sin(np.arange(40) / 5)[None]
    van, speed = loaded(0.3, 500.0, 2.0), np.array([18.0])
    whole = simulate_vehicle(van, steering, speed).numpy()
    first = simulate_vehicle(van, steering[:, :15], speed).numpy()
    second = simulate_vehicle(van, steering[:, 15:], speed, start=first[:, -1]).numpy()
    np.testing.assert_array_equal(np.concatenate([first, second[:, 1:]], axis=1), whole)


def test_vehicles_differ_by_row():
    steering = np.full((2, 40), 0.06)
    both = simulate_vehicle(loaded(np.array([0.2, 0.9])), steering, np.full(2, 20.0)).numpy()
    for row, friction in enumerate((0.2, 0.9)):
        alone = simulate_vehicle(loaded(np.float64(friction)), steering[:1], np.full(1, 20.0)).numpy()
        np.testing.assert_allclose(both[row], alone[0], rtol=1e-12)


def test_in_gentle_driving_friction_cannot_be_seen():
    # The side force is C·α·(1 + O((C·α / μF)²)): at a 50th of the grip the change is of the order of 1/2500.
    steering = 0.0005 * np.sin(np.arange(60) / 5)[None]
    ice, asphalt = (simulate_vehicle(loaded(mu), steering, np.array([20.0])).numpy() for mu in (0.2, 0.9))
    np.testing.assert_allclose(ice, asphalt, atol=2e-3 * np.abs(asphalt).max())


def test_a_constant_yaw_rate_is_a_circle():
    speed, yaw_rate = 15.0, 0.3
    states = np.tile([0.0, yaw_rate], (101, 1))
    angle = yaw_rate * INTERVAL * np.arange(101)
    circle = speed / yaw_rate * np.stack([np.sin(angle), 1 - np.cos(angle)], axis=-1)
    np.testing.assert_allclose(vehicle_path(states, speed), circle, atol=2e-3)


def test_lateral_velocity_moves_the_vehicle_to_its_left():
    states = np.tile([0.5, 0.0], (21, 1))
    np.testing.assert_allclose(vehicle_path(states, 10.0)[-1], [10.0, 0.5])


def test_no_substeps_is_refused():
    with pytest.raises(ValueError, match="substeps is 0"):
        simulate_vehicle(Vehicle(0.5), np.zeros([1, 3]), np.array([10.0]), substeps=0)
