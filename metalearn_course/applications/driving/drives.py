"""Driving as a family of tasks: each drive has its own load and road, and a learner sees one second of it.

An example is a situation (lateral velocity, yaw rate, steering angle, speed) and how the first two change in the
next interval. The support set is measured, with noise; queries have no noise, since a simulation knows the truth.
"""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.applications.checks import arrays, instances, numbers_in, parts_of, ranges_in, tasks_have
from metalearn_course.applications.driving.vehicle import INTERVAL, Vehicle, loaded, simulate_vehicle
from metalearn_course.applications.seeds import split_seed, stateless_seed
from metalearn_lib.core.checks import at_least

NOISE = (0.01, 0.002)  # m/s, rad/s: standard deviation of a measured state
STATE_SCALE = (0.5, 0.2)  # m/s, rad/s: learners see numbers of order one
CHANGE_SCALE = (0.05, 0.02)  # m/s, rad/s
STEERING_SCALE = 0.03  # rad
SPEED_CENTRE, SPEED_SCALE = 20.0, 6.0  # m/s
SPEED = (12.0, 25.0)  # m/s, of random drives
POSITION = (1.3, 2.4)  # m from the front axle, of a load
RUN_IN = 20  # intervals that a random drive lasts before it is recorded


@dataclass(frozen=True)
class Drives:
    """Recorded drives of T vehicles, n intervals each.

    Args:
        vehicle: vehicles and their roads, fields [T].
        speed: [T] in m/s.
        steering: [T, n] in rad.
        states: [T, n + 1, 2], the true ones.
        measured: the same with the noise of the sensors.
    """

    vehicle: Vehicle
    speed: tf.Tensor
    steering: tf.Tensor
    states: tf.Tensor
    measured: tf.Tensor

    def task(self, support: slice, query: slice) -> ml.tasks.MetaBatch:
        """Learn from the measurements in the intervals `support`, predict the truth in the intervals `query`."""
        parts_of(self.steering.shape[1], support=support, query=query)
        x, y = vehicle_examples(self.measured, self.steering, self.speed)
        true_x, true_y = vehicle_examples(self.states, self.steering, self.speed)
        task = {"support_x": x[:, support], "support_y": y[:, support], "query_x": true_x[:, query]}
        return task, true_y[:, query]

    def go_on(self, vehicle: Vehicle, steering: tf.Tensor, seed: int) -> "Drives":
        """The drives extended by `steering` [T, n'], simulated with `vehicle`."""
        rest = record_drive(vehicle, self.speed, steering, seed, self.states[:, -1])
        return Drives(
            vehicle,
            self.speed,
            tf.concat([self.steering, steering], axis=1),
            tf.concat([self.states, rest.states[:, 1:]], axis=1),
            tf.concat([self.measured, rest.measured[:, 1:]], axis=1),
        )


