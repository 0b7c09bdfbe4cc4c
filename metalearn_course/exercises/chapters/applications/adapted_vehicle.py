"""Chapter 6 and page 6f: a model of the vehicle that adapts to a road, and a controller that adapts to a vehicle."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import seed_from
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, SURVIVING
from metalearn_course.exercises.engine.wrong_learners import never_reset, one_for_all
from metalearn_course.exercises.engine.wrong_learners import untrained as never_trained


def _stream(seed):
    from metalearn_course.applications.driving.drives import drives

    return drives(seconds=1.0, queries=20, seed=seed)


def _draw(rng):
    new, query_y = ml.tasks.gather_tasks(_stream(seed_from(rng)), 100)
    return (new,), query_y


adapted_vehicle_exercise = Training(
    "A model that adapts to the road",
    """
    A task is a drive: a van, loaded and on a road that nobody knows. Its support set is one second of driving, 20
    examples of (lateral velocity, yaw rate, steering angle, speed) with the change that followed, in the units of
    chapter 6. Train a learner of your choice on `drives(seconds=1.0, seed=seed)`, from
    `metalearn_course.applications.driving.drives`, and predict the queries of `new`. Wanted: a mean squared error below
    0.09.
    """,
    draw=_draw,
    bar=0.09,
    probes=FOR_VALUES,
    hints=(
        "Four inputs, two outputs: `ml.networks.mlp(4, 2)`. MAML with five inner steps of 0.01 to 0.05 is enough.",
        "`learn_inner_lr=True` and a thousand outer steps with Adam; import `drives` inside your function or in a cell "
        "of its own.",
    ),
)


@adapted_vehicle_exercise.reference(
    "One second of driving tells what the road is like, if a learner has seen many roads. What it cannot tell is what "
    "the second did not contain: the chapter shows where that ends."
)
def adapted_vehicle(new, seed):
    """Predictions [T, Q, 2] for the queries of `new`, after training on other drives with this seed."""
    import keras

    from metalearn_course.applications.driving.drives import drives

    keras.utils.set_random_seed(seed)
    learner = ml.MAML(ml.networks.mlp(4, 2, (64, 64), "tanh"), inner_lr=0.05, inner_steps=5, learn_inner_lr=True)
    learner.compile(keras.optimizers.Adam(0.001), loss="mse", steps_per_execution=50)
    learner.fit(drives(seconds=1.0, queries=20, seed=seed), steps_per_epoch=1000, verbose=0)
    return learner.predict(new, verbose=0)


@adapted_vehicle_exercise.also_right
def by_a_neural_process(tasks, number):
    keras.utils.set_random_seed(number)
    learner = ml.NeuralProcess(ml.networks.mlp(4, 64, (64,)), num_outputs=2, width=64)
    learner.compile(keras.optimizers.Adam(0.002), steps_per_execution=50)
    learner.fit(_stream(number), steps_per_epoch=1500, verbose=0)
    return learner.predict(tasks, verbose=0)


@adapted_vehicle_exercise.mutant(SUPPORT_UNUSED)
def one_network_for_all_roads(new, seed):
    return one_for_all(new, seed, lambda: ml.networks.mlp(4, 2), _stream(seed), steps=300)


@adapted_vehicle_exercise.mistake(
    "It is worse than one network for all roads: five steps from untrained weights, on twenty examples, are no model "
    "of a vehicle. Was it trained before `predict`?",
    shows=lambda case, got: adapted_vehicle_exercise.score_of(case, got).mean > 0.15,
)
def untrained(new, seed):
    return never_trained(new, seed, lambda: ml.MAML(ml.networks.mlp(4, 2), inner_lr=0.05, inner_steps=5))


@adapted_vehicle_exercise.mutant(SURVIVING)
def adapts_from_drive_to_drive(new, seed):
    return never_reset(new, seed, lambda: ml.networks.mlp(4, 2), rate=0.05, steps=5)


STEPS, NOISE = 30, 0.1


def _plants(rng, vehicles, samples):
    """Yaw rates under random steering, r' = a r + b δ: light vehicles obey quickly, loaded ones slowly and weakly."""
    load = rng.random(vehicles)
    a = 0.5 + 0.4 * load + 0.03 * rng.normal(size=vehicles)
    b = 1.4 - 0.9 * load + 0.05 * rng.normal(size=vehicles)
    steering = 0.5 * rng.normal(size=(vehicles, samples))
    rates = [rng.normal(size=vehicles)]
    for now in steering.T:
        rates.append(a * rates[-1] + b * now)
    rates = np.stack(rates, axis=1)
    measured = rates[:, 1:] + NOISE * rng.normal(size=steering.shape)
    return np.stack([rates[:, :-1], steering], axis=-1), measured, np.stack([a, b], axis=1)


