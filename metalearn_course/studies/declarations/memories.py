"""Chapter 9: learners that keep a task in weights, in rows or in tokens, beside the best estimator there is."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

NOISE = 0.5
META_BATCHES = {1: 2_000, 5: 4_000}
REMEMBERED = 10_000


class Learned(NamedTuple):
    """The number of inputs, a function from tasks to answers, and the transformer if it is one."""

    inputs: int
    answer: object
    reader: object = None


def family(inputs, seed, queries=8, examples=8, noise=NOISE):
    """Tasks y = w·x + ε."""
    return ml.tasks.linear_regression(inputs, examples, queries, 25, noise, seed)


VALIDATION = {inputs: ml.tasks.gather_tasks(family(inputs, 2, 20), 1_000) for inputs in META_BATCHES}
TEST = {inputs: ml.tasks.gather_tasks(family(inputs, 1, 20), 400) for inputs in META_BATCHES}
# Without noise in the queries; that of the support set is added.
LONG = ml.tasks.gather_tasks(family(1, 4, 20, 64, 0.0), 400)
ERRORS = np.random.default_rng(0).normal(size=(400, 64, 1)).astype("float32")


def ridge_answer(task, penalty=NOISE**2):
    """Answers of ridge regression."""
    x, y = task["support_x"].astype(float), task["support_y"].astype(float)
    turned = np.swapaxes(x, 1, 2)
    return task["query_x"] @ np.linalg.solve(turned @ x + penalty * np.eye(x.shape[2]), turned @ y)


def steps_answer(task, steps, rate, bias=False):
    """Gradient steps from w = 0 on the mean squared error."""
    x, query = (task[name].astype(float) for name in ("support_x", "query_x"))
    if bias:
        x, query = (np.concatenate([values, np.ones_like(values[..., :1])], -1) for values in (x, query))
    w = np.zeros((len(x), x.shape[2], 1))
    for _ in range(steps):
        w = w - rate * 2 / x.shape[1] * np.swapaxes(x, 1, 2) @ (x @ w - task["support_y"])
    return query @ w


def ridge(seed, inputs=1):
    """The optimum."""
    return Learned(inputs, ridge_answer)


def least_squares(seed, inputs=1):
    """Ridge without a penalty."""
    return Learned(inputs, lambda task: ridge_answer(task, 0.0))


def one_step(seed, inputs=1):
    """One step with the best rate there is."""

    def answer(task):
        examples = task["support_x"].shape[1]
        return steps_answer(task, 1, 0.5 / (1 + (inputs + 1 + NOISE**2) / examples))

    return Learned(inputs, answer)


def five_steps(seed, rate, inputs=1, bias=False):
    """Five steps from w = 0."""
    return Learned(inputs, lambda task: steps_answer(task, 5, rate, bias))


def five_steps_with_bias(seed, rate, inputs=1):
    """The same where the line need not pass through the origin."""
    return five_steps(seed, rate, inputs, bias=True)


def recall(seed, rate, neighbors, inputs=1):
    """The article's learner: weights of the nearest solved tasks, then five steps."""
    line = keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(1, use_bias=False)])
    learner = ml.SequentialLearner(line, inner_lr=rate, inner_steps=5, neighbors=neighbors)
    learner.compile(loss="mse")
    solved = ml.tasks.gather_tasks(family(inputs, 1_000 + 10 * seed), REMEMBERED)
    learner.fit(*solved, batch_size=100, shuffle=False, verbose=0)
    return Learned(inputs, lambda task: learner.predict(task, batch_size=100, verbose=0))


def fitted(learner, seed, rate, inputs):
    """The last quarter with a tenth of the rate."""
    learner.compile("adam", loss="mse", steps_per_execution=50)
    for part, (share, factor) in enumerate(((0.75, 1), (0.25, 0.1))):
        learner.optimizer.learning_rate = factor * rate
        tasks = family(inputs, 1_000 + 10 * seed + part)
        learner.fit(tasks, steps_per_epoch=int(share * META_BATCHES[inputs]), verbose=0)
    return Learned(inputs, lambda task: learner(task).numpy(), learner)


