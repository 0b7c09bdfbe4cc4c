"""Chapter 6: a van on unknown roads; networks that adapt, and simple rivals with and without the equations."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.applications.driving.drives import drives, predict_ahead
from metalearn_course.applications.driving.vehicle import loaded, simulate_vehicle, vehicle_path
from metalearn_course.studies import Rival, Study
from metalearn_course.studies.recorded_drives import FIRST, GRID, NEXT, TASKS, capped, linear, misfits, recorded, step
from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.evaluation.score import fingerprint

STEPS = 1_600
SHOWN = (0, 1, 5, 15, 40)  # steps after which an error is kept
LENGTHS = (5, 10, 20, 40, 80)  # examples in the support set
RATES = (0.005, 0.01, 0.02, 0.04, 0.08)


@dataclass
class Driver:
    """What answers the queries of drives.

    Args:
        answer: `answer(drives, support, query)` gives changes [T, query, 2].
        ahead: `ahead(drives)` gives the states of the second after the first, [T, 21, 2].
        learner: the learner, where there is one.
        kept: what is measured beside the error of one step: "steps", "cases", or all there is.
    """

    answer: Callable[..., Any]
    ahead: Callable[..., Any] | None = None
    learner: Any = None
    kept: str = "all"


def network():
    """The network of all learners."""
    return ml.networks.mlp(4, 2, (32, 32), "tanh")


def fitted(learner, seed, outer_lr):
    """Train a learner on a stream of its own."""
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(outer_lr, STEPS))  # pyright: ignore[reportArgumentType]
    learner.compile(optimizer=adam, loss="mse", steps_per_execution=100)
    learner.fit(drives(meta_batch_size=16, seed=1_000 + seed), steps_per_epoch=STEPS, verbose=0)
    return learner.model


@functools.cache
def joint_model(seed, outer_lr):
    """Joint training, once for all rivals that build on it."""
    keras.utils.set_random_seed(seed)
    return fitted(ml.JointTraining(network()), seed, outer_lr)


@functools.cache
def maml_model(seed, outer_lr, inner_lr, first_order):
    """A start for five steps."""
    keras.utils.set_random_seed(seed)
    learner = ml.MAML(network(), inner_lr=inner_lr, inner_steps=5, first_order=first_order)
    return fitted(learner, seed, outer_lr)


def driver(learner, kept="all"):
    """A driver who asks a learner."""
    learner.compile(loss="mse", jit_compile=False)

    def answer(drive, support, query):
        return learner.predict(drive.task(support, query)[0], batch_size=TASKS)

    def ahead(drive):
        task, _ = drive.task(FIRST, NEXT)
        return predict_ahead(learner, task, drive.measured[:, 20], drive.steering[:, 20:40], drive.speed)

    return Driver(answer, ahead, learner, kept)


def fixed(seed, outer_lr):
    """Joint training; the model stays as it is."""
    return driver(ml.JointTraining(joint_model(seed, outer_lr)))


def fine_tuned(seed, outer_lr, inner_lr, steps, kept="all"):
    """Joint training, then steps on the support set."""
    return driver(ml.JointTraining(joint_model(seed, outer_lr), inner_lr=inner_lr, inner_steps=steps), kept)


def maml(seed, outer_lr, inner_lr, steps, first_order=False, kept="all"):
    """MAML; `steps` are those on new drives."""
    model = maml_model(seed, outer_lr, inner_lr, first_order)
    return driver(ml.MAML(model, inner_lr=inner_lr, inner_steps=steps), kept)


def first_order_maml(seed, outer_lr, inner_lr, steps):
    """MAML without second derivatives."""
    return maml(seed, outer_lr, inner_lr, steps, first_order=True, kept="steps")


def scratch(seed, inner_lr, steps):
    """A new network for each drive."""
    return driver(ml.FromScratch(network(), inner_lr=inner_lr, inner_steps=steps), kept="nothing")


def line(seed, penalty):
    """A straight line."""

    def answer(drive, support, query):
        task, _ = drive.task(support, query)
        return linear(task["support_x"], task["support_y"], task["query_x"], penalty)

    return Driver(answer)


def corrected(seed, outer_lr, penalty):
    """The fixed model and a straight line through what it gets wrong in the support set."""
    model = joint_model(seed, outer_lr)

    def predict(x):
        return model.predict(np.reshape(x, (-1, 4)), batch_size=10_000, verbose=0).reshape((*x.shape[:2], 2))  # pyright: ignore[reportArgumentType]

    def answer(drive, support, query):
        task, _ = drive.task(support, query)
        x, new = (np.asarray(task[name]) for name in ("support_x", "query_x"))
        return predict(new) + linear(x, task["support_y"] - predict(x), new, penalty)

    return Driver(answer, kept="cases")


def equations(seed):
    """The van on the grid that fits best."""

    def found(drive, part):
        return loaded(*GRID[misfits(drive, part).argmin(axis=0)].T)  # pyright: ignore[reportIndexIssue]

    def answer(drive, support, query):
        return step(found(drive, support).rows, drive, drive.states, query)

    def ahead(drive):
        return simulate_vehicle(found(drive, FIRST), drive.steering[:, 20:40], drive.speed, drive.measured[:, 20])

    return Driver(answer, ahead)


def averaged_equations(seed):
    """The answers of all vans on the grid, weighted by their likelihood: two measurements double the variance."""

    def answer(drive, support, query):
        power = -misfits(drive, support) / 4
        weights = np.exp(power - power.max(axis=0))
        weights /= weights.sum(axis=0)
        vans = [step(loaded(*one), drive, drive.states, query) for one in GRID]  # pyright: ignore[reportGeneralTypeIssues]
        return np.einsum("ct,ctqk->tqk", weights, np.array(vans))

    return Driver(answer)


def nothing_changes(seed):
    """The next state is the present one."""
    return Driver(lambda drive, support, query: np.zeros(drive.task(support, query)[1].shape), kept="nothing")


def rms(answers, drive, query):
    """The root mean squared error of each drive."""
    truth = drive.task(FIRST, query)[1].numpy()
    squares = (np.asarray(answers, float) - truth) ** 2
    if not np.isfinite(squares).all():
        raise DivergedError("predictions are no numbers")
    return ml.Score(np.sqrt(squares.mean(axis=(1, 2))), "rms error of one step", fingerprint(truth))


def one_step(driver, name, support=FIRST, query=NEXT):
    """The error one step ahead."""
    drive = recorded(name)
    return rms(driver.answer(drive, support, query), drive, query)


def missed(driver, name):
    """How far the place after one second is missed."""
    drive = recorded(name)
    ends = [
        vehicle_path(np.float32(capped(states)), drive.speed).numpy()[:, -1]
        for states in (driver.ahead(drive), drive.states[:, 20:41])
    ]
    distance = np.round(100 * np.linalg.norm(ends[0] - ends[1], axis=-1), 1)
    return ml.Score(distance, "distance missed after 1 s (cm)")


def on_ice(driver):
    """Errors from one second after the road has turned to ice, adapted once and always again."""
    drive = recorded("ice")
    found = {}
    for name in ("adapted again", "adapted once"):
        squares = []
        for t in range(80, 136, 8):
            query = slice(t, t + 5)
            support = FIRST if name == "adapted once" else slice(t - 20, t)
            truth = drive.task(support, query)[1].numpy()
            squares.append((driver.answer(drive, support, query) - truth) ** 2)
        values = np.sqrt(np.mean(squares, axis=(0, 2, 3)))
        found[f"on ice, {name}"] = ml.Score(values, "rms error of one step", "ice")
    return found


def capped_answer(answer, *asked):
    """What a driver answers, within bounds."""
    return capped(answer(*asked))


def measure(driver):
    """Errors one step and one second ahead, by steps, by length of the support set, and in hard cases."""
    driver = replace(driver, answer=functools.partial(capped_answer, driver.answer))
    found = {"one step": one_step(driver, "test")}
    if driver.kept in ("all", "cases"):
        for name in ("brisk", "gentle, then brisk", "gentle, then gentle"):
            found[name] = one_step(driver, name)
    if driver.kept == "all":
        for count in LENGTHS:
            found[f"{count} examples"] = one_step(driver, "long", slice(80 - count, 80), slice(80, 120))
        found |= on_ice(driver)
        if driver.ahead:
            found |= {f"one second, {name}": missed(driver, name) for name in ("test", "brisk")}
    if driver.kept in ("all", "steps") and getattr(driver.learner, "inner_steps", 0):
        drive = recorded("test")
        path = list(driver.learner.predict_path(drive.task(FIRST, NEXT)[0], max(SHOWN)))
        found |= {f"after {n} steps": rms(capped(path[n]), drive, NEXT) for n in SHOWN}
    # Three decimals keep the stored file small.
    return {name: replace(score, values=np.round(score.values, 3)) for name, score in found.items()}


STUDY = Study(
    name="driving",
    chapter="06",
    question="Who predicts a van best after one second of driving on an unknown road?",
    budget="Networks: 1,600 meta-batches of 16 drives; the equations: 85 candidate vans",
    rivals={
        "fixed model": Rival(fixed, {"outer_lr": (*RATES, 0.16)}),
        "fine-tuned": Rival(
            fine_tuned,
            {
                "outer_lr": RATES,
                "inner_lr": (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08),
                "steps": (15, 40, 100, 300, 1_000),
            },
        ),
        "MAML": Rival(
            maml,
            {"outer_lr": RATES, "inner_lr": (0.003, 0.01, 0.03, 0.1), "steps": (5, 15, 40, 100, 300)},
        ),
        "FOMAML": Rival(
            first_order_maml,
            {"outer_lr": RATES, "inner_lr": (0.003, 0.01, 0.03, 0.1), "steps": (5, 15, 40, 100, 300)},
        ),
        "fine-tuned, 5 steps": Rival(
            functools.partial(fine_tuned, steps=5, kept="steps"),
            {"outer_lr": RATES, "inner_lr": (0.02, 0.04, 0.08, 0.16, 0.32)},
        ),
        "MAML, 5 steps": Rival(
            functools.partial(maml, steps=5, kept="steps"), {"outer_lr": RATES, "inner_lr": (0.01, 0.03, 0.1, 0.3)}
        ),
        "FOMAML, 5 steps": Rival(
            functools.partial(first_order_maml, steps=5), {"outer_lr": RATES, "inner_lr": (0.01, 0.03, 0.1, 0.3)}
        ),
        "from scratch": Rival(scratch, {"inner_lr": (0.03, 0.06, 0.1, 0.2), "steps": (100, 300, 1_000, 3_000)}),
        "straight line": Rival(line, {"penalty": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)}, trained=False),
        "corrected by a line": Rival(corrected, {"outer_lr": RATES, "penalty": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)}),
        "equations, fitted": Rival(equations, untuned="a grid of friction and load", trained=False),
        "equations, averaged": Rival(
            averaged_equations, untuned="the same grid, weighted by likelihood", trained=False
        ),
        "(nothing changes)": Rival(nothing_changes, untuned="nothing is learned", trained=False),
    },
    validate=lambda driver: one_step(driver, "validation"),
    measure=measure,
)
