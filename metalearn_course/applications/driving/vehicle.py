"""A vehicle on a road, and how it moves: the single-track model.

Two axles on one track, at constant speed, with tyres that saturate: Rajamani, "Vehicle Dynamics and Control",
chapter 2 (the bicycle model), and Pacejka, "Tyre and Vehicle Dynamics", chapters 1 and 4 (effective axle
characteristics, the magic formula). It leaves out roll, the shift of load in a bend, and longitudinal forces. All
functions work on arrays with any leading axes, in the dtype of their first array.
"""

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from metalearn_course.applications.checks import arrays, broadcast_to, instances, numbers_in
from metalearn_course.applications.driving.tyres import cornering_stiffness, tyre_force
from metalearn_lib.core.checks import at_least

GRAVITY = 9.81  # m/s²
INTERVAL = 0.05  # s between two samples; the steering angle is constant in between

# A small delivery van with its driver.
EMPTY_MASS = 1_400.0  # kg
EMPTY_INERTIA = 2_400.0  # kg m²
EMPTY_CENTRE = 1.15  # m from the front axle to the centre of gravity
WHEELBASE = 2.7  # m

FRONT_COMPLIANCE = 0.8  # what elastic steering and suspension leave of the front axle's stiffness


@dataclass(frozen=True)
class Vehicle:
    """A vehicle on a road; a field is a number, or an array with one number for each of several vehicles.

    Args:
        friction: μ between tyres and road: about 0.9 on dry asphalt, 0.3 on packed snow, 0.1 to 0.25 on ice.
        mass: m in kg.
        inertia: I in kg m², about the vertical axis.
        centre: distance in m from the front axle to the centre of gravity.
        wheelbase: distance in m between the axles.
        front: stiffness of the front axle, as a share of that of the tyres of `cornering_stiffness`.
        rear: the same of the rear axle.

    Raises:
        TypeError: if a field holds no numbers.
        ValueError: if a number is not positive, or the centre of gravity is not between the axles.
    """

    friction: Any
    mass: Any = EMPTY_MASS
    inertia: Any = EMPTY_INERTIA
    centre: Any = EMPTY_CENTRE
    wheelbase: Any = WHEELBASE
    front: Any = FRONT_COMPLIANCE
    rear: Any = 1.0

    def __post_init__(self) -> None:
        numbers_in("(0, inf)", **vars(self))
        numbers_in("(0, 1)", **{"centre / wheelbase": self.centre / self.wheelbase})

    @property
    def axle_loads(self) -> tuple[Any, Any]:
        """Weight on the front and on the rear axle in N."""
        weight = self.mass * GRAVITY
        return weight * (self.wheelbase - self.centre) / self.wheelbase, weight * self.centre / self.wheelbase

    @property
    def stiffness(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Cornering stiffness of the front and of the rear axle in N/rad."""
        front, rear = (cornering_stiffness(load) for load in self.axle_loads)
        return self.front * front, self.rear * rear

    @property
    def rows(self) -> "Vehicle":
        """The same vehicles with one more axis, for a row of states of each."""
        return Vehicle(*(tf.expand_dims(field, -1) for field in vars(self).values()))


VAN = Vehicle(0.9)


def loaded(friction: Any, load: Any = 0.0, position: Any = 1.5, empty: Vehicle = VAN) -> Vehicle:
    """A vehicle with a load.

    Args:
        friction: μ.
        load: kg, at one point.
        position: m from the front axle back to the load.
        empty: the vehicle without the load, by default the van.

    Returns:
        The `Vehicle` with the load (moments of inertia by the theorem of parallel axes).
    """
    instances(Vehicle, empty=empty)
    numbers_in("[0, inf)", load=load)
    arrays(position=(position, "..."))
    mass = empty.mass + load
    centre = (empty.mass * empty.centre + load * position) / mass
    inertia = empty.inertia + empty.mass * load / mass * (position - empty.centre) ** 2
    return replace(empty, friction=friction, mass=mass, inertia=inertia, centre=centre)


def slip_angles(vehicle: Vehicle, state: Any, steering: Any, speed: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Slip angles [...] of the front and of the rear axle in rad, see `vehicle_derivatives` for the arguments."""
    _check_situation(vehicle, state, steering, speed)
    lateral, yaw_rate = state[..., 0], state[..., 1]
    ahead, behind = vehicle.centre, vehicle.wheelbase - vehicle.centre
    return steering - tf.atan((lateral + ahead * yaw_rate) / speed), -tf.atan((lateral - behind * yaw_rate) / speed)


def vehicle_derivatives(vehicle: Vehicle, state: Any, steering: Any, speed: Any) -> tf.Tensor:
    """Time derivatives of the state (Rajamani, section 2.3, with the tyre of `tyre_force`).

    Args:
        vehicle: the vehicle and its road.
        state: [..., 2]: lateral velocity of the centre of gravity in m/s, to the left, and yaw rate in rad/s.
        steering: angle of the front wheels in rad, to the left.
        speed: forward speed in m/s.

    Returns:
        Time derivatives of the state [..., 2] in m/s² and rad/s².
    """
    _check_situation(vehicle, state, steering, speed)
    state = _floating(state)
    vehicle = Vehicle(*_cast(vehicle, state.dtype))
    ahead, behind = vehicle.centre, vehicle.wheelbase - vehicle.centre
    slips = slip_angles(vehicle, state, steering, speed)
    forces = zip(slips, vehicle.stiffness, vehicle.axle_loads, strict=True)
    front, rear = (tyre_force(slip, stiffness, load, vehicle.friction) for slip, stiffness, load in forces)
    front = front * tf.cos(steering)
    sideways = (front + rear) / vehicle.mass - speed * state[..., 1]
    return tf.stack([sideways, (ahead * front - behind * rear) / vehicle.inertia], axis=-1)


def advance_vehicle(vehicle: Vehicle, state: Any, steering: Any, speed: Any, substeps: int = 2) -> tf.Tensor:
    """The state [..., 2] after one `INTERVAL`, see `simulate_vehicle`."""
    _check_situation(vehicle, state, steering, speed)
    at_least(1, substeps=substeps)
    state = _floating(state)
    steering, speed = (tf.cast(value, state.dtype) for value in (steering, speed))
    return _advance(_cast(vehicle, state.dtype), state, steering, speed, substeps)


def simulate_vehicle(vehicle: Vehicle, steering: Any, speed: Any, start: Any = None, substeps: int = 2) -> tf.Tensor:
    """Drive, by the classical Runge–Kutta method.

    Args:
        vehicle: vehicles and their roads.
        steering: [..., n] in rad, a constant angle for each interval of `INTERVAL` seconds.
        speed: [...] in m/s, constant.
        start: the first state [..., 2]; None for straight ahead.
        substeps: Runge–Kutta steps in an interval.

    Returns:
        States [..., n + 1, 2]: the first, and the one at the end of each interval.
    """
    instances(Vehicle, vehicle=vehicle)
    arrays(steering=(steering, "... n"))
    numbers_in("(0, inf)", speed=speed)
    at_least(1, substeps=substeps)
    steering = _floating(steering)
    broadcast_to(steering.shape[:-1], speed=speed, **vars(vehicle))
    state = tf.zeros([*steering.shape[:-1], 2], steering.dtype) if start is None else start
    arrays(start=(state, " ".join(map(str, [*steering.shape[:-1], 2]))))
    state, speed = (tf.cast(value, steering.dtype) for value in (state, speed))
    return _runge_kutta(_cast(vehicle, steering.dtype), steering, speed, state, substeps)


@tf.function(autograph=False)
def _advance(fields: tuple[tf.Tensor, ...], state: tf.Tensor, steering: tf.Tensor, speed: tf.Tensor, substeps: int):
    vehicle, step = Vehicle(*fields), INTERVAL / substeps
    for _ in range(substeps):
        k1 = vehicle_derivatives(vehicle, state, steering, speed)
        k2 = vehicle_derivatives(vehicle, state + step / 2 * k1, steering, speed)
        k3 = vehicle_derivatives(vehicle, state + step / 2 * k2, steering, speed)
        k4 = vehicle_derivatives(vehicle, state + step * k3, steering, speed)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


@tf.function(autograph=False)
def _runge_kutta(fields: tuple[tf.Tensor, ...], steering: tf.Tensor, speed: tf.Tensor, state: tf.Tensor, substeps: int):
    def interval(state: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
        return _advance(fields, state, angle, speed, substeps)

    # Time first for the scan, and back.
    axes = range(steering.shape.rank - 1)
    states = tf.scan(interval, tf.transpose(steering, [len(axes), *axes]), state)
    states = tf.concat([state[None], states], axis=0)
    return tf.transpose(states, [*(axis + 1 for axis in axes), 0, len(axes) + 1])


def vehicle_path(states: Any, speed: Any) -> tf.Tensor:
    """The path of a vehicle that starts at the origin along the x axis (Heun's method).

    Args:
        states: [..., n, 2] at samples `INTERVAL` seconds apart.
        speed: [...] in m/s.

    Returns:
        Positions [..., n, 2] of the centre of gravity in m.
    """
    arrays(states=(states, "... n 2"))
    numbers_in("(0, inf)", speed=speed)
    states = _floating(states)
    lateral, yaw_rate = tf.unstack(states, axis=-1)
    heading = _integral(yaw_rate)
    speed = tf.expand_dims(tf.cast(speed, states.dtype), -1)
    ahead = speed * tf.cos(heading) - lateral * tf.sin(heading)
    return tf.stack([_integral(ahead), _integral(speed * tf.sin(heading) + lateral * tf.cos(heading))], axis=-1)


def _check_situation(vehicle: Vehicle, state: Any, steering: Any, speed: Any) -> None:
    instances(Vehicle, vehicle=vehicle)
    arrays(state=(state, "... 2"), steering=(steering, "..."))
    numbers_in("(0, inf)", speed=speed)


def _floating(value: Any) -> tf.Tensor:
    tensor = tf.convert_to_tensor(value)
    return tensor if tensor.dtype.is_floating else tf.cast(tensor, tf.float32)


def _cast(vehicle: Vehicle, dtype: tf.DType) -> tuple[tf.Tensor, ...]:
    return tuple(tf.cast(value, dtype) for value in vars(vehicle).values())


def _integral(values: tf.Tensor) -> tf.Tensor:
    """Integral over the last axis, in time, by the trapezoidal rule; it starts at 0."""
    # TensorFlow's stubs know no ellipsis in a slice.
    steps = INTERVAL * (values[..., 1:] + values[..., :-1]) / 2  # pyright: ignore[reportArgumentType]
    zero = tf.zeros_like(values[..., :1])  # pyright: ignore[reportArgumentType]
    return tf.concat([zero, tf.cumsum(steps, axis=-1)], axis=-1)