def memory_augmented(seed, rate, inputs=1):
    """With about as many weights as the transformer with one block."""
    network = ml.networks.mlp(inputs, 16, hidden=())
    return fitted(ml.MemoryAugmentedNetwork(network, units=44, slots=16, width=8, reads=2), seed, rate, inputs)


def in_context(seed, rate, inputs=1, blocks=1):
    """A transformer."""
    network = ml.networks.mlp(inputs, 32, (32,))
    return fitted(ml.InContextLearner(network, width=32, depth=blocks, heads=4), seed, rate, inputs)


def three_blocks(seed, rate, inputs=5):
    """A transformer with three blocks."""
    return in_context(seed, rate, inputs, blocks=3)


def of_five(train):
    """The same with five inputs."""
    return lambda seed, **setting: train(seed, inputs=5, **setting)


def squared_distance(answers, target, task):
    """The mean squared distance of answers to a target, for each task."""
    return ml.Score(
        ((np.asarray(answers, float) - target) ** 2).mean(axis=(1, 2)),
        "mean squared distance",
        fingerprint(task["query_x"]),
    )


def validate(learned):
    """The distance to ridge on validation tasks."""
    task, _ = VALIDATION[learned.inputs]
    return squared_distance(learned.answer(task), ridge_answer(task), task)


def first(task, count):
    """The tasks with their first examples only."""
    return {**task, **{name: task[name][:, :count] for name in ("support_x", "support_y")}}


def measure(learned):
    """Errors, distances to ridge, and what only some learners are asked."""
    task, query_y = TEST[learned.inputs]
    suffix = f"{learned.inputs} input" + "s" * (learned.inputs > 1)
    answers = learned.answer(task)
    found = {
        f"error, {suffix}": ml.score_predictions(answers, query_y, fingerprint(task["query_x"])),
        f"distance to ridge, {suffix}": squared_distance(answers, ridge_answer(task), task),
    }
    if learned.inputs == 1:
        for count in (1, 4):
            part = first(task, count)
            found[f"distance to ridge, {count} examples"] = squared_distance(
                learned.answer(part), ridge_answer(part), task
            )
    if isinstance(learned.reader, ml.InContextLearner) and learned.inputs == 1:
        found |= inside(learned.reader, task) | outside(learned.answer)
    elif learned.answer is ridge_answer and learned.inputs == 1:
        found |= outside(learned.answer)
    return found


def inside(reader, task):
    """Where a transformer with one block looks, and on what its answer to the first query depends."""
    x, query = reader.embed(task)
    examples = reader.token_of_x(x) + reader.token_of_y(task["support_y"])
    normal = reader.blocks[0].normalise(tf.concat([examples, reader.token_of_x(query)], 1))
    _, weights = reader.blocks[0].attend(normal, normal[:, :8], return_attention_scores=True)
    size = np.abs(task["support_x"][:, :, 0])
    far = size >= np.sort(size, axis=1)[:, 4:5]
    on_far = (weights.numpy()[:, :, 8:] * far[:, None, None]).sum(axis=-1).mean(axis=(1, 2))
    support_y = tf.constant(task["support_y"])
    with tf.GradientTape() as tape:
        tape.watch(support_y)
        answers = reader({**task, "support_y": support_y})[:, 0]
    influence = tape.gradient(answers, support_y).numpy()[:, :, 0]  # pyright: ignore[reportAttributeAccessIssue]
    x, asked = task["support_x"][:, :, 0], task["query_x"][:, :1, 0]
    of_ridge = asked * x / ((x**2).sum(axis=1, keepdims=True) + NOISE**2)
    missed = ((influence - of_ridge) ** 2).sum(axis=1) / (of_ridge**2).sum(axis=1).mean()
    print_of = fingerprint(task["query_x"])
    return {
        "attention on the far half": ml.Score(on_far, "share", print_of),
        "influence that is not ridge's": ml.Score(missed, "share", print_of),
    }


