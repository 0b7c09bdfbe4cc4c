"""Chapter 6d: the acceleration of an arm of unknown mass, length and friction, from its own motion."""

import functools

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.applications.robotics.arm import (
    ACCELERATION_NOISE,
    ACCELERATION_SCALE,
    random_motions,
    regressors,
)
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

STEPS = 1_000
COUNTS = (4, 8, 16, 50)
RATES = (0.0025, 0.005, 0.01, 0.02, 0.04)
LARGEST = 1e6  # rad/s²; an inner loop that runs away has this error


@functools.cache
def motions(name):
    """Arms that are the same for all rivals."""
    number, seed = {"train": (3_200, 0), "validation": (300, 1), "test": (300, 2)}[name]
    return random_motions(number, seed=seed)


def network():
    """The network of all learners."""
    return ml.networks.mlp(4, 1, (32, 32), "tanh")


def tasks_of(count):
    """Training tasks with `count` samples in the support set."""
    return tf.data.Dataset.from_tensor_slices(motions("train").part(50 - count, 100).task(count))  # pyright: ignore[reportArgumentType]


def stream(seed, counts):
    """Meta-batches of 16 training arms, each with one number of samples."""
    parts = [
        tasks_of(count).shuffle(3_200, seed=1_000 + 10 * seed + i).repeat().batch(16) for i, count in enumerate(counts)
    ]
    return parts[0] if len(parts) == 1 else tf.data.Dataset.sample_from_datasets(parts, seed=seed)


def fitted(learner, seed, outer_lr, counts=(50,)):
    """Train a learner."""
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(outer_lr, STEPS))  # pyright: ignore[reportArgumentType]
    learner.compile(optimizer=adam, loss="mse", steps_per_execution=100 if len(counts) == 1 else 1)
    learner.fit(stream(seed, counts), steps_per_epoch=STEPS, verbose=0)
    return learner.model


@functools.cache
def joint_model(seed, outer_lr):
    """Joint training."""
    keras.utils.set_random_seed(seed)
    return fitted(ml.JointTraining(network()), seed, outer_lr)


@functools.cache
def maml_model(seed, outer_lr, inner_lr, counts):
    """A start for three steps."""
    keras.utils.set_random_seed(seed)
    return fitted(ml.MAML(network(), inner_lr=inner_lr, inner_steps=3), seed, outer_lr, counts)


def by_learner(learner, counts=(50,)):
    """Answers of a learner that was trained on support sets of these sizes."""
    learner.compile(loss="mse", jit_compile=False)

    def answer(motion, count):
        return ACCELERATION_SCALE * learner.predict(motion.task(count)[0], batch_size=300)[..., 0]

    answer.counts = counts  # pyright: ignore[reportFunctionMemberAccess]
    return answer


def fixed(seed, outer_lr):
    """Joint training; the model stays as it is."""
    return by_learner(ml.JointTraining(joint_model(seed, outer_lr)))


def fine_tuned(seed, outer_lr, inner_lr, steps):
    """Joint training, then steps on the support set."""
    return by_learner(ml.JointTraining(joint_model(seed, outer_lr), inner_lr=inner_lr, inner_steps=steps))


def maml(seed, outer_lr, inner_lr, steps, counts=(50,)):
    """MAML; `steps` are those on new arms."""
    model = maml_model(seed, outer_lr, inner_lr, counts)
    return by_learner(ml.MAML(model, inner_lr=inner_lr, inner_steps=steps), counts)


def maml_of_any_count(seed, outer_lr, inner_lr, steps):
    """MAML that is trained on support sets of several sizes."""
    return maml(seed, outer_lr, inner_lr, steps, COUNTS)


def scratch(seed, inner_lr, steps):
    """A new network for each arm."""
    return by_learner(ml.FromScratch(network(), inner_lr=inner_lr, inner_steps=steps))


def by_parameters(find):
    """Answers of the equation with the parameters [T, 4] that `find` finds."""

    def answer(motion, count):
        asked = regressors(motion.states[:, count:], motion.torque[:, count:])
        return (find(motion, count)[:, None] * asked).sum(axis=-1)

    return answer


def equation(known):
    """Least squares for the terms that are known."""

    def find(motion, count):
        return motion.identify(count, known) if count >= len(known) else np.zeros((300, 4))

    return lambda seed: by_parameters(find)


