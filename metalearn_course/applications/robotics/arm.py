"""Robots as tasks: arms of one joint with unknown mass, length and friction, and a second or two of their motion.

A point mass m at the end of a light rod of length l, in gravity, driven by a torque τ at the joint:

    m l² q̈ = τ − b q̇ − c tanh(q̇ / 0.2 rad/s) − m g l sin q

with q = 0 hanging down, viscous friction b and dry friction c (Spong, Hutchinson, Vidyasagar, "Robot Modeling and
Control", chapters 6 and 8: equation of motion, linearity in the parameters, computed torque). All arrays are NumPy's,
with any leading axes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import metalearn_lib as ml
from metalearn_lib.core.checks import at_least

GRAVITY = 9.81  # m/s²
INTERVAL = 0.04  # s between two samples; the torque is constant in between
SLOW = 0.2  # rad/s: below it, dry friction fades
NOISE = (0.01, 0.05)  # rad, rad/s: standard deviation of a measured state
ACCELERATION_NOISE = 0.5  # rad/s², of a measured acceleration
RATE_SCALE, TORQUE_SCALE, ACCELERATION_SCALE = 5.0, 5.0, 15.0  # learners see numbers of order one
STRONGEST = 40.0  # N m that the motor can give

Model = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From states [T, 2] and torques [T] to accelerations [T] in rad/s²."""


@dataclass(frozen=True)
class Arm:
    """An arm; a field is a number, or an array with one number for each of several arms.

    Args:
        mass: m in kg.
        length: l in m.
        viscous: b in N m s.
        dry: c in N m.
    """

    mass: Any
    length: Any
    viscous: Any = 0.0
    dry: Any = 0.0

    @property
    def parameters(self) -> np.ndarray:
        """What the acceleration is linear in [..., 4]: (1, −b, −c, −m g l) / m l², see `regressors`."""
        parts = 1.0, -self.viscous, -self.dry, -self.mass * GRAVITY * self.length
        return np.stack(np.broadcast_arrays(*(part / (self.mass * self.length**2) for part in parts)), axis=-1)

    def acceleration(self, state: np.ndarray, torque: np.ndarray) -> np.ndarray:
        """q̈ [...] in rad/s² in states [..., 2] (rad, rad/s) under torques [...] in N m."""
        angle, rate = state[..., 0], state[..., 1]
        push = torque - self.viscous * rate - self.dry * np.tanh(rate / SLOW)
        return (push - self.mass * GRAVITY * self.length * np.sin(angle)) / (self.mass * self.length**2)

    def energy(self, state: np.ndarray) -> np.ndarray:
        """Kinetic and potential energy [...] in J; 0 when it hangs at rest."""
        angle, rate = state[..., 0], state[..., 1]
        height = self.length * (1 - np.cos(angle))
        return self.mass * ((self.length * rate) ** 2 / 2 + GRAVITY * height)

    def each(self) -> "Arm":
        """The same arms, for arrays with one more axis at the end."""
        return Arm(*(np.asarray(field)[..., None] for field in vars(self).values()))


def regressors(state: np.ndarray, torque: np.ndarray) -> np.ndarray:
    """What multiplies `Arm.parameters` in the acceleration: (τ, q̇, tanh(q̇ / 0.2 rad/s), sin q), [..., 4]."""
    angle, rate = state[..., 0], state[..., 1]
    return np.stack([torque, rate, np.tanh(rate / SLOW), np.sin(angle)], axis=-1)


def advance_arm(arm: Arm, state: np.ndarray, torque: np.ndarray, substeps: int = 4) -> np.ndarray:
    """States [..., 2] one interval later, by the classical Runge–Kutta method."""
    step = INTERVAL / substeps

    def slope(state: np.ndarray) -> np.ndarray:
        return np.stack([state[..., 1], arm.acceleration(state, torque)], axis=-1)

    for _ in range(substeps):
        k1 = slope(state)
        k2 = slope(state + step / 2 * k1)
        k3 = slope(state + step / 2 * k2)
        k4 = slope(state + step * k3)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def simulate_arm(arm: Arm, torque: np.ndarray, start: np.ndarray, substeps: int = 4) -> np.ndarray:
    """Move.

    Args:
        arm: the arms.
        torque: [..., n] in N m, constant over each interval of `INTERVAL` seconds.
        start: [..., 2], rad and rad/s.
        substeps: Runge–Kutta steps in an interval.

    Returns:
        States [..., n + 1, 2]: the first, and the one at the end of each interval.
    """
    at_least(1, substeps=substeps)
    states = [np.asarray(start, float)]
    for now in np.moveaxis(torque, -1, 0):
        states.append(advance_arm(arm, states[-1], now, substeps))
    return np.stack(states, axis=-2)


