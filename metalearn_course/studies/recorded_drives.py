"""What the study of chapter 6 asks about: recorded drives, candidate vans, and answers by a line or by equations.

A part is a slice of a drive's intervals of 50 ms. Changes are scaled as in `drives`, to order one.
"""

import functools
from dataclasses import replace
from typing import Any

import numpy as np

from metalearn_course.applications.driving.drives import CHANGE_SCALE, NOISE, random_drives
from metalearn_course.applications.driving.vehicle import loaded, simulate_vehicle

TASKS, LARGEST = 400, 100.0
FIRST, NEXT = slice(0, 20), slice(20, 60)
GRID = np.float32([(mu, mass, 1.85) for mu in np.linspace(0.2, 1, 17) for mass in np.linspace(0, 1_000, 5)])  # pyright: ignore[reportArgumentType]


@functools.cache
def recorded(name):
    """Drives of 400 vans, the same for all rivals.

    Args:
        name: "validation", "test" (3 s), "long" (6 s), "brisk", "gentle, then brisk", "gentle, then gentle" (3 s on
            slippery roads), or "ice" (7 s; the road turns to ice after three).
    """
    if name == "validation":
        return random_drives(TASKS, 60, seed=1)
    if name == "test":
        return random_drives(TASKS, 60, seed=2)
    if name == "long":
        return random_drives(TASKS, 120, seed=3)
    brisk = random_drives(TASKS, 60, seed=4, demand=(3.0, 3.0), friction=(0.2, 0.4))
    if name == "brisk":
        return brisk
    softly = random_drives(TASKS, 20, seed=4, demand=(0.3, 0.3), friction=(0.2, 0.4))
    if name == "gentle, then brisk":
        return softly.go_on(softly.vehicle, brisk.steering[:, 20:], seed=5)
    if name == "gentle, then gentle":
        return softly.go_on(softly.vehicle, brisk.steering[:, 20:] / 10, seed=5)
    hard: dict[str, Any] = {"demand": (2.5, 2.5), "friction": (0.8, 1.0)}
    dry = random_drives(TASKS, 60, seed=6, **hard)
    more = random_drives(TASKS, 140, seed=6, **hard).steering[:, 60:]
    slippery = random_drives(TASKS, 1, seed=7, friction=(0.2, 0.3)).vehicle.friction
    return dry.go_on(replace(dry.vehicle, friction=slippery), more, seed=8)


def linear(x, y, query_x, penalty):
    """Ridge regression of each task; the speed, constant in a drive, becomes the constant.

    Args:
        x: [T, S, 4].
        y: [T, S, 2].
        query_x: [T, Q, 4].
        penalty: of the squared coefficients.

    Returns:
        Changes [T, Q, 2].
    """
    x, y, query_x = (np.array(values, float) for values in (x, y, query_x))
    x[..., 3] = query_x[..., 3] = 1
    left = np.einsum("tsi,tsj->tij", x, x) + penalty * np.eye(4)
    return query_x @ np.linalg.solve(left, np.einsum("tsi,tsj->tij", x, y))


def step(vehicle, drive, states, part):
    """The changes [T, n, 2] that the equations give, each from one of `states` [T, intervals + 1, 2] in the part."""
    start = np.asarray(states)[:, :-1][:, part]
    speed = np.repeat(np.asarray(drive.speed)[:, None], start.shape[1], axis=1)
    after = simulate_vehicle(vehicle, np.asarray(drive.steering)[:, part, None], speed, start)
    return (after[..., 1, :] - start).numpy() / CHANGE_SCALE  # pyright: ignore[reportArgumentType]


def misfits(drive, part):
    """Squared misfits of all candidate vans, in units of the sensors' noise, [candidates, T]."""
    measured = np.asarray(drive.measured)
    change = (measured[:, 1:] - measured[:, :-1])[:, part] / CHANGE_SCALE
    scaled = [(step(loaded(*one), drive, measured, part) - change) * CHANGE_SCALE / NOISE for one in GRID]  # pyright: ignore[reportGeneralTypeIssues]
    return np.array([np.sum(one**2, axis=(1, 2)) for one in scaled])


def capped(answers):
    """An inner loop that runs away on a drive is wrong by a hundred typical changes, or m/s."""
    return np.nan_to_num(np.asarray(answers, float), nan=LARGEST, posinf=LARGEST, neginf=-LARGEST).clip(
        -LARGEST, LARGEST
    )
