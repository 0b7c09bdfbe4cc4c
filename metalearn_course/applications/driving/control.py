"""A bend, and a controller that drives it with any model of the vehicle.

The controller plans again every `INTERVAL`: it simulates the next 0.4 s by the model with each of the steering
angles within reach, and takes the one that stays nearest to the middle of the lane (model predictive control by
enumeration). It measures only now and then where the vehicle really is; in between it relies on its model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import integrate

import metalearn_lib as ml
from metalearn_course.applications.checks import arrays, instances, numbers_in, tasks_have, whole_numbers
from metalearn_course.applications.driving.drives import CHANGE_SCALE, NOISE
from metalearn_course.applications.driving.fleet import situations
from metalearn_course.applications.driving.vehicle import INTERVAL, Vehicle, advance_vehicle
from metalearn_course.applications.seeds import stateless_seed
from metalearn_lib.core.checks import at_least

STEERING_RATE = 0.4  # rad/s, as fast as CommonRoad lets its cars steer
CANDIDATES = 5  # number of steering angles to choose from
HORIZON = 8  # intervals that are planned
LANE = 0.9  # m that a car 1.7 m wide can be off the middle of a lane 3.5 m wide

Model = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""From states [T, C, 2] and steering angles [T, C] to the states [T, C, 2] one interval later."""


