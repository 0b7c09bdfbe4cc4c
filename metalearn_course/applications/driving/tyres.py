"""The side force of an axle's two tyres (Pacejka, "Tyre and Vehicle Dynamics", chapters 1 and 4)."""

from typing import Any

import tensorflow as tf

from metalearn_course.applications.checks import arrays, numbers_in

# Rounded from the tyre 205/60 R15, the example in Pacejka's appendix 3.
NOMINAL_LOAD = 4_000.0  # N on one tyre
STIFFNESS = 15.0  # 1/rad: the largest cornering stiffness, in nominal loads
STIFFEST_LOAD = 2.13  # the load at which it is the largest, in nominal loads
SHAPE, CURVATURE = 1.2, -1.0


def cornering_stiffness(axle_load: Any) -> tf.Tensor:
    """Slope in N/rad of the side force of an axle's two tyres, where the slip angle is 0.

    It grows less than the load in N (Pacejka, chapter 4, without camber) and does not depend on friction: on ice a
    tyre starts out as stiff as on asphalt, and gives way sooner.

    Args:
        axle_load: N.
    """
    numbers_in("[0, inf)", axle_load=axle_load)
    stiffest = STIFFEST_LOAD * NOMINAL_LOAD
    return 2 * STIFFNESS * NOMINAL_LOAD * tf.sin(2 * tf.atan(axle_load / (2 * stiffest)))


def tyre_force(slip: Any, stiffness: Any, axle_load: Any, friction: Any) -> tf.Tensor:
    """Side force of an axle in N: the magic formula D sin(C arctan(Bα − E(Bα − arctan Bα))).

    Args:
        slip: slip angle α in rad.
        stiffness: slope BCD at α = 0 in N/rad.
        axle_load: N.
        friction: μ; the force never exceeds D = μ times the load.
    """
    arrays(slip=(slip, "..."))
    numbers_in("(0, inf)", stiffness=stiffness, axle_load=axle_load, friction=friction)
    peak = friction * axle_load
    slope = stiffness * slip / (SHAPE * peak)
    return peak * tf.sin(SHAPE * tf.atan(slope - CURVATURE * (slope - tf.atan(slope))))
