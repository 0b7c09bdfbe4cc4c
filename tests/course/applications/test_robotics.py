"""Arms obey mechanics, what is linear is linear, and the right model makes the arm follow."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ellipk

from metalearn_course.applications.robotics.arm import (
    ACCELERATION_NOISE,
    ACCELERATION_SCALE,
    GRAVITY,
    INTERVAL,
    NOISE,
    RATE_SCALE,
    SLOW,
    TORQUE_SCALE,
    Arm,
    random_motions,
    regressors,
    simulate_arm,
)
from metalearn_course.applications.robotics.tracking import swing_up, track_motion

ARM = Arm(1.5, 0.6, 0.3, 0.8)


def test_energy_is_conserved_without_friction_and_torque():
    free = Arm(1.3, 0.7)
    states = simulate_arm(free, np.zeros((3, 500)), np.array([[3.0, 0.0], [0.5, 1.0], [0.0, 12.0]]))
    energy = free.energy(states)
    np.testing.assert_allclose(energy, energy[:, :1] * np.ones(501), rtol=1e-4)
    # By hand: ½ · 1.3 · (0.7 · 12)² hanging, 2 · 1.3 · 9.81 · 0.7 standing.
    assert free.energy(np.array([0.0, 12.0])) == pytest.approx(45.864)
    assert free.energy(np.array([np.pi, 0.0])) == pytest.approx(17.8542)


def test_work_and_losses_account_for_the_energy():
    generator = np.random.default_rng(0)
    torque = np.repeat(generator.normal(0, 4, 20), 5)
    states = simulate_arm(ARM, torque, np.array([1.0, 2.0]), substeps=50)
    fine = simulate_arm(ARM, torque, np.array([1.0, 2.0]))
    np.testing.assert_allclose(fine, states, atol=2e-3)  # four substeps do
    # dE/dt = (τ − b q̇ − c tanh(q̇ / 0.2)) q̇, by the trapezoidal rule within each interval.
    lost = (ARM.viscous * states[:, 1] + ARM.dry * np.tanh(states[:, 1] / SLOW)) * states[:, 1]
    gained = (torque * np.diff(states[:, 0])).sum() - INTERVAL * (lost[1:] + lost[:-1]).sum() / 2
    assert gained == pytest.approx(ARM.energy(states[-1]) - ARM.energy(states[0]), abs=0.1)


@pytest.mark.parametrize("amplitude", [0.01, 1.0, 2.5])
def test_the_period_is_the_closed_form(amplitude):
    """4 K(sin²(A/2)) √(l/g), K the complete elliptic integral of the first kind; 2π √(l/g) for small A."""
    states = simulate_arm(Arm(2.0, 0.5), np.zeros(600), np.array([amplitude, 0.0]))
    angle = states[:, 0]
    before = np.flatnonzero(np.sign(angle[1:]) != np.sign(angle[:-1]))
    crossings = before + angle[before] / (angle[before] - angle[before + 1])
    period = 2 * INTERVAL * (crossings[-1] - crossings[0]) / (len(crossings) - 1)
    exact = 4 * ellipk(np.sin(amplitude / 2) ** 2) * np.sqrt(0.5 / GRAVITY)
    assert period == pytest.approx(exact, rel=1e-3)
    if amplitude < 0.1:
        assert exact == pytest.approx(2 * np.pi * np.sqrt(0.5 / GRAVITY), rel=1e-4)


def test_motion_is_that_of_another_solver():
    torque = np.array([3.0, -5.0, 8.0])
    states = simulate_arm(ARM, torque, np.array([2.0, -1.0]), substeps=20)
    state = np.array([2.0, -1.0])
    for i, now in enumerate(torque):
        # The equation of motion, written out once more.
        def slope(_, s, now=now):
            push = now - 0.3 * s[1] - 0.8 * np.tanh(s[1] / 0.2) - 1.5 * 9.81 * 0.6 * np.sin(s[0])
            return [s[1], push / (1.5 * 0.6**2)]

        state = solve_ivp(slope, (0, 0.04), state, rtol=1e-9, atol=1e-9).y[:, -1]
        np.testing.assert_allclose(states[i + 1], state, atol=1e-5)


def test_the_acceleration_is_linear_in_the_parameters():
    generator = np.random.default_rng(1)
    motions = random_motions(20, 30, seed=2)
    state, torque = generator.normal(0, 3, (20, 30, 2)), generator.normal(0, 5, (20, 30))
    linear = (motions.arm.parameters[:, None] * regressors(state, torque)).sum(axis=-1)
    np.testing.assert_allclose(linear, motions.arm.each().acceleration(state, torque), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ARM.parameters, np.array([1, -0.3, -0.8, -1.5 * 9.81 * 0.6]) / 0.54)


def test_least_squares_finds_the_arm_from_four_samples_without_noise():
    motions = random_motions(50, 40, seed=3)
    exact = motions.arm.each().acceleration(motions.states, motions.torque)
    clean = type(motions)(motions.arm, motions.torque, motions.states, motions.states, exact)
    np.testing.assert_allclose(clean.identify(40), motions.arm.parameters, rtol=1e-6, atol=1e-8)
    from_four = clean.part(0, 40).identify(4)
    assert np.median(np.abs(from_four - motions.arm.parameters)) < 1e-6
    # With noise: unbiased enough over a long motion, and an arm without dry friction needs no term for it.
    smooth = random_motions(100, 400, seed=4, dry=(0.0, 0.0))
    found = smooth.identify(400, (0, 1, 3))
    assert (found[:, 2] == 0).all()
    np.testing.assert_allclose(found[:, [0, 3]], smooth.arm.parameters[:, [0, 3]], rtol=0.05)


def test_supports_are_measured_and_queries_are_true():
    motions = random_motions(300, 60, seed=5)
    task, query_y = motions.task(40)
    shapes = {name: array.shape for name, array in task.items()}
    assert shapes == {"support_x": (300, 40, 4), "support_y": (300, 40, 1), "query_x": (300, 20, 4)}
    assert query_y.shape == (300, 20, 1) and all(array.dtype == np.float32 for array in (*task.values(), query_y))
    noise = motions.measured - motions.states
    np.testing.assert_allclose(noise.std(axis=(0, 1)), NOISE, rtol=0.03)
    true = motions.arm.each().acceleration(motions.states, motions.torque)
    assert (motions.acceleration - true).std() == pytest.approx(ACCELERATION_NOISE, rel=0.03)
    np.testing.assert_allclose(task["support_y"][..., 0] * ACCELERATION_SCALE, motions.acceleration[:, :40], rtol=1e-5)
    np.testing.assert_allclose(query_y[..., 0] * ACCELERATION_SCALE, true[:, 40:], rtol=1e-5)
    sine, cosine, rate, torque = np.moveaxis(task["query_x"], -1, 0)
    np.testing.assert_allclose(np.exp(1j * motions.states[:, 40:, 0]), cosine + 1j * sine, atol=1e-5)
    np.testing.assert_allclose(rate * RATE_SCALE, motions.states[:, 40:, 1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(torque * TORQUE_SCALE, motions.torque[:, 40:], rtol=1e-4, atol=1e-5)


def test_motions_are_drawn_from_their_ranges_and_fixed_by_their_seed():
    motions = random_motions(2_000, 50, seed=6, mass=(3.0, 4.0))
    for values, low, high in ((motions.arm.mass, 3, 4), (motions.arm.length, 0.5, 0.8), (motions.arm.dry, 0, 1.5)):
        assert low <= values.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < values.max() <= high
    assert np.sqrt((motions.torque**2).mean()) == pytest.approx(4, rel=0.03)
    again, other = (random_motions(2_000, 50, seed=seed, mass=(3.0, 4.0)) for seed in (6, 7))
    np.testing.assert_array_equal(motions.measured, again.measured)
    assert not np.isclose(motions.measured, other.measured).all(axis=-1).any()


def test_parts_are_parts():
    motions = random_motions(3, 50, seed=8)
    part = motions.part(10, 40)
    task, query_y = part.task(20)
    whole, whole_y = motions.task(10)
    np.testing.assert_array_equal(query_y, whole_y[:, 20:30])
    np.testing.assert_array_equal(task["query_x"], whole["query_x"][:, 20:30])


def test_a_swing_up_starts_and_ends_at_rest():
    wanted = swing_up()
    assert wanted.shape == (62, 3)
    np.testing.assert_allclose(wanted[0], 0, atol=1e-12)
    np.testing.assert_allclose(wanted[38:], np.array([np.pi, 0, 0]) * np.ones((24, 1)), atol=1e-9)
    # Each column is the derivative of the one before.
    middle = (wanted[2:] - wanted[:-2]) / (2 * INTERVAL)
    np.testing.assert_allclose(middle[:36, 0], wanted[1:37, 1], atol=0.02)
    np.testing.assert_allclose(middle[:36, 1], wanted[1:37, 2], atol=0.15)


def test_with_the_true_model_an_arm_follows_and_with_a_wrong_one_not():
    motions, wanted = random_motions(50, 2, seed=9), swing_up()
    right = track_motion(motions.arm, motions.arm.acceleration, wanted)
    assert np.degrees(np.abs(right[:, :, 0] - wanted[:, 0])).max() < 5
    np.testing.assert_allclose(right[:, -1], np.array([np.pi, 0]) * np.ones((50, 1)), atol=0.02)
    # Standing at q = π − e, a model that adds d to every acceleration leaves the lag e = d / stiffness.
    off = track_motion(motions.arm, lambda s, u: motions.arm.acceleration(s, u) + 1.6, swing_up(hold=4.0))
    np.testing.assert_allclose(np.pi - off[:, -1, 0], 1.6 / 16, rtol=0.1)


def test_mistakes_get_one_sentence():
    with pytest.raises(ValueError, match=r"^num_tasks is 0, expected a whole number of at least 1$"):
        random_motions(0)
    motions = random_motions(2, 10)
    with pytest.raises(ValueError, match=r"^shots is 3, expected a whole number of at least 4$"):
        motions.identify(3)
    with pytest.raises(ValueError, match=r"^shots is 10, expected fewer than the 10 samples of a motion$"):
        motions.task(10)
    with pytest.raises(ValueError, match=r"^substeps is 0, expected a whole number of at least 1$"):
        simulate_arm(ARM, np.zeros(3), np.zeros(2), substeps=0)