@dataclass(frozen=True)
class Bend:
    """A bend to the left for each of T vehicles, at constant speed; places are given by the time to reach them.

    Args:
        speed: [T] in m/s.
        curvature: [T] in 1/m, the largest.
        entry: s until it begins.
        ramp: s in which the curvature grows, linearly, and in which it goes back.
        end: s until it ends.
    """

    speed: Any
    curvature: Any
    entry: float = 0.25
    ramp: float = 1.0
    end: float = 3.75

    def __post_init__(self) -> None:
        arrays(speed=(self.speed, "T"), curvature=(self.curvature, "T"), entry=(self.entry, ""))
        numbers_in("(0, inf)", speed=self.speed, ramp=self.ramp)
        numbers_in(f"({self.entry}, inf)", end=self.end)

    def curvature_at(self, distance: tf.Tensor) -> tf.Tensor:
        """Curvature [T, C] in 1/m at distances [T, C] in m along the road."""
        arrays(distance=(distance, f"{self.speed.shape[0]} C"))
        time = distance / self.speed[:, None]
        share = tf.minimum(time - self.entry, self.end - time) / self.ramp
        return self.curvature[:, None] * tf.clip_by_value(share, 0.0, 1.0)

    def coordinates(self, row: int, places: np.ndarray) -> np.ndarray:
        """East and north [..., 2] in m of places [..., 3] on the bend of vehicle `row`, which starts eastwards."""
        at_least(0, row=row)
        numbers_in(f"[0, {len(self.speed)})", row=row)
        arrays(places=(places, "... k"))
        distance, offset = places[..., 0], places[..., 1]
        along = np.linspace(distance.min(), distance.max(), 1_000)
        only = replace(self, speed=tf.constant(self.speed[row])[None], curvature=tf.constant(self.curvature[row])[None])
        heading = integrate.cumulative_trapezoid(only.curvature_at(along[None])[0], along, initial=0)
        direction = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        middle = along[0] * direction[0] + integrate.cumulative_trapezoid(direction, along, axis=0, initial=0)
        heading, *middle = (np.interp(distance, along, values) for values in (heading, *middle.T))
        return np.stack(middle, axis=-1) + offset[..., None] * np.stack([-np.sin(heading), np.cos(heading)], axis=-1)

    def move(self, place: tf.Tensor, before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
        """The place of a vehicle one interval later, by the midpoint rule.

        Args:
            place: [T, C, 3]: distance along the road in m, offset to the left of its middle in m, heading against
                it in rad (Rajamani, "Vehicle Dynamics and Control", section 2.5).
            before: its state [T, C, 2] at the beginning.
            after: its state at the end.

        Returns:
            The place [T, C, 3].
        """
        tasks = self.speed.shape[0]
        arrays(place=(place, f"{tasks} C 3"), before=(before, f"{tasks} C 2"), after=(after, f"{tasks} C 2"))
        lateral, yaw_rate = tf.unstack((before + after) / 2, axis=-1)

        def rate(place: tf.Tensor) -> tf.Tensor:
            distance, offset, heading = tf.unstack(place, axis=-1)
            curvature, cosine, sine = self.curvature_at(distance), tf.cos(heading), tf.sin(heading)
            along = (self.speed[:, None] * cosine - lateral * sine) / (1 - curvature * offset)
            return tf.stack([along, self.speed[:, None] * sine + lateral * cosine, yaw_rate - curvature * along], -1)

        return place + INTERVAL * rate(place + INTERVAL / 2 * rate(place))


@dataclass(frozen=True)
class Passages:
    """How T vehicles drove their bends, once for each of L intervals between two looks.

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
    """The equations of vehicles as a model; all such models share one traced controller."""

    fields: tuple[tf.Tensor, ...]
    speed: tf.Tensor
    substeps: int = 1

    def __call__(self, states: tf.Tensor, steering: tf.Tensor) -> tf.Tensor:
        """States [T, C, 2] one interval later."""
        return advance_vehicle(Vehicle(*self.fields), states, steering, self.speed[:, None], self.substeps)


def equations(vehicle: Vehicle, speed: tf.Tensor, substeps: int = 1) -> Equations:
    """The model of T vehicles at speeds [T] that simulates `vehicle`."""
    instances(Vehicle, vehicle=vehicle)
    arrays(speed=(speed, "T"))
    numbers_in("(0, inf)", speed=speed)
    at_least(1, substeps=substeps)
    fields = tuple(tf.cast(field, tf.float32) for field in vars(vehicle.rows).values())
    return Equations(fields, speed, substeps)


def corrected(nominal: Vehicle, learner: ml.GradientLearner, task: ml.tasks.Task, speed: tf.Tensor) -> Model:
    """The equations of nominal cars plus the predictions of a learner that is adapted to T support sets.

    Args:
        nominal: T vehicles.
        learner: a compiled learner of tasks as `FleetDrives.task` makes them.
        task: `support_x` [T, S, 3], `support_y` [T, S, 2]; other keys are not used.
        speed: [T] in m/s.
    """
    instances(Vehicle, nominal=nominal)
    instances(ml.GradientLearner, learner=learner)
    tasks_have(task, support_x="T S 3", support_y="T S 2")
    arrays(speed=(speed, f"{len(task['support_x'])}"))
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
    """Drive a bend, starting straight ahead in the middle of the lane.

    Args:
        bend: the road of each vehicle, and its speed.
        vehicle: T vehicles as they really are.
        model: the controller's model of them.
        looks: for each passage, the number of intervals from one look to the next.
        intervals: length n of a passage.
        seed: fixes the noise of the sensors: `NOISE` on the state, none on the place; None for no noise.

    Returns:
        A passage of each vehicle for each of `looks`.
    """
    instances(Bend, bend=bend)
    if not callable(model):
        raise TypeError(f"model is {model!r}, expected a function of states and steering angles")
    at_least(1, intervals=intervals)
    whole_numbers(1, looks=looks)
    shape = [intervals, len(bend.speed), len(looks), 2]
    noise = tf.zeros(shape) if seed is None else tf.random.stateless_normal(shape, stateless_seed(seed)) * NOISE
    truth = equations(vehicle, bend.speed, substeps=2)
    places, steering = _drive(tuple(vars(bend).values()), truth, model, tf.constant(looks)[:, None], noise)
    return Passages(places.numpy().transpose(2, 1, 0, 3), steering.numpy().transpose(2, 1, 0))


@tf.function(autograph=False)
def _drive(
    fields: tuple, truth: Model, model: Model, looks: tf.Tensor, noise: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    bend = Bend(*fields)

    def interval(before: tuple[tf.Tensor, ...], now: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        place, state, believed_place, believed, steering = before
        number, noise = now
        sees = tf.math.floormod(number, looks) == 0
        believed_place, believed = tf.where(sees, place, believed_place), tf.where(sees, state + noise, believed)
        steering = plan_steering(bend, model, believed_place, believed, steering)
        after, expected = truth(state, steering), model(believed, steering)
        believed_place = bend.move(believed_place, believed, expected)
        return bend.move(place, state, after), after, believed_place, expected, steering

    state, place = tf.zeros_like(noise[0]), tf.zeros([*noise.shape[1:3], 3])
    start = place, state, place, state, tf.unstack(state, axis=-1)[0]
    places, *_, steering = tf.scan(interval, (tf.range(noise.shape[0]), noise), start)
    return tf.concat([place[None], places], axis=0), steering


def plan_steering(bend: Bend, model: Model, place: tf.Tensor, state: tf.Tensor, steering: tf.Tensor) -> tf.Tensor:
    """The steering angles [T, L] for the next interval.

    A candidate angle is held from the second interval on; in the first the wheels turn towards it as fast as they can.

    Args:
        bend: the road.
        model: the controller's model of the vehicle.
        place: [T, L, 3], see `Bend.move`.
        state: [T, L, 2].
        steering: [T, L], the angles now.
    """
    instances(Bend, bend=bend)
    arrays(steering=(steering, "T L"), state=(state, "T L 2"), place=(place, "T L 3"))
    reach = STEERING_RATE * INTERVAL
    turns = tf.linspace(-2 * reach, 2 * reach, CANDIDATES)
    first, later = (tf.expand_dims(steering, -1) + turn for turn in (tf.clip_by_value(turns, -reach, reach), turns))
    first, later = (tf.reshape(angles, [angles.shape[0], -1]) for angles in (first, later))

    def ahead(number: tf.Tensor, place: tf.Tensor, state: tf.Tensor, cost: tf.Tensor) -> tuple[tf.Tensor, ...]:
        after = model(state, tf.where(number == 0, first, later))
        place = bend.move(place, state, after)
        _, offset, _ = tf.unstack(place, axis=-1)
        return number + 1, place, after, cost + offset**2

    start = 0, tf.repeat(place, CANDIDATES, axis=1), tf.repeat(state, CANDIDATES, axis=1), tf.zeros_like(first)
    *_, cost = tf.while_loop(lambda number, *_: number < HORIZON, ahead, start)
    best = tf.argmin(tf.reshape(cost, [*steering.shape, CANDIDATES]), axis=-1)
    return tf.gather(tf.reshape(first, [*steering.shape, CANDIDATES]), best, batch_dims=2)