def _draw_control(rng):
    x, y, _ = _plants(rng, 200, 60)
    new_x, new_y, plants = _plants(rng, 300, 5)
    return (x, y, new_x, new_y), plants


def _tracking_error(found, plants):
    """Of the yaw rate on a slalom, steered by δ = (wanted − a r) / b with the a and b that were found."""
    if found.shape != plants.shape:
        raise ValueError(f"expected {plants.shape}: a and b of each new vehicle")
    rate, total = np.zeros(len(plants)), np.zeros(len(plants))
    a, b = found[:, 0], np.where(np.abs(found[:, 1]) < 0.05, 0.05, found[:, 1])
    for step in range(STEPS):
        wanted = np.sin(0.4 * step)
        steering = np.clip((wanted - a * rate) / b, -20, 20)
        rate = np.clip(plants[:, 0] * rate + plants[:, 1] * steering, -1e3, 1e3)
        total += np.minimum((rate - wanted) ** 2, 100.0)
    return ml.Score(total / STEPS, "mean squared error of the yaw rate")


adapted_controller_exercise = Training(
    "A controller that adapts to the vehicle (page 6f)",
    r"""
    The yaw rate of a vehicle follows $r' = a\,r + b\,\delta$, with a and b of its own. From `x` [200, 60, 2], pairs
    (r, δ), and `y` [200, 60], the measured r′, of 200 vehicles learn how a and b lie over vehicles. Then estimate a and
    b of each new vehicle from *five* noisy samples, `new_x` [N, 5, 2] and `new_y` [N, 5], and return them [N, 2]. The
    check drives a slalom with each, steered by $\delta = (r_\text{wanted} - a r)/b$, and measures how far the yaw rate
    is from what was wanted: a mean squared error below 0.008. (Least squares on five samples alone is worse than the
    mean vehicle.)
    """,
    draw=_draw_control,
    bar=0.008,
    trained=False,
    measure=_tracking_error,
    hints=(
        "Least squares for each of the 200 vehicles; mean μ and covariance Σ of what it finds; the noise σ² from its "
        "residuals.",
        "For a new vehicle $(X^\\top X/\\sigma^2 + \\Sigma^{-1})^{-1}(X^\\top y/\\sigma^2 + \\Sigma^{-1}\\mu)$: its "
        "own samples where they tell something, the others' experience where they do not.",
    ),
)


@adapted_controller_exercise.reference(
    "A prior learned from other vehicles makes five samples enough. The controller is the same for all: what adapts is "
    "what it believes of the vehicle."
)
def adapted_controller(x, y, new_x, new_y):
    """The numbers a and b of each new vehicle [N, 2], from its five samples and the experience of the others."""
    known = np.linalg.pinv(x) @ y[..., None]
    noise = np.mean((x @ known - y[..., None]) ** 2) * x.shape[1] / (x.shape[1] - 2)
    mean, inverse = known[..., 0].mean(0), np.linalg.inv(np.cov(known[..., 0].T))
    left = new_x.transpose(0, 2, 1) @ new_x / noise + inverse
    right = new_x.transpose(0, 2, 1) @ new_y[..., None] / noise + (inverse @ mean)[:, None]
    return np.linalg.solve(left, right)[..., 0]


@adapted_controller_exercise.also_right
def by_weighted_old_vehicles(xs, ys, few_x, few_y):
    """The mean of the old vehicles, weighted by how well each explains the five samples."""
    known = np.stack([np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(xs, ys, strict=True)])
    found = []
    for a, b in zip(few_x, few_y, strict=True):
        misfit = ((known @ a.T - b) ** 2).sum(1) / (2 * 0.12**2)
        weight = np.exp(misfit.min() - misfit)
        found.append(weight @ known / weight.sum())
    return np.array(found)


@adapted_controller_exercise.mistake(
    "That is least squares on the five samples alone: nothing of the other vehicles is in it.",
    shows=lambda case, got: np.abs(got - alone(*case)).max() < 1e-3,
)
def alone(x, y, new_x, new_y):
    return (np.linalg.pinv(new_x) @ new_y[..., None])[..., 0]


@adapted_controller_exercise.mistake(
    "All new vehicles get the same a and b: the five samples are not used.",
    shows=lambda case, got: np.ptp(got, axis=0).max() < 1e-6,
)
def the_mean_vehicle(x, y, new_x, new_y):
    return np.tile((np.linalg.pinv(x) @ y[..., None])[..., 0].mean(0), (len(new_x), 1))


@adapted_controller_exercise.mistake(
    "a and b are exchanged: a goes with the yaw rate r, b with the steering angle δ, in the order of the columns of x.",
    shows=lambda case, got: np.abs(got[:, ::-1] - adapted_controller(*case)).mean() < 0.05,
)
def exchanged(x, y, new_x, new_y):
    return adapted_controller(x, y, new_x, new_y)[:, ::-1]