def with_prior(known):
    """The most probable parameters under a normal prior, that of the training arms."""

    def find(motion, count):
        parameters = motions("train").arm.parameters[:, list(known)]
        precision = np.linalg.inv(np.cov(parameters.T))
        mean = parameters.mean(axis=0)
        terms = regressors(motion.measured[:, :count], motion.torque[:, :count])[..., list(known)]
        left = np.einsum("tsi,tsj->tij", terms, terms) / ACCELERATION_NOISE**2 + precision
        right = np.einsum("tsi,ts->ti", terms, motion.acceleration[:, :count]) / ACCELERATION_NOISE**2
        found = np.zeros((len(terms), 4))
        found[:, list(known)] = np.linalg.solve(left, (right + precision @ mean)[..., None])[..., 0]
        return found

    return lambda seed: by_parameters(find)


def error(answer, name, count):
    """The root mean squared error of each arm in rad/s²."""
    motion = motions(name).part(50 - count, 100)
    truth = ACCELERATION_SCALE * motion.task(count)[1][..., 0]
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.nan_to_num((answer(motion, count) - truth) ** 2, nan=LARGEST**2, posinf=LARGEST**2)
    values = np.sqrt(squares.clip(max=LARGEST**2).mean(axis=1))
    return ml.Score(values, "rms error of the acceleration (rad/s²)", fingerprint(truth))


def validate(answer):
    """The logarithm of the error, on average over the sizes of the support sets of training."""
    scores = [error(answer, "validation", count) for count in answer.counts]
    return ml.Score(np.mean([np.log10(s.values) for s in scores], axis=0), "log10 of the error", "validation")


def measure(answer):
    """The error with fifty samples, and with few: its logarithm, which runaways do not rule, and their share."""
    found = {"50 samples": error(answer, "test", 50)}
    for count in COUNTS:
        score = error(answer, "test", count)
        found[f"log10 error, {count} samples"] = ml.Score(np.log10(score.values), "log10 of the error", score.tasks)
        found[f"above 5, {count} samples"] = ml.Score(score.values > 5, "share of arms", score.tasks)
    thirds = np.digitize(motions("test").arm.dry, [0.5, 1.0])
    for number, name in enumerate(("little", "medium", "much")):
        values = found["50 samples"].values[thirds == number]
        found[f"{name} dry friction"] = ml.Score(values, found["50 samples"].measure, name)
    return found


ALL, NO_DRY = (0, 1, 2, 3), (0, 1, 3)
STUDY = Study(
    name="arms",
    chapter="06d",
    question="Who predicts the acceleration of an unknown arm best, from fifty samples of its motion and from few?",
    budget="Networks: 1,000 meta-batches of 16 arms out of 3,200",
    rivals={
        "from scratch": Rival(
            scratch, {"inner_lr": (0.01, 0.03, 0.1, 0.2, 0.4), "steps": (100, 300, 1_000, 3_000, 10_000)}
        ),
        "fixed model": Rival(fixed, {"outer_lr": (*RATES, 0.08, 0.16)}),
        "fine-tuned": Rival(
            fine_tuned,
            {"outer_lr": (0.01, 0.02, 0.04), "inner_lr": (0.0125, 0.025, 0.05, 0.1), "steps": (60, 200, 600, 2_000)},
        ),
        "MAML": Rival(
            maml, {"outer_lr": (0.04, 0.08, 0.16), "inner_lr": (0.05, 0.1, 0.2), "steps": (15, 60, 200, 600)}
        ),
        "MAML, any number": Rival(
            maml_of_any_count,
            {"outer_lr": (0.02, 0.04, 0.08), "inner_lr": (0.025, 0.05, 0.1), "steps": (15, 60, 200, 600)},
        ),
        "equation, no dry friction": Rival(equation(NO_DRY), untuned="least squares", trained=False),
        "equation, no dry friction, learned prior": Rival(
            with_prior(NO_DRY), untuned="the normal of the training arms", trained=False
        ),
        "equation, all terms": Rival(equation(ALL), untuned="least squares", trained=False),
        "equation, all terms, learned prior": Rival(
            with_prior(ALL), untuned="the normal of the training arms", trained=False
        ),
    },
    validate=validate,
    measure=measure,
    tuning_seeds=(100, 101, 102),
)
