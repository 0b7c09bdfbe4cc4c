"""What a second of driving tells, and what it cannot."""

import numpy as np

from metalearn_course.exercises.engine import Function
from metalearn_course.exercises.engine.values import Plain


def _draw(rng: np.random.Generator) -> tuple:
    """A steady turn, or (less often) lively steering."""
    a, b = rng.uniform(0.5, 0.9), rng.uniform(0.5, 2.0)
    u = np.full(20, rng.uniform(0.5, 2.0))
    r = [b * u[0] / (1 - a)]
    if rng.random() < 0.25:
        u, r = rng.normal(size=20), [rng.normal()]
    for steering in u if np.ptp(u) else ():
        r.append(a * r[-1] + b * steering)
    return np.array(r if np.ptp(u) else r * 21), u


def _two_from_one_equation(arguments: tuple, got: Plain) -> bool:
    return isinstance(got, list) and got[2:] == [2.0] and bool(np.ptp(arguments[1]) == 0)


identify_exercise = Function(
    "What a second of driving tells",
    r"""
    At constant speed a van's yaw rate follows the steering: $r_{t+1} = a\,r_t + b\,\delta_t$, with numbers a and b that
    depend on load and road. Estimate both by least squares from a drive, and say how many of the two the drive
    determines: return `a`, `b` and 1 or 2. In a steady turn, where nothing changes, many pairs fit equally well: there
    return the smallest (least $a^2 + b^2$), which `np.linalg.lstsq` gives.
    """,
    example=(np.array([0.0, 2.0, 1.0, 2.5]), np.array([2.0, 0.0, 2.0])),
    draw=_draw,
    hints=(
        "One equation per step: a row (r_t, δ_t) times (a, b) is r_{t+1}. How many of the rows are different?",
        "`solution, _, rank, _ = np.linalg.lstsq(rows, r[1:], rcond=None)`: the rank is the third number.",
    ),
)


@identify_exercise.reference(
    "With constant steering in a steady turn all rows are the same, and one equation does not determine two numbers: "
    "only the ratio b/(1 − a) shows, how much the van turns, not how fast it answers. A learner that adapts on such a "
    "drive cannot know more; its start decides the rest. Inputs must excite what is to be identified."
)
def identify(r, delta):
    """a, b and how many of them are determined, from yaw rates r [n + 1] and steering angles delta [n]."""
    rows = np.stack([r[:-1], delta], axis=1)
    (a, b), _, rank, _ = np.linalg.lstsq(rows, r[1:], rcond=None)
    return a, b, rank


def _fitted(rows, targets):
    solution, _, rank, _ = np.linalg.lstsq(np.stack(rows, axis=1), targets, rcond=None)
    return [*solution, rank]


@identify_exercise.mistake(
    "The steering is that of one step too late: r_{t+1} follows from r_t and δ_t, what was steered before it."
)
def steering_too_late(r, delta):
    return _fitted([r[:-2], delta[1:]], r[1:-1])


@identify_exercise.mistake(
    "You fit the change r_{t+1} − r_t: its coefficient is a − 1. Both are ways to say the same; the question asks "
    "for a.",
)
def change_for_next(r, delta):
    return _fitted([r[:-1], delta], r[1:] - r[:-1])


@identify_exercise.mistake("a and b are exchanged: a belongs to the yaw rate, b to the steering.")
def exchanged(r, delta):
    a, b, rank = identify(r, delta)
    return b, a, rank


@identify_exercise.mistake(
    "You explain the past by the future: r_{t+1} is what is to be predicted, r_t what it is predicted from. Least "
    "squares is not the same in both directions."
)
def backwards(r, delta):
    return _fitted([r[1:], delta], r[:-1])


@identify_exercise.mistake(
    "You force a pair where the drive has none: with a small ridge or noise any matrix can be inverted, and the rank "
    "is always two. In a steady turn that pair is the ridge's answer, not the road's."
)
def with_a_ridge(r, delta):
    rows = np.stack([r[:-1], delta], axis=1)
    a, b = np.linalg.solve(rows.T @ rows + 1e-2 * np.eye(2), rows.T @ r[1:])
    return a, b, 2


@identify_exercise.mistake(
    "You say that a steady turn determines both numbers. There all rows (r_t, δ_t) are the same: that is one "
    "equation for two unknowns, and the pair that comes out depends on rounding (`np.linalg.matrix_rank` tells).",
    _two_from_one_equation,
)
def always_two(r, delta):
    return *identify(r, delta)[:2], 2


@identify_exercise.also_right
def by_hand(rates, angles):
    past, following = rates[:-1].tolist(), rates[1:].tolist()
    rr, ru = sum(p * p for p in past), sum(p * u for p, u in zip(past, angles, strict=True))
    uu, ry = sum(u * u for u in angles), sum(p * f for p, f in zip(past, following, strict=True))
    uy = sum(u * f for u, f in zip(angles, following, strict=True))
    determinant = rr * uu - ru * ru
    if determinant < 1e-9 * rr * uu:
        scale = following[0] / (past[0] ** 2 + angles[0] ** 2)
        return [scale * past[0], scale * angles[0], 1]
    return [(uu * ry - ru * uy) / determinant, (rr * uy - ru * ry) / determinant, 2]