def vehicle_examples(states: Any, steering: Any, speed: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Drives as a learner sees them: pairs of situation and change, scaled to order one.

    Args:
        states: [..., n + 1, 2].
        steering: [..., n] in rad.
        speed: [...] in m/s.

    Returns:
        x [..., n, 4]: lateral velocity, yaw rate, steering angle, speed, scaled; y [..., n, 2]: the change of the
        first two in the next interval, scaled.
    """
    arrays(steering=(steering, "... n"), states=(states, "... n+1 2"))
    numbers_in("(0, inf)", speed=speed)
    states, steering = tf.convert_to_tensor(states), tf.convert_to_tensor(steering)
    speed = tf.zeros_like(steering) + tf.expand_dims((speed - SPEED_CENTRE) / SPEED_SCALE, -1)
    inputs = tf.stack([steering / STEERING_SCALE, speed], axis=-1)
    now, following = states[..., :-1, :], states[..., 1:, :]
    return tf.concat([now / STATE_SCALE, inputs], axis=-1), (following - now) / CHANGE_SCALE


def record_drive(
    vehicle: Vehicle, speed: tf.Tensor, steering: tf.Tensor, seed: int | tf.Tensor, start: tf.Tensor | None = None
) -> Drives:
    """Drive T vehicles and measure their states, with Gaussian `NOISE` on each of them.

    Args:
        vehicle: vehicles and their roads.
        speed: [T] in m/s.
        steering: [T, n] in rad.
        seed: fixes the noise.
        start: [T, 2], see `simulate_vehicle`.
    """
    arrays(speed=(speed, "T"), steering=(steering, "T n"))
    states = simulate_vehicle(vehicle, steering, speed, start)
    shape: Any = states.shape  # TensorFlow's stubs ask for a list
    noise = tf.random.stateless_normal(shape, stateless_seed(seed), dtype=states.dtype)
    return Drives(vehicle, speed, steering, states, states + noise * NOISE)


def random_drives(
    num_tasks: int,
    samples: int,
    seed: int | tf.Tensor = 0,
    demand: tuple[float, float] = (1.0, 4.0),
    friction: tuple[float, float] = (0.2, 1.0),
    load: tuple[float, float] = (0.0, 1_000.0),
) -> Drives:
    """Drives of a van with random loads on random roads at random speeds, with three random sine waves as steering.

    Args:
        num_tasks: number T of drives.
        samples: number n of intervals of each.
        seed: fixes the drives.
        demand: range in m/s² of the lateral acceleration that the driver asks for: the steering's standard
            deviation would give it if nothing slipped.
        friction: range of μ, uniform.
        load: range in kg, uniform; it stands anywhere in `POSITION`.
    """
    at_least(1, num_tasks=num_tasks, samples=samples)
    ranges_in("[0, inf)", demand=demand, load=load)
    ranges_in("(0, inf)", friction=friction)
    cars, waves, noise = split_seed(seed, 3)
    of_friction, of_load, position, speed, of_demand = drawn_uniformly(
        cars, num_tasks, friction, load, POSITION, SPEED, demand
    )
    return wandering_steering(loaded(of_friction, of_load, position), speed, of_demand, samples, waves, noise)


def drawn_uniformly(seed: tf.Tensor, number: int, *ranges: tuple[float, float]) -> list[tf.Tensor]:
    """For each range (low, high), as many uniform numbers."""
    low, high = zip(*ranges, strict=True)
    drawn = low + tf.random.stateless_uniform([number, len(ranges)], seed) * (tf.constant(high) - low)
    return tf.unstack(drawn, axis=-1)


def wandering_steering(
    vehicle: Vehicle, speed: tf.Tensor, demand: tf.Tensor, samples: int, waves: int | tf.Tensor, noise: int | tf.Tensor
) -> Drives:
    """Drives with three random sine waves as steering, as in `random_drives`.

    Args:
        vehicle: T vehicles and their roads.
        speed: [T] in m/s.
        demand: [T] in m/s².
        samples: number n of intervals.
        waves: fixes the steering.
        noise: fixes the noise.
    """
    instances(Vehicle, vehicle=vehicle)
    arrays(speed=(speed, "T"), demand=(demand, "T"))
    numbers_in("(0, inf)", speed=speed)
    numbers_in("[0, inf)", demand=demand)
    at_least(1, samples=samples)
    share, phase, frequency = tf.unstack(tf.random.stateless_uniform([3, len(speed), 1, 3], stateless_seed(waves)))
    time = INTERVAL * tf.range(-RUN_IN, samples, dtype=tf.float32)[:, None]
    wave = share * tf.sin(2 * math.pi * (phase + (0.1 + 0.9 * frequency) * time))  # 0.1 to 1 Hz
    wave = tf.reduce_sum(wave, axis=-1) / tf.sqrt(tf.reduce_sum(share**2, axis=-1) / 2)
    steering = wave * (demand * vehicle.wheelbase / speed**2)[:, None]
    start = simulate_vehicle(vehicle, steering[:, :RUN_IN], speed)[:, -1]
    return record_drive(vehicle, speed, steering[:, RUN_IN:], noise, start)


def drives(
    seconds: float = 1.0,
    queries: int = 40,
    meta_batch_size: int = 25,
    seed: int = 0,
    demand: tuple[float, float] = (1.0, 4.0),
) -> tf.data.Dataset:
    """Tasks of `random_drives`: from what was measured in the first `seconds`, predict what follows.

    Args:
        seconds: length of the support set, 20 examples a second.
        queries: number Q of intervals after it, each a query without noise.
        meta_batch_size: number T of tasks in a meta-batch.
        seed: fixes the stream.
        demand: see `random_drives`.

    Returns:
        A stream of meta-batches with x [T, S or Q, 4] and y [T, S or Q, 2] (see `vehicle_examples`).

    Raises:
        ValueError: if `seconds` is not a positive number of intervals.
    """
    numbers_in("(0, inf)", seconds=seconds)
    shots = round(seconds / INTERVAL)
    if shots < 1 or abs(shots * INTERVAL - seconds) > 1e-6:
        raise ValueError(f"seconds is {seconds!r}, expected a positive multiple of {INTERVAL}")
    at_least(1, queries=queries, meta_batch_size=meta_batch_size)
    at_least(0, seed=seed)
    ranges_in("[0, inf)", demand=demand)

    def draw(seed: tf.Tensor, tasks: int) -> ml.tasks.MetaBatch:
        drawn = random_drives(tasks, shots + queries, seed, demand)
        return drawn.task(slice(0, shots), slice(shots, shots + queries))

    return ml.tasks.task_stream(draw, meta_batch_size, seed, block=32)


def predict_ahead(learner: ml.GradientLearner, task: ml.tasks.Task, start: Any, steering: Any, speed: Any) -> tf.Tensor:
    """Adapt to support sets, then predict whole drives: each prediction starts from the state predicted before it.

    Args:
        learner: a compiled learner.
        task: `support_x` [T, S, 4], `support_y` [T, S, 2]; other keys are not used.
        start: [T, 2], the states at the start.
        steering: [T, n] in rad, what the driver will do.
        speed: [T] in m/s.

    Returns:
        States [T, n + 1, 2] in m/s and rad/s.
    """
    instances(ml.GradientLearner, learner=learner)
    tasks_have(task, support_x="T S 4", support_y="T S 2")
    tasks = len(task["support_x"])
    arrays(start=(start, f"{tasks} 2"), steering=(steering, f"{tasks} n"), speed=(speed, f"{tasks}"))
    initial = learner.initialization()

    def predict(support_x: tf.Tensor, support_y: tf.Tensor, state: tf.Tensor, steering: tf.Tensor, speed: tf.Tensor):
        weights = learner.adapt(initial, support_x, support_y)

        def advance(state: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
            x, _ = vehicle_examples(tf.stack([state, state]), angle[None], speed)
            return state + CHANGE_SCALE * learner.predict_from(weights, support_x, x)[0]

        return tf.concat([state[None], tf.scan(advance, steering, state)], axis=0)

    stacked = [tf.convert_to_tensor(a) for a in (task["support_x"], task["support_y"], start, steering, speed)]
    # XLA cannot compile a loop over a list of steps inside a vectorised body.
    return tf.function(lambda *arguments: ml.over_tasks(predict, *arguments))(*stacked)
