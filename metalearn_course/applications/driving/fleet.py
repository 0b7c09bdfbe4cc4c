"""Real cars with unknown loads, tyres and roads, and the errors that the equations of the nominal car make for them.

The nominal car is what its maker knows: the equations of motion, with the mass and the tyres of the new, empty car on
a dry road. A task is to correct these equations from one second of driving, either by a learner whose prediction is
added to theirs, or by least squares on the stiffness of the tyres.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.applications.checks import arrays, instances, numbers_in, parts_of, ranges_in
from metalearn_course.applications.driving.drives import (
    CHANGE_SCALE,
    NOISE,
    SPEED,
    SPEED_CENTRE,
    SPEED_SCALE,
    Drives,
    drawn_uniformly,
    wandering_steering,
)
from metalearn_course.applications.driving.tyres import cornering_stiffness
from metalearn_course.applications.driving.vehicle import (
    FRONT_COMPLIANCE,
    GRAVITY,
    INTERVAL,
    Vehicle,
    advance_vehicle,
    loaded,
    slip_angles,
)
from metalearn_course.applications.seeds import split_seed
from metalearn_lib.core.checks import at_least
from metalearn_lib.core.extras import import_extra

FRICTION = (0.25, 1.0)  # from packed snow to dry asphalt
LOAD = (0.0, 400.0)  # kg
POSITION = (1.3, 2.4)  # m from the front axle
TYRES = (0.7, 1.0)  # stiffness of an axle, as a share of that with new tyres
DEMAND = (0.1, 0.6)  # as a share of the grip
SLIP_SCALE = 0.03  # rad
NO_LIMIT = 50.0  # a friction at which tyres are linear


def real_vehicles() -> dict[str, Vehicle]:
    """The passenger vehicles of CommonRoad, empty, on a dry road.

    Masses, inertias and axle distances come from its parameter files, cornering stiffness per N of load and grip from
    its tyre (Althoff and Würsching, "CommonRoad: Vehicle Models", 2020, tables 6 and 7). With the same tyres on both
    axles every vehicle would steer neutrally; so, as in the van, elastic steering reduces the stiffness in front.
    Its fourth vehicle, a lorry, has no masses and is left out.

    Returns:
        A `Vehicle` for each name.

    Raises:
        ImportError: if commonroad-vehicle-models is not installed.
    """
    parameters = import_extra("vehiclemodels.vehicle_parameters", "course")
    vehicles = {}
    for number, name in enumerate(("Ford Escort", "BMW 320i", "VW Vanagon"), 1):
        real = parameters.setup_vehicle_parameters(number)
        vehicle = Vehicle(real.tire.p_dy1, real.m, real.I_z, real.a, real.a + real.b)
        front, rear = (-real.tire.p_ky1 * load / float(cornering_stiffness(load)) for load in vehicle.axle_loads)
        vehicles[name] = replace(vehicle, front=FRONT_COMPLIANCE * front, rear=rear)
    return vehicles


@dataclass(frozen=True)
class FleetDrives:
    """Recorded drives, and the nominal cars.

    Args:
        drives: drives of T vehicles.
        nominal: the same vehicles new, empty and on a dry road.
    """

    drives: Drives
    nominal: Vehicle

    def task(self, support: slice, query: slice) -> ml.tasks.MetaBatch:
        """Learn from the measurements in the intervals `support`, predict the truth in the intervals `query`.

        Returns:
            A meta-batch with x [T, S or Q, 3] of `situations`, and the errors of the nominal car there as
            y [T, S or Q, 2], in units of `CHANGE_SCALE`.
        """
        parts_of(self.drives.steering.shape[1], support=support, query=query)
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
    """The inputs of a learner: slip angles of both axles and speed [T, n, 3], scaled to order one.

    Args:
        vehicle: T vehicles; only distances of axles matter.
        states: [T, n, 2].
        steering: [T, n] in rad.
        speed: [T] in m/s.
    """
    instances(Vehicle, vehicle=vehicle)
    arrays(speed=(speed, "T"), steering=(steering, "T n"), states=(states, "T n 2"))
    front, rear = slip_angles(vehicle.rows, states, steering, speed[:, None])
    scaled_speed = tf.zeros_like(steering) + (speed[:, None] - SPEED_CENTRE) / SPEED_SCALE
    return tf.stack([front / SLIP_SCALE, rear / SLIP_SCALE, scaled_speed], axis=-1)


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
    ranges_in("(0, inf)", friction=friction)
    ranges_in("[0, inf)", demand=demand)
    cars = real_vehicles() if vehicles is None else vehicles
    instances(Mapping, vehicles=cars)
    if not cars:
        raise ValueError("vehicles is empty, expected at least one")
    instances(Vehicle, **{f"vehicles[{name!r}]": car for name, car in cars.items()})
    kinds, ranges, waves, noise = split_seed(seed, 4)
    kind = tf.random.stateless_uniform([num_tasks], kinds, maxval=len(cars), dtype=tf.int32)
    fields = zip(*(vars(car).values() for car in cars.values()), strict=True)
    nominal = Vehicle(*(tf.gather(tf.constant(field, tf.float32), kind) for field in fields))

    of_friction, load, position, front, rear, speed, of_demand = drawn_uniformly(
        ranges, num_tasks, friction, LOAD, POSITION, TYRES, TYRES, SPEED, demand
    )
    worn = replace(nominal, front=front * nominal.front, rear=rear * nominal.rear)
    vehicle = loaded(of_friction, load, position, worn)
    acceleration = of_demand * of_friction * GRAVITY
    return FleetDrives(wandering_steering(vehicle, speed, acceleration, samples, waves, noise), nominal)


def fitted_tyres(fleet: FleetDrives, part: slice, doubt: float | None = None) -> Vehicle:
    """The linear single-track model whose two cornering stiffnesses fit measured drives best, by least squares.

    Linear tyres make the equations of motion linear in the two unknowns. Both sides are taken in the middle of an
    interval, where the difference of two measurements is the derivative up to second order, and divided by the noise
    of their sensors. Mass and geometry stay nominal, so that an unknown load is part of the stiffness.

    Args:
        fleet: T drives.
        part: the intervals to fit.
        doubt: standard deviation of the prior that stiffness is nominal, as a share of it (ridge regression); None for
            no prior.

    Returns:
        T vehicles with linear tyres.
    """
    instances(FleetDrives, fleet=fleet)
    parts_of(fleet.drives.steering.shape[1], part=part)
    if doubt is not None:
        numbers_in("(0, inf)", doubt=doubt)
    drives, nominal = fleet.drives, fleet.nominal
    fields = {name: np.asarray(value, np.float64)[:, None] for name, value in vars(nominal).items()}
    mass, inertia, ahead = fields["mass"], fields["inertia"], fields["centre"]
    behind, speed = fields["wheelbase"] - ahead, np.asarray(drives.speed)[:, None]
    measured = np.asarray(drives.measured)
    before, after = measured[:, :-1][:, part], measured[:, 1:][:, part]
    lateral, yaw_rate = np.moveaxis((before + after) / 2, -1, 0)
    sideways, turning = np.moveaxis((after - before) / INTERVAL, -1, 0)

    # The forces of nominal tyres, and the accelerations that they give: sideways and turning.
    front_stiffness, rear_stiffness = (np.asarray(stiffness)[:, None] for stiffness in nominal.stiffness)
    front_force = front_stiffness * (np.asarray(drives.steering)[:, part] - (lateral + ahead * yaw_rate) / speed)
    rear_force = -rear_stiffness * (lateral - behind * yaw_rate) / speed
    by_front = np.stack([front_force / mass, ahead * front_force / inertia], axis=-1)
    by_rear = np.stack([rear_force / mass, -behind * rear_force / inertia], axis=-1)
    wanted = np.stack([sideways + speed * yaw_rate, turning], axis=-1)

    noise = np.sqrt(2) * np.array(NOISE) / INTERVAL  # a change is the difference of two measurements
    rows = np.stack([(side / noise).reshape(len(mass), -1) for side in (by_front, by_rear)], axis=-1)
    transposed, right = np.moveaxis(rows, -1, -2), (wanted / noise).reshape(len(mass), -1, 1)
    precision = 0.0 if doubt is None else doubt**-2
    shares = np.linalg.solve(transposed @ rows + precision * np.eye(2), transposed @ right + precision)[..., 0]
    # An axle that pushes the wrong way is noise.
    front, rear = np.clip(shares, 0.02, None).T.astype(np.float32)
    friction = np.full_like(front, NO_LIMIT)
    return replace(nominal, front=nominal.front * front, rear=nominal.rear * rear, friction=friction)