def arm_examples(state: np.ndarray, torque: np.ndarray) -> np.ndarray:
    """What a learner sees of situations [..., 2], [...]: x [..., 4] = (sin q, cos q, q̇, τ), scaled, float32."""
    angle, rate = state[..., 0], state[..., 1]
    parts = np.sin(angle), np.cos(angle), rate / RATE_SCALE, torque / TORQUE_SCALE
    return np.stack(np.broadcast_arrays(*parts), axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Motions:
    """Recorded motions of T arms, n samples each.

    Args:
        arm: the arms, fields [T].
        torque: [T, n] in N m.
        states: [T, n, 2], the true ones.
        measured: the same with the noise of the sensors.
        acceleration: [T, n] in rad/s², measured.
    """

    arm: Arm
    torque: np.ndarray
    states: np.ndarray
    measured: np.ndarray
    acceleration: np.ndarray

    def task(self, shots: int) -> ml.tasks.MetaBatch:
        """Learn from the first `shots` samples as measured, predict the true accelerations of the others.

        Returns:
            x [T, S or Q, 4] as in `examples`, y [T, S or Q, 1] in units of `ACCELERATION_SCALE`.

        Raises:
            ValueError: if no sample is left for the queries.
        """
        at_least(1, shots=shots)
        if shots >= self.torque.shape[1]:
            raise ValueError(f"shots is {shots}, expected fewer than the {self.torque.shape[1]} samples of a motion")
        true = self.arm.each().acceleration(self.states, self.torque)
        task = {
            "support_x": arm_examples(self.measured[:, :shots], self.torque[:, :shots]),
            "support_y": np.float32(self.acceleration[:, :shots, None] / ACCELERATION_SCALE),
            "query_x": arm_examples(self.states[:, shots:], self.torque[:, shots:]),
        }
        return task, np.float32(true[:, shots:, None] / ACCELERATION_SCALE)

    def part(self, start: int, stop: int) -> "Motions":
        """The samples number `start` to `stop` - 1 of every motion."""
        cut = (field[:, start:stop] for field in (self.torque, self.states, self.measured, self.acceleration))
        return Motions(self.arm, *cut)

    def identify(self, shots: int, known: tuple[int, ...] = (0, 1, 2, 3)) -> np.ndarray:
        """Least squares on the first `shots` samples as measured: parameters [T, 4] as in `Arm.parameters`.

        Args:
            shots: number of samples, at least as many as are `known`.
            known: which terms of the equation are known to exist; the others count as 0.
        """
        at_least(len(known), shots=shots)
        terms = regressors(self.measured[:, :shots], self.torque[:, :shots])[..., list(known)]
        found = np.zeros((len(terms), 4))
        found[:, list(known)] = (np.linalg.pinv(terms) @ self.acceleration[:, :shots, None])[..., 0]
        return found


def random_motions(
    num_tasks: int,
    samples: int = 100,
    seed: int = 0,
    mass: tuple[float, float] = (1.0, 2.0),
    length: tuple[float, float] = (0.5, 0.8),
    viscous: tuple[float, float] = (0.05, 0.4),
    dry: tuple[float, float] = (0.0, 1.5),
) -> Motions:
    """Random arms that start anywhere on the circle and babble: three random sine waves as torque, 4 N m on average.

    Args:
        num_tasks: number T of arms.
        samples: number n of samples of each.
        seed: fixes them.
        mass: range in kg, uniform, as are the others.
        length: range in m.
        viscous: range in N m s.
        dry: range in N m.
    """
    at_least(1, num_tasks=num_tasks, samples=samples)
    generator = np.random.default_rng(seed)
    arm = Arm(*(generator.uniform(*span, num_tasks) for span in (mass, length, viscous, dry)))
    time = INTERVAL * np.arange(samples)
    frequency, phase = (
        generator.uniform(0.2, 1.5, (num_tasks, 3, 1)),
        generator.uniform(0, 2 * np.pi, (num_tasks, 3, 1)),
    )
    torque = 4 * np.sqrt(2 / 3) * np.sin(2 * np.pi * frequency * time + phase).sum(axis=1)
    start = np.stack([generator.uniform(-np.pi, np.pi, num_tasks), generator.normal(0, 2, num_tasks)], axis=-1)
    states = simulate_arm(arm, torque, start)[:, :-1]
    measured = states + NOISE * generator.standard_normal(states.shape)
    true = arm.each().acceleration(states, torque)
    acceleration = true + ACCELERATION_NOISE * generator.standard_normal(true.shape)
    return Motions(arm, torque, states, measured, acceleration)


def swing_up(seconds: float = 1.5, hold: float = 1.0) -> np.ndarray:
    """From hanging to upright, as smoothly as can be (minimum jerk, Flash and Hogan 1985), then stay.

    Returns:
        Angle, rate and acceleration wanted at each sample [n, 3], in rad, rad/s, rad/s².
    """
    time = np.minimum(INTERVAL * np.arange(round((seconds + hold) / INTERVAL)), seconds) / seconds
    polynomial = np.polynomial.Polynomial([0, 0, 0, 10, -15, 6])
    return np.stack([np.pi * polynomial.deriv(k)(time) / seconds**k for k in range(3)], axis=-1)


def track_motion(
    arm: Arm, model: Model, wanted: np.ndarray, stiffness: float = 16.0, damping: float = 8.0
) -> np.ndarray:
    """Follow a trajectory by computed torque: ask the model for the torque that brings the acceleration needed.

    The acceleration is what is wanted plus `stiffness` times the lag in the angle and `damping` times that in the
    rate; with the true model the error dies out by itself. The torque is where a straight line through the model's
    answers at ±5 N m gives it: exact for any model that is linear in the torque.

    Args:
        arm: the arms that move, fields [T].
        model: what the controller believes.
        wanted: [n, 3] as from `swing_up`.
        stiffness: in 1/s².
        damping: in 1/s.

    Returns:
        True states [T, n, 2], starting at rest, hanging.
    """
    number = len(np.asarray(arm.mass))
    state, states = np.zeros((number, 2)), []
    for angle, rate, acceleration in wanted:
        states.append(state)
        need = acceleration + stiffness * (angle - state[:, 0]) + damping * (rate - state[:, 1])
        low, high = (model(state, np.full(number, sign * TORQUE_SCALE)) for sign in (-1, 1))
        slope = np.maximum((high - low) / (2 * TORQUE_SCALE), 0.05)  # more torque always means more acceleration
        torque = (need - (high + low) / 2) / slope
        state = advance_arm(arm, state, np.clip(torque, -STRONGEST, STRONGEST))
    return np.stack(states, axis=1)
