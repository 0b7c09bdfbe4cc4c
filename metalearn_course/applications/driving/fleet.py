"""Real cars, each loaded and on tyres and a road of its own, and what the equations of the new, empty car get wrong.

The maker of a car knows its equations, and its mass and tyres when it was new and empty on a dry road: the nominal
car. A task is to correct them from a second of driving, either by a learner that adds its prediction to theirs, or
by least squares on their stiffness.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.applications.driving.drives import (
    CHANGE_SCALE,
    NOISE,
    SPEED,
    SPEED_CENTRE,
    SPEED_SCALE,
    Drives,
    wandering_steering,
)
from metalearn_course.applications.driving.vehicle import (
    FRONT_COMPLIANCE,
    GRAVITY,
    INTERVAL,
    Vehicle,
    advance_vehicle,
    cornering_stiffness,
    loaded,
    slip_angles,
)
from metalearn_lib.core.checks import at_least

FRICTION = (0.25, 1.0)  # from packed snow to dry asphalt
LOAD = (0.0, 400.0)  # kg
POSITION = (1.3, 2.4)  # m from the front axle
TYRES = (0.7, 1.0)  # stiffness of an axle, as a share of that with new tyres
DEMAND = (0.1, 0.6)  # as a share of the grip
SLIP_SCALE = 0.03  # rad
NO_LIMIT = 50.0  # a friction at which tyres are linear


def real_vehicles() -> dict[str, Vehicle]:
    """The passenger vehicles of CommonRoad, empty, on a dry road.

    Masses, inertias and axle distances are those of its parameter files, cornering stiffness for each N of load and
    grip those of its tyre (Althoff and Würsching, "CommonRoad: Vehicle Models", 2020, tables 6 and 7). The same tyres
    on both axles would make every vehicle turn neutrally; as in the van, elastic steering takes its share in front.
    Its fourth vehicle, a lorry, has no masses and is left out.

    Returns:
        A `Vehicle` for each name.

    Raises:
        ImportError: if commonroad-vehicle-models is not installed.
    """
    try:
        from vehiclemodels.vehicle_parameters import setup_vehicle_parameters
    except ImportError:
        raise ImportError(
            "vehicle parameters come with commonroad-vehicle-models: pip install metalearn_lib[course]"
        ) from None
    vehicles = {}
    for number, name in enumerate(("Ford Escort", "BMW 320i", "VW Vanagon"), 1):
        real = setup_vehicle_parameters(number)
        vehicle = Vehicle(real.tire.p_dy1, real.m, real.I_z, real.a, real.a + real.b)
        front, rear = (-real.tire.p_ky1 * load / float(cornering_stiffness(load)) for load in vehicle.axle_loads)
        vehicles[name] = replace(vehicle, front=FRONT_COMPLIANCE * front, rear=rear)
    return vehicles


@dataclass(frozen=True)
class FleetDrives:
    """Recorded drives and the cars that their makers think they are.

    Args:
        drives: drives of T vehicles.
        nominal: the same vehicles new, empty and on a dry road.
    """

    drives: Drives
    nominal: Vehicle

    def task(self, support: slice, query: slice) -> ml.tasks.MetaBatch:
        """Learn from what was measured in the intervals `support`, predict what is true in the intervals `query`.

        Returns:
            A meta-batch with x [T, S or Q, 3] of `situations`, and what the nominal car gets wrong there as
            y [T, S or Q, 2], in `CHANGE_SCALE`.
        """
        (support_x, support_y), (query_x, query_y) = (
            self._examples(states, part)
            for states, part in ((self.drives.measured, support), (self.drives.states, query))
        )
        return {"support_x": support_x, "support_y": support_y, "query_x": query_x}, query_y

    def _examples(self, states: tf.Tensor, part: slice) -> tuple[tf.Tensor, tf.Tensor]:
        before, after, steering = states[:, :-1][:, part], states[:, 1:][:, part], self.drives.steering[:, part]
        expected = advance_vehicle(self.nominal.rows, before, steering, self.drives.speed[:, None], substeps=1)
        return situations(self.nominal, before, steering, self.drives.speed), (after - expected) / CHANGE_SCALE


def situations(vehicle: Vehicle, states: tf.Tensor, steering: tf.Tensor, speed: tf.Tensor) -> tf.Tensor:
    """What a learner sees: slip angles of both axles and speed [T, n, 3], of order one.

    Args:
        vehicle: T vehicles; only distances of axles matter.
        states: [T, n, 2].
        steering: [T, n] in rad.
        speed: [T] in m/s.
    """
    front, rear = slip_angles(vehicle.rows, states, steering, speed[:, None])
    speed = tf.zeros_like(steering) + (speed[:, None] - SPEED_CENTRE) / SPEED_SCALE
    return tf.stack([front / SLIP_SCALE, rear / SLIP_SCALE, speed], axis=-1)


def fleet_drives(
    num_tasks: int,
    samples: int,
    seed: int | tf.Tensor = 0,
    friction: tuple[float, float] = FRICTION,
    demand: tuple[float, float] = DEMAND,
    vehicles: Mapping[str, Vehicle] | None = None,
) -> FleetDrives:
    """Drives of random cars with random loads, tyres and roads, steered as in `random_drives`.

    Args:
        num_tasks: number T of drives.
        samples: number n of intervals of each.
        seed: fixes the drives.
        friction: range of μ, uniform.
        demand: range of the lateral acceleration that the driver asks for, as a share of the grip μg.
        vehicles: the cars, all equally often; `real_vehicles()` if None.
    """
    at_least(1, num_tasks=num_tasks, samples=samples)
    cars = [vars(vehicle).values() for vehicle in (vehicles or real_vehicles()).values()]
    seed = tf.constant([0, seed], tf.int64) if isinstance(seed, int) else seed
    kinds, ranges, waves, noise = (tf.random.fold_in(seed, i) for i in range(4))
    kind = tf.random.stateless_uniform([num_tasks], kinds, maxval=len(cars), dtype=tf.int32)
    nominal = Vehicle(*(tf.gather(tf.constant(field, tf.float32), kind) for field in zip(*cars, strict=True)))

    low, high = zip(friction, LOAD, POSITION, TYRES, TYRES, SPEED, demand, strict=True)
    drawn = low + tf.random.stateless_uniform([num_tasks, 7], ranges) * (tf.constant(high) - low)
    friction, load, position, front, rear, speed, demand = tf.unstack(drawn, axis=-1)
    worn = replace(nominal, front=front * nominal.front, rear=rear * nominal.rear)
    vehicle = loaded(friction, load, position, worn)
    return FleetDrives(wandering_steering(vehicle, speed, demand * friction * GRAVITY, samples, waves, noise), nominal)


def fitted_tyres(fleet: FleetDrives, part: slice, doubt: float | None = None) -> Vehicle:
    """The linear single-track model whose two cornering stiffnesses fit measured drives best, by least squares.

    Linear tyres make the equations of motion linear in the two unknowns. Both sides are taken in the middle of an
    interval, where the difference of two measurements is the derivative up to second order; rows num_tasks by the noise
    of their sensors. Mass and geometry stay nominal, so that an unknown load is part of the stiffness.

    Args:
        fleet: T drives.
        part: the intervals to fit.
        doubt: standard deviation of what is believed beforehand, that stiffness is nominal, as a share of it (ridge
            regression); None for no such belief.

    Returns:
        T vehicles whose tyres never give way.
    """
    drives, nominal = fleet.drives, fleet.nominal
    fields = {name: np.asarray(value, np.float64)[:, None] for name, value in vars(nominal).items()}
    mass, inertia, ahead = fields["mass"], fields["inertia"], fields["centre"]
    behind, speed = fields["wheelbase"] - ahead, drives.speed.numpy()[:, None]
    measured = drives.measured.numpy()
    before, after = measured[:, :-1][:, part], measured[:, 1:][:, part]
    lateral, yaw_rate = np.moveaxis((before + after) / 2, -1, 0)
    sideways, turning = np.moveaxis((after - before) / INTERVAL, -1, 0)

    front, rear = (np.asarray(stiffness)[:, None] for stiffness in nominal.stiffness)
    front = front * (drives.steering.numpy()[:, part] - (lateral + ahead * yaw_rate) / speed)
    rear = -rear * (lateral - behind * yaw_rate) / speed
    left = np.stack([front / mass, ahead * front / inertia], -1), np.stack([rear / mass, -behind * rear / inertia], -1)
    noise = np.sqrt(2) * np.array(NOISE) / INTERVAL  # a change is the difference of two measurements
    left = np.stack([(side / noise).reshape(len(mass), -1) for side in left], axis=-1)
    right = (np.stack([sideways + speed * yaw_rate, turning], axis=-1) / noise).reshape(len(mass), -1, 1)
    transposed = np.moveaxis(left, -1, -2)
    belief = 0.0 if doubt is None else doubt**-2
    share = np.linalg.solve(transposed @ left + belief * np.eye(2), transposed @ right + belief)[..., 0]
    front, rear = np.float32(np.clip(share, 0.02, None).T)  # an axle that pushes the wrong way is noise
    friction = np.full_like(front, NO_LIMIT)
    return replace(nominal, front=nominal.front * front, rear=nominal.rear * rear, friction=friction)
