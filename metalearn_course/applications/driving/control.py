"""A bend, and a controller that takes it with whatever model of the vehicle it is given.

The controller plans anew every `INTERVAL`: it lets the model drive 0.4 s ahead with each of the steering
angles within reach and takes the one that stays nearest to the middle of the lane (model predictive control by
enumeration). It looks only now and then where the vehicle really is; in between it believes its model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import integrate

import metalearn_lib as ml
from metalearn_course.applications.driving.drives import CHANGE_SCALE, NOISE
from metalearn_course.applications.driving.fleet import situations
from metalearn_course.applications.driving.vehicle import INTERVAL, Vehicle, advance_vehicle

STEERING_RATE = 0.4  # rad/s, as fast as CommonRoad lets its cars steer
CANDIDATES = 5  # steering angles that are tried
HORIZON = 8  # intervals that are planned
LANE = 0.9  # m that a car of 1.7 m can be off the middle of a lane of 3.5 m

Model = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""From states [T, C, 2] and steering angles [T, C] to the states [T, C, 2] one interval later."""


@dataclass(frozen=True)
class Bend:
    """A bend to the left for each of T vehicles, at constant speed; times are those at which it would be there.

    Args:
        speed: [T] in m/s.
        curvature: [T] in 1/m, the largest.
        entry: s until it begins.
        ramp: s in which the curvature grows, evenly, and in which it goes back.
        end: s until it ends.
    """

    speed: Any
    curvature: Any
    entry: float = 0.25
    ramp: float = 1.0
    end: float = 3.75

    def curvature_at(self, distance: tf.Tensor) -> tf.Tensor:
        """Curvature [T, C] in 1/m at distances [T, C] in m along the road."""
        time = distance / self.speed[:, None]
        share = tf.minimum(time - self.entry, self.end - time) / self.ramp
        return self.curvature[:, None] * tf.clip_by_value(share, 0.0, 1.0)

    def coordinates(self, row: int, places: np.ndarray) -> np.ndarray:
        """East and north [..., 2] in m of places [..., 2 or more] on the bend of one vehicle; it starts eastwards."""
        distance, offset = places[..., 0], places[..., 1]
        along = np.linspace(distance.min(), distance.max(), 1_000)
        only = replace(self, speed=tf.constant(self.speed[row])[None], curvature=tf.constant(self.curvature[row])[None])
        heading = integrate.cumulative_trapezoid(only.curvature_at(along[None])[0], along, initial=0)
        direction = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        middle = along[0] * direction[0] + integrate.cumulative_trapezoid(direction, along, axis=0, initial=0)
        heading, *middle = (np.interp(distance, along, values) for values in (heading, *middle.T))
        return np.stack(middle, axis=-1) + offset[..., None] * np.stack([-np.sin(heading), np.cos(heading)], axis=-1)

    def move(self, place: tf.Tensor, before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
        """Where a vehicle is an interval later, by the midpoint rule.

        Args:
            place: [T, C, 3]: distance along the road in m, offset to the left of its middle in m, heading against
                it in rad (Rajamani, "Vehicle Dynamics and Control", section 2.5).
            before: its state [T, C, 2] at the beginning.
            after: its state at the end.

        Returns:
            The place [T, C, 3].
        """
        lateral, yaw_rate = tf.unstack((before + after) / 2, axis=-1)

        def rate(place: tf.Tensor) -> tf.Tensor:
            distance, offset, heading = tf.unstack(place, axis=-1)
            curvature, cosine, sine = self.curvature_at(distance), tf.cos(heading), tf.sin(heading)
            along = (self.speed[:, None] * cosine - lateral * sine) / (1 - curvature * offset)
            return tf.stack([along, self.speed[:, None] * sine + lateral * cosine, yaw_rate - curvature * along], -1)

        return place + INTERVAL * rate(place + INTERVAL / 2 * rate(place))


@dataclass(frozen=True)
class Passages:
    """How T vehicles went round their bends, once for each of L ways to look.

    Args:
        places: [L, T, n + 1, 3], see `Bend.move`.
        steering: [L, T, n] in rad.
    """

    places: np.ndarray
    steering: np.ndarray

    @property
    def largest_offset(self) -> np.ndarray:
        """[L, T] in m: the largest distance from the middle of the lane."""
        return np.abs(self.places[..., 1]).max(axis=-1)


class Equations(tf.experimental.ExtensionType):
    """A model that is right if vehicles are what it says; all of them share one traced controller."""

    fields: tuple[tf.Tensor, ...]
    speed: tf.Tensor
    substeps: int = 1

    def __call__(self, states: tf.Tensor, steering: tf.Tensor) -> tf.Tensor:
        """States [T, C, 2] an interval later."""
        return advance_vehicle(Vehicle(*self.fields), states, steering, self.speed[:, None], self.substeps)


def equations(vehicle: Vehicle, speed: tf.Tensor, substeps: int = 1) -> Equations:
    """The model that is right if T vehicles at speeds [T] are what `vehicle` says."""
    fields = tuple(tf.cast(field, tf.float32) for field in vars(vehicle.rows).values())
    return Equations(fields, speed, substeps)


def corrected(nominal: Vehicle, learner: ml.GradientLearner, task: ml.tasks.Task, speed: tf.Tensor) -> Model:
    """The equations of nominal cars and what a learner, adapted to T support sets, adds to them.

    Args:
        nominal: T vehicles.
        learner: a compiled learner of tasks as `FleetDrives.task` makes them.
        task: `support_x` [T, S, 3], `support_y` [T, S, 2]; other keys are not used.
        speed: [T] in m/s.
    """
    initial, support_x = learner.initialization(), tf.convert_to_tensor(task["support_x"])
    expected = equations(nominal, speed)

    def adapt(x: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        return [tf.identity(weight) for weight in learner.adapt(initial, x, y)]

    weights = tf.function(lambda x, y: ml.over_tasks(adapt, x, y))(support_x, tf.convert_to_tensor(task["support_y"]))

    def model(states: tf.Tensor, steering: tf.Tensor) -> tf.Tensor:
        x = situations(nominal, states, steering, speed)
        return expected(states, steering) + CHANGE_SCALE * ml.over_tasks(learner.predict_from, weights, support_x, x)

    return model


def follow_bend(
    bend: Bend, vehicle: Vehicle, model: Model, looks: Sequence[int], intervals: int = 85, seed: int | None = 0
) -> Passages:
    """Take a bend, from straight ahead in the middle of the lane.

    Args:
        bend: the road of each vehicle, and its speed.
        vehicle: T vehicles as they really are.
        model: what the controller believes of them.
        looks: for each passage, the controller looks at every such number of intervals.
        intervals: length n of a passage.
        seed: fixes the noise of the sensors, which is `NOISE` of the state and none of the place; None for none.

    Returns:
        A passage of each vehicle for each of `looks`.
    """
    noise = tf.zeros([intervals, len(bend.speed), len(looks), 2])
    if seed is not None:
        noise = tf.random.stateless_normal(noise.shape, [0, seed]) * NOISE
    truth = equations(vehicle, bend.speed, substeps=2)
    places, steering = _drive(tuple(vars(bend).values()), truth, model, tf.constant(looks)[:, None], noise)
    return Passages(places.numpy().transpose(2, 1, 0, 3), steering.numpy().transpose(2, 1, 0))


@tf.function(autograph=False)
def _drive(bend: tuple, truth: Model, model: Model, looks: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    bend = Bend(*bend)

    def interval(before: tuple[tf.Tensor, ...], now: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        place, state, believed_place, believed, steering = before
        number, noise = now
        sees = number % looks == 0
        believed_place, believed = tf.where(sees, place, believed_place), tf.where(sees, state + noise, believed)
        steering = plan_steering(bend, model, believed_place, believed, steering)
        after, expected = truth(state, steering), model(believed, steering)
        believed_place = bend.move(believed_place, believed, expected)
        return bend.move(place, state, after), after, believed_place, expected, steering

    state, place = tf.zeros_like(noise[0]), tf.zeros([*noise.shape[1:3], 3])
    start = place, state, place, state, state[..., 0]
    places, *_, steering = tf.scan(interval, (tf.range(noise.shape[0]), noise), start)
    return tf.concat([place[None], places], axis=0), steering


def plan_steering(bend: Bend, model: Model, place: tf.Tensor, state: tf.Tensor, steering: tf.Tensor) -> tf.Tensor:
    """The steering angles [T, L] for the next interval.

    A candidate angle is held from the second interval on; in the first the wheels turn towards it as fast as they can.

    Args:
        bend: the road.
        model: what the controller believes of the vehicle.
        place: [T, L, 3], see `Bend.move`.
        state: [T, L, 2].
        steering: [T, L], the angles now.
    """
    reach = STEERING_RATE * INTERVAL
    turns = tf.linspace(-2 * reach, 2 * reach, CANDIDATES)
    first, later = (steering[..., None] + turn for turn in (tf.clip_by_value(turns, -reach, reach), turns))
    first, later = (tf.reshape(angles, [angles.shape[0], -1]) for angles in (first, later))

    def ahead(number: tf.Tensor, place: tf.Tensor, state: tf.Tensor, cost: tf.Tensor) -> tuple[tf.Tensor, ...]:
        after = model(state, tf.where(number == 0, first, later))
        place = bend.move(place, state, after)
        return number + 1, place, after, cost + place[..., 1] ** 2

    start = 0, tf.repeat(place, CANDIDATES, axis=1), tf.repeat(state, CANDIDATES, axis=1), tf.zeros_like(first)
    *_, cost = tf.while_loop(lambda number, *_: number < HORIZON, ahead, start)
    best = tf.argmin(tf.reshape(cost, [*steering.shape, CANDIDATES]), axis=-1)
    return tf.gather(tf.reshape(first, [*steering.shape, CANDIDATES]), best, batch_dims=2)