def changed(examples=8, noise=NOISE, scale=1.0):
    """Tasks that are not like those of training, and their slopes."""
    task, _ = LONG
    x = scale * task["support_x"][:, :examples]
    slopes = task["support_y"][:, :1] / task["support_x"][:, :1]
    y = slopes * x + noise * ERRORS[:, :examples]
    return {"support_x": x, "support_y": y, "query_x": scale * task["query_x"]}, slopes


def outside(answer):
    """Errors against w x where a task is not like those of training."""
    found, changes = {}, {"as in training": {}, "64 examples": {"examples": 64}}
    for name, change in (changes | {f"x times {scale:g}": {"scale": scale} for scale in (0.5, 2.0, 3.0)}).items():
        task, slopes = changed(**change)  # pyright: ignore[reportArgumentType]
        found[f"error against w x, {name}"] = squared_distance(answer(task), slopes * task["query_x"], LONG[0])
    for noise in (0.05, 1.0, 2.0):
        task, _ = changed(3, noise)
        answers = answer(task)
        old, right = (squared_distance(answers, ridge_answer(task, level**2), LONG[0]) for level in (NOISE, noise))
        found[f"nearness to the old penalty, noise {noise:g}"] = right - old
    return found


STUDY = Study(
    name="memories",
    chapter="09",
    question="Which memory comes nearest to ridge, on lines and with five inputs?",
    budget="2,000 meta-batches of 25 tasks with one input, 4,000 with five; the article's memory keeps 10,000 tasks",
    rivals={
        "ridge": Rival(ridge, untuned="the optimum, a formula", trained=False),
        "least squares": Rival(least_squares, untuned="a formula", trained=False),
        "one gradient step": Rival(one_step, untuned="the best rate, a formula", trained=False),
        "five gradient steps": Rival(five_steps, {"rate": [0.2, 0.25, 0.3, 0.35, 0.4]}, trained=False),
        "five steps with a bias": Rival(five_steps_with_bias, {"rate": [0.2, 0.25, 0.3, 0.35, 0.4]}, trained=False),
        "the article's memory": Rival(recall, {"rate": [0.2, 0.25, 0.3, 0.35, 0.4], "neighbors": [1, 5, 20, 100]}),
        "memory-augmented network": Rival(memory_augmented, {"rate": [0.0003, 0.001, 0.003, 0.01, 0.03]}),
        "in context": Rival(in_context, {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
        "ridge, 5 inputs": Rival(of_five(ridge), untuned="the optimum, a formula", trained=False),
        "one gradient step, 5 inputs": Rival(of_five(one_step), untuned="the best rate, a formula", trained=False),
        "five gradient steps, 5 inputs": Rival(
            of_five(five_steps), {"rate": [0.1, 0.15, 0.2, 0.25, 0.3]}, trained=False
        ),
        "five steps with a bias, 5 inputs": Rival(
            of_five(five_steps_with_bias), {"rate": [0.1, 0.15, 0.2, 0.25, 0.3]}, trained=False
        ),
        "the article's memory, 5 inputs": Rival(
            of_five(recall), {"rate": [0.1, 0.15, 0.2, 0.25, 0.3], "neighbors": [1, 5, 20, 100]}
        ),
        "memory-augmented network, 5 inputs": Rival(
            of_five(memory_augmented), {"rate": [0.0003, 0.001, 0.003, 0.01, 0.03]}
        ),
        "in context, 5 inputs": Rival(of_five(in_context), {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
        "in context, three blocks, 5 inputs": Rival(three_blocks, {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
    },
    validate=validate,
    measure=measure,
)
