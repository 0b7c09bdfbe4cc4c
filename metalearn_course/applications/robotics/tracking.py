"""An arm that follows a trajectory by a model of its acceleration: computed torque."""

from collections.abc import Callable

import numpy as np

from metalearn_course.applications.checks import arrays, instances, numbers_in
from metalearn_course.applications.robotics.arm import INTERVAL, TORQUE_SCALE, Arm, advance_arm

STRONGEST = 40.0  # N m, the largest torque of the motor

Model = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From states [T, 2] and torques [T] to accelerations [T] in rad/s²."""


def swing_up(seconds: float = 1.5, hold: float = 1.0) -> np.ndarray:
    """From hanging to upright as smoothly as possible (minimum jerk, Flash and Hogan 1985), then hold.

    Args:
        seconds: from hanging to upright.
        hold: seconds of holding.

    Returns:
        Wanted angle, rate and acceleration at each sample [n, 3], in rad, rad/s, rad/s².
    """
    numbers_in(f"[{INTERVAL}, inf)", seconds=seconds)
    numbers_in("[0, inf)", hold=hold)
    time = np.minimum(INTERVAL * np.arange(round((seconds + hold) / INTERVAL)), seconds) / seconds
    polynomial = np.polynomial.Polynomial([0, 0, 0, 10, -15, 6])
    return np.stack([np.pi * polynomial.deriv(k)(time) / seconds**k for k in range(3)], axis=-1)


def track_motion(
    arm: Arm, model: Model, wanted: np.ndarray, stiffness: float = 16.0, damping: float = 8.0
) -> np.ndarray:
    """Follow a trajectory by computed torque: by the model, find the torque that gives the acceleration needed.

    The acceleration needed is the one wanted, plus `stiffness` times the error of the angle and `damping` times that
    of the rate; with the true model the error decays. The torque is read off a straight line through the model's
    accelerations at ±5 N m, which is exact for any model that is linear in the torque.

    Args:
        arm: the arms that move, fields [T].
        model: the controller's model of them.
        wanted: [n, 3] as from `swing_up`.
        stiffness: in 1/s².
        damping: in 1/s.

    Returns:
        True states [T, n, 2], starting at rest, hanging.
    """
    instances(Arm, arm=arm)
    arrays(mass=(arm.mass, "T"), wanted=(wanted, "n 3"))
    if not callable(model):
        raise TypeError(f"model is {model!r}, expected a function of states and torques")
    numbers_in("[0, inf)", stiffness=stiffness, damping=damping)
    number = len(arm.mass)
    state, states = np.zeros((number, 2)), []
    for angle, rate, acceleration in wanted:
        states.append(state)
        need = acceleration + stiffness * (angle - state[:, 0]) + damping * (rate - state[:, 1])
        low, high = (model(state, np.full(number, sign * TORQUE_SCALE)) for sign in (-1, 1))
        slope = np.maximum((high - low) / (2 * TORQUE_SCALE), 0.05)  # more torque always means more acceleration
        torque = (need - (high + low) / 2) / slope
        state = advance_arm(arm, state, np.clip(torque, -STRONGEST, STRONGEST))
    return np.stack(states, axis=1)
