"""Vehicles and arms: bad arguments end in one sentence, see `sentences`."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.applications.driving import control, drives, fleet, tyres, vehicle
from metalearn_course.applications.robotics import arm, tracking
from tests.course.sentences import INF, NAN, Bad, cases, check_sentence, with_nan

VAN = vehicle.VAN
STATES, STEERING, SPEED = np.zeros((2, 4, 2)), np.zeros((2, 3)), np.full(2, 20.0)
PLACE, LOOK = np.zeros((2, 5, 3), np.float32), np.zeros((2, 5, 2), np.float32)
BEND = control.Bend(SPEED.astype(np.float32), np.full(2, 0.01, np.float32))
ARMS = arm.Arm(np.ones(2), np.ones(2))


@cache
def drive() -> drives.Drives:
    return drives.random_drives(2, 10)


@cache
def cars() -> fleet.FleetDrives:
    return fleet.fleet_drives(2, 10, vehicles={"van": VAN})


@cache
def learner(inputs: int) -> ml.JointTraining:
    made = ml.JointTraining(ml.networks.mlp(inputs, 2, (4,)))
    made.compile(loss="mse")
    return made


@cache
def motions() -> arm.Motions:
    return arm.random_motions(2, 10)


def corrected(**changed) -> control.Model:
    task = {"support_x": np.zeros((2, 5, 3), np.float32), "support_y": np.zeros((2, 5, 2), np.float32)}
    given = {"nominal": cars().nominal, "learner": learner(3), "task": task, "speed": SPEED, **changed}
    return control.corrected(**given)


def predicted(**changed) -> object:
    task = {"support_x": np.zeros((2, 5, 4), np.float32), "support_y": np.zeros((2, 5, 2), np.float32)}
    given = {"learner": learner(4), "task": task, "start": np.zeros((2, 2)), "steering": STEERING, "speed": SPEED}
    return drives.predict_ahead(**{**given, **changed})


BAD: Bad = {
    # The vehicle and its tyres.
    "friction": [
        lambda: vehicle.Vehicle("ice"),
        lambda: vehicle.Vehicle(0.0),
        lambda: vehicle.Vehicle(NAN),
        lambda: vehicle.loaded(np.array([0.5, -0.1])),
        lambda: tyres.tyre_force(0.1, 1e5, 4e3, None),
        lambda: vehicle.simulate_vehicle(vehicle.loaded(np.full(3, 0.5)), STEERING, SPEED),
        lambda: drives.random_drives(2, 3, friction=(0.5, 0.2)),
        lambda: drives.random_drives(2, 3, friction=(0.0, 0.2)),
        lambda: fleet.fleet_drives(2, 3, friction=0.5),
    ],
    "mass": [lambda: vehicle.Vehicle(0.5, mass=-1.0), lambda: arm.Arm(0.0, 1.0), lambda: arm.Arm([1.0], 1.0)],
    "centre": [lambda: vehicle.Vehicle(0.5, centre=3.0)],
    "wheelbase": [lambda: vehicle.Vehicle(0.5, wheelbase=INF)],
    "load": [
        lambda: vehicle.loaded(0.5, load=-100.0),
        lambda: vehicle.loaded(0.5, load="heavy"),
        lambda: drives.random_drives(2, 3, load=(-1.0, 0.0)),
    ],
    "position": [lambda: vehicle.loaded(0.5, 100.0, NAN)],
    "empty": [lambda: vehicle.loaded(0.5, empty=None)],
    "axle_load": [lambda: tyres.cornering_stiffness(-1.0), lambda: tyres.tyre_force(0.1, 1e5, 0.0, 0.5)],
    "slip": [lambda: tyres.tyre_force([0.1], 1e5, 4e3, 0.5), lambda: tyres.tyre_force(NAN, 1e5, 4e3, 0.5)],
    "stiffness": [
        lambda: tyres.tyre_force(0.1, True, 4e3, 0.5),
        lambda: tracking.track_motion(ARMS, ARMS.acceleration, np.zeros((3, 3)), stiffness=-1.0),
    ],
    "vehicle": [
        lambda: vehicle.simulate_vehicle({}, STEERING, SPEED),
        lambda: vehicle.slip_angles(0.5, np.zeros(2), 0.0, 20.0),
        lambda: fleet.situations("van", STATES[:, :3], STEERING, SPEED),
        lambda: control.equations(None, SPEED),
        lambda: drives.wandering_steering(0.5, SPEED, SPEED, 5, 0, 1),
        lambda: drive().go_on(None, np.zeros((2, 3), np.float32), 0),
    ],
    "vehicles": [lambda: fleet.fleet_drives(2, 3, vehicles={}), lambda: fleet.fleet_drives(2, 3, vehicles=[VAN])],
    "vehicles['van']": [lambda: fleet.fleet_drives(2, 3, vehicles={"van": 0.5})],
    "state": [
        lambda: vehicle.advance_vehicle(VAN, np.zeros(3), 0.0, 20.0),
        lambda: vehicle.vehicle_derivatives(VAN, [0.0, 0.0], 0.0, 20.0),
        lambda: vehicle.slip_angles(VAN, np.array([NAN, 0.0]), 0.0, 20.0),
        lambda: ARMS.acceleration(np.zeros((2, 3)), np.zeros(2)),
        lambda: ARMS.energy(np.array([["a", "b"]])),
        lambda: arm.regressors(np.zeros(3), np.zeros(1)),
        lambda: arm.arm_examples(None, np.zeros(1)),
        lambda: control.plan_steering(BEND, ARMS.acceleration, PLACE, LOOK[:1], np.zeros((2, 5))),
    ],
    "states": [
        lambda: vehicle.vehicle_path(np.zeros((4, 3)), 20.0),
        lambda: vehicle.vehicle_path(with_nan(STATES), 20.0),
        lambda: drives.vehicle_examples(STATES[:, :3], STEERING, SPEED),
        lambda: fleet.situations(VAN, STATES, STEERING, SPEED),
    ],
    "steering": [
        lambda: vehicle.simulate_vehicle(VAN, with_nan(STEERING), SPEED),
        lambda: vehicle.simulate_vehicle(VAN, "left", SPEED),
        lambda: vehicle.simulate_vehicle(VAN, 0.1, 20.0),
        lambda: vehicle.advance_vehicle(VAN, np.zeros(2), NAN, 20.0),
        lambda: drives.record_drive(VAN, SPEED, np.zeros((3, 4)), 0),
        lambda: drive().go_on(drive().vehicle, np.zeros(3), 0),
        lambda: predicted(steering=np.zeros((3, 3))),
    ],
    "speed": [
        lambda: vehicle.simulate_vehicle(VAN, STEERING, -SPEED),
        lambda: vehicle.simulate_vehicle(VAN, STEERING, np.full(3, 20.0)),
        lambda: vehicle.vehicle_path(STATES, "fast"),
        lambda: drives.vehicle_examples(STATES, STEERING, np.zeros(2)),
        lambda: drives.record_drive(VAN, 20.0, STEERING, 0),
        lambda: control.Bend(20.0, 0.01),
        lambda: control.Bend([20.0], np.zeros(1)),
        lambda: control.equations(VAN, with_nan(SPEED)),
        lambda: corrected(speed=np.full(3, 20.0)),
        lambda: predicted(speed=SPEED[:1]),
    ],
    "start": [
        lambda: vehicle.simulate_vehicle(VAN, STEERING, SPEED, np.zeros((3, 2))),
        lambda: arm.simulate_arm(ARMS, np.zeros((2, 5)), np.zeros((2, 3))),
        lambda: motions().part(-1, 4),
        lambda: predicted(start=np.zeros(2)),
    ],
    "substeps": [
        lambda: vehicle.simulate_vehicle(VAN, STEERING, SPEED, substeps=1.5),
        lambda: vehicle.advance_vehicle(VAN, np.zeros(2), 0.0, 20.0, substeps=0),
        lambda: control.equations(VAN, SPEED, substeps=True),
        lambda: arm.advance_arm(ARMS, np.zeros((2, 2)), np.zeros(2), substeps=-1),
    ],
    # Drives as tasks.
    "num_tasks": [
        lambda: drives.random_drives(0, 3),
        lambda: fleet.fleet_drives(2.0, 3),
        lambda: arm.random_motions("2"),
    ],
    "samples": [lambda: drives.random_drives(2, -3), lambda: fleet.fleet_drives(2, None, vehicles={"van": VAN})],
    "seed": [
        lambda: drives.random_drives(2, 3, seed=-1),
        lambda: drives.random_drives(2, 3, seed=0.5),
        lambda: drives.drives(seed=None),
        lambda: fleet.fleet_drives(2, 3, seed="0", vehicles={"van": VAN}),
        lambda: control.follow_bend(BEND, VAN, control.equations(VAN, BEND.speed), [5], seed=-1),
        lambda: arm.random_motions(2, seed=1.0),
    ],
    "demand": [
        lambda: drives.random_drives(2, 3, demand=3.0),
        lambda: drives.drives(demand=(1.0, NAN)),
        lambda: drives.wandering_steering(VAN, SPEED, -SPEED, 5, 0, 1),
    ],
    "seconds": [
        lambda: drives.drives(seconds="1"),
        lambda: drives.drives(seconds=NAN),
        lambda: tracking.swing_up(seconds=0.0),
    ],
    "queries": [lambda: drives.drives(queries=0), lambda: drives.drives(queries=2.5)],
    "support": [
        lambda: drive().task(slice(0, 0), slice(5, 10)),
        lambda: drive().task(5, slice(5, 10)),
        lambda: cars().task(slice(0.0, 5.0), slice(5, 10)),
    ],
    "query": [lambda: drive().task(slice(0, 5), slice(20, 30)), lambda: cars().task(slice(0, 5), None)],
    "learner": [lambda: corrected(learner=None), lambda: predicted(learner=ml.networks.mlp(4, 2))],
    "task": [lambda: corrected(task=None), lambda: predicted(task={"support_x": np.zeros((2, 5, 4))})],
    "support_x": [lambda: predicted(task={"support_x": np.zeros((2, 5, 3)), "support_y": np.zeros((2, 5, 2))})],
    "support_y": [lambda: corrected(task={"support_x": np.zeros((2, 5, 3)), "support_y": np.zeros((2, 4, 2))})],
    "fleet": [lambda: fleet.fitted_tyres(drive(), slice(0, 5))],
    "part": [lambda: fleet.fitted_tyres(cars(), slice(10, 20))],
    "doubt": [
        lambda: fleet.fitted_tyres(cars(), slice(0, 5), doubt=0.0),
        lambda: fleet.fitted_tyres(cars(), slice(0, 5), doubt="some"),
    ],
    # The bend and its controller.
    "curvature": [lambda: control.Bend(SPEED, np.zeros(3)), lambda: control.Bend(SPEED, with_nan(np.zeros(2)))],
    "ramp": [lambda: replace(BEND, ramp=0.0)],
    "end": [lambda: replace(BEND, entry=2.0, end=1.0)],
    "entry": [lambda: replace(BEND, entry=NAN)],
    "distance": [lambda: BEND.curvature_at(np.zeros((3, 5), np.float32))],
    "row": [lambda: BEND.coordinates(2, np.zeros((5, 3))), lambda: BEND.coordinates(0.0, np.zeros((5, 3)))],
    "places": [lambda: BEND.coordinates(0, "here")],
    "place": [
        lambda: BEND.move(LOOK, LOOK, LOOK),
        lambda: control.plan_steering(BEND, ARMS.acceleration, LOOK, LOOK, np.zeros((2, 5))),
    ],
    "after": [lambda: BEND.move(PLACE, LOOK, LOOK[:, :4])],
    "bend": [lambda: control.follow_bend(None, VAN, ARMS.acceleration, [5])],
    "model": [
        lambda: control.follow_bend(BEND, VAN, None, [5]),
        lambda: tracking.track_motion(ARMS, "model", np.zeros((3, 3))),
    ],
    "looks": [lambda: control.follow_bend(BEND, VAN, control.equations(VAN, BEND.speed), 5)],
    "looks[1]": [lambda: control.follow_bend(BEND, VAN, control.equations(VAN, BEND.speed), [5, 0])],
    "intervals": [lambda: control.follow_bend(BEND, VAN, control.equations(VAN, BEND.speed), [5], intervals=0)],
    # Arms.
    "length": [lambda: arm.Arm(1.0, "long"), lambda: arm.random_motions(2, length=(0.0, 1.0))],
    "dry": [lambda: arm.Arm(1.0, 1.0, dry=-0.1), lambda: arm.random_motions(2, dry=(1.0,))],
    "arm": [
        lambda: arm.simulate_arm(VAN, np.zeros(3), np.zeros(2)),
        lambda: tracking.track_motion(1, abs, np.zeros((3, 3))),
    ],
    "torque": [
        lambda: ARMS.acceleration(np.zeros((2, 2)), np.zeros(3)),
        lambda: arm.simulate_arm(ARMS, "hard", np.zeros((2, 2))),
        lambda: arm.simulate_arm(ARMS, np.full((2, 3), NAN), np.zeros((2, 2))),
        lambda: arm.advance_arm(ARMS, np.zeros((2, 2)), [1.0, 2.0]),
    ],
    "wanted": [lambda: tracking.track_motion(ARMS, ARMS.acceleration, np.zeros((3, 2)))],
    "hold": [lambda: tracking.swing_up(hold=-1.0)],
    "shots": [
        lambda: motions().task(0),
        lambda: motions().task(10),
        lambda: motions().task("5"),
        lambda: motions().identify(3),
        lambda: motions().identify(11),
    ],
    "known": [
        lambda: motions().identify(5, (0, 4)),
        lambda: motions().identify(5, (0, 0)),
        lambda: motions().identify(5, 0),
    ],
    "stop": [lambda: motions().part(5, 5), lambda: motions().part(0, 11)],
}


@pytest.mark.parametrize(("name", "call"), cases(BAD))
def test_it_ends_in_one_sentence(name: str, call: Callable[[], object]) -> None:
    check_sentence(name, call)
