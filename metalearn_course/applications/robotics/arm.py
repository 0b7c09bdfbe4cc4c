"""Robots as tasks: arms with one joint and unknown mass, length and friction, and a second or two of their motion.

A point mass m at the end of a light rod of length l, in gravity, driven by a torque τ at the joint:

    m l² q̈ = τ − b q̇ − c tanh(q̇ / 0.2 rad/s) − m g l sin q

with q = 0 hanging down, viscous friction b and dry friction c (Spong, Hutchinson, Vidyasagar, "Robot Modeling and
Control", chapters 6 and 8: equation of motion, linearity in the parameters, computed torque). All arrays are NumPy's,
with any leading axes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from metalearn_course.applications.checks import (
    arrays,
    broadcast_to,
    instances,
    numbers_in,
    ranges_in,
)
from metalearn_lib.core.checks import at_least

GRAVITY = 9.81  # m/s²
INTERVAL = 0.04  # s between two samples; the torque is constant in between
SLOW = 0.2  # rad/s: below this rate dry friction fades
NOISE = (0.01, 0.05)  # rad, rad/s: standard deviation of a measured state
ACCELERATION_NOISE = 0.5  # rad/s², of a measured acceleration
RATE_SCALE, TORQUE_SCALE, ACCELERATION_SCALE = 5.0, 5.0, 15.0  # learners see numbers of order one


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

    def __post_init__(self) -> None:
        numbers_in("(0, inf)", mass=self.mass, length=self.length)
        numbers_in("[0, inf)", viscous=self.viscous, dry=self.dry)

    @property
    def parameters(self) -> np.ndarray:
        """The coefficients [..., 4] of the acceleration in `regressors`: (1, −b, −c, −m g l) / m l²."""
        parts = 1.0, -self.viscous, -self.dry, -self.mass * GRAVITY * self.length
        return np.stack(np.broadcast_arrays(*(part / (self.mass * self.length**2) for part in parts)), axis=-1)

    def acceleration(self, state: np.ndarray, torque: np.ndarray) -> np.ndarray:
        """q̈ [...] in rad/s² in states [..., 2] (rad, rad/s) under torques [...] in N m."""
        arrays(state=(state, "... 2"), torque=(torque, "..."))
        broadcast_to(np.shape(state)[:-1], torque=torque, **vars(self))
        return self._acceleration(state, torque)

    def _acceleration(self, state: np.ndarray, torque: np.ndarray) -> np.ndarray:
        angle, rate = state[..., 0], state[..., 1]
        push = torque - self.viscous * rate - self.dry * np.tanh(rate / SLOW)
        return (push - self.mass * GRAVITY * self.length * np.sin(angle)) / (self.mass * self.length**2)

    def energy(self, state: np.ndarray) -> np.ndarray:
        """Kinetic and potential energy [...] in J; 0 when the arm hangs at rest."""
        arrays(state=(state, "... 2"))
        broadcast_to(np.shape(state)[:-1], **vars(self))
        angle, rate = state[..., 0], state[..., 1]
        height = self.length * (1 - np.cos(angle))
        return self.mass * ((self.length * rate) ** 2 / 2 + GRAVITY * height)

    def each(self) -> "Arm":
        """The same arms, for arrays with one more axis at the end."""
        return Arm(*(np.asarray(field)[..., None] for field in vars(self).values()))


def regressors(state: np.ndarray, torque: np.ndarray) -> np.ndarray:
    """The factors of `Arm.parameters` in the acceleration: (τ, q̇, tanh(q̇ / 0.2 rad/s), sin q), [..., 4]."""
    arrays(state=(state, "... 2"), torque=(torque, "..."))
    angle, rate = state[..., 0], state[..., 1]
    return np.stack([torque, rate, np.tanh(rate / SLOW), np.sin(angle)], axis=-1)


def advance_arm(arm: Arm, state: np.ndarray, torque: np.ndarray, substeps: int = 4) -> np.ndarray:
    """States [..., 2] one interval later, by the classical Runge–Kutta method."""
    instances(Arm, arm=arm)
    at_least(1, substeps=substeps)
    arrays(state=(state, "... 2"), torque=(torque, "..."))
    broadcast_to(np.shape(state)[:-1], torque=torque, **vars(arm))
    return _advance(arm, state, torque, substeps)


def _advance(arm: Arm, state: np.ndarray, torque: np.ndarray, substeps: int) -> np.ndarray:
    step = INTERVAL / substeps

    def slope(state: np.ndarray) -> np.ndarray:
        return np.stack([state[..., 1], arm._acceleration(state, torque)], axis=-1)

    for _ in range(substeps):
        k1 = slope(state)
        k2 = slope(state + step / 2 * k1)
        k3 = slope(state + step / 2 * k2)
        k4 = slope(state + step * k3)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def simulate_arm(arm: Arm, torque: np.ndarray, start: np.ndarray, substeps: int = 4) -> np.ndarray:
    """Motion of arms under given torques.

    Args:
        arm: the arms.
        torque: [..., n] in N m, constant over each interval of `INTERVAL` seconds.
        start: [..., 2], rad and rad/s.
        substeps: Runge–Kutta steps in an interval.

    Returns:
        States [..., n + 1, 2]: the first, and the one at the end of each interval.
    """
    instances(Arm, arm=arm)
    at_least(1, substeps=substeps)
    arrays(torque=(torque, "... n"), start=(start, "... 2"))
    broadcast_to(np.shape(start)[:-1], torque=torque[..., 0], **vars(arm))
    states = [np.asarray(start, float)]
    for now in np.moveaxis(torque, -1, 0):
        states.append(_advance(arm, states[-1], now, substeps))
    return np.stack(states, axis=-2)


def arm_examples(state: np.ndarray, torque: np.ndarray) -> np.ndarray:
    """Situations [..., 2], [...] as a learner sees them: x [..., 4] = (sin q, cos q, q̇, τ), scaled, float32."""
    arrays(state=(state, "... 2"), torque=(torque, "..."))
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

    def task(self, shots: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Learn from the first `shots` samples as measured, predict the true accelerations of the others.

        Returns:
            x [T, S or Q, 4] as in `arm_examples`, y [T, S or Q, 1] in units of `ACCELERATION_SCALE`.

        Raises:
            ValueError: if no sample is left for the queries.
        """
        at_least(1, shots=shots)
        if shots >= self.torque.shape[1]:
            raise ValueError(f"shots is {shots}, expected fewer than the {self.torque.shape[1]} samples of a motion")
        true = self.arm.each().acceleration(self.states, self.torque)
        task = {
            "support_x": arm_examples(self.measured[:, :shots], self.torque[:, :shots]),
            "support_y": (self.acceleration[:, :shots, None] / ACCELERATION_SCALE).astype(np.float32),
            "query_x": arm_examples(self.states[:, shots:], self.torque[:, shots:]),
        }
        return task, (true[:, shots:, None] / ACCELERATION_SCALE).astype(np.float32)

    def part(self, start: int, stop: int) -> "Motions":
        """The samples number `start` to `stop` - 1 of every motion."""
        at_least(0, start=start)
        numbers_in(f"({start}, {self.torque.shape[1]}]", stop=stop)
        cut = (field[:, start:stop] for field in (self.torque, self.states, self.measured, self.acceleration))
        return Motions(self.arm, *cut)

    def identify(self, shots: int, known: tuple[int, ...] = (0, 1, 2, 3)) -> np.ndarray:
        """Least squares on the first `shots` samples as measured: parameters [T, 4] as in `Arm.parameters`.

        Args:
            shots: number of samples, at least as many as are `known`.
            known: numbers 0 to 3 of the terms of the equation that are known to exist; the others count as 0.
        """
        if not known or len(set(known)) < len(known) or not set(known) <= {0, 1, 2, 3}:
            raise ValueError(f"known is {known!r}, expected different numbers from 0 to 3")
        at_least(len(known), shots=shots)
        numbers_in(f"[{len(known)}, {self.torque.shape[1]}]", shots=shots)
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
    """Random arms that start anywhere on the circle, with three random sine waves as torque, 4 N m on average.

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
    at_least(0, seed=seed)
    ranges_in("(0, inf)", mass=mass, length=length)
    ranges_in("[0, inf)", viscous=viscous, dry=dry)
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
