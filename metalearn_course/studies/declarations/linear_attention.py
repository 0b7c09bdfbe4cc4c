"""Chapter 9: one layer of linear attention, trained, beside gradient steps with the best rates there are."""

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

INPUTS, NOISE, STEPS = 5, 0.5, 4_000
STRETCH = np.array([2.0, 1.5, 1.0, 0.7, 0.5], dtype="float32")


def planes(seed, queries=8):
    """Tasks y = w·x + ε with five inputs."""
    return ml.tasks.linear_regression(INPUTS, 8, queries, 25, NOISE, seed)


def stretched(task, query_y):
    """The same tasks with every input in other units."""
    return {**task, **{name: STRETCH * task[name] for name in ("support_x", "query_x")}}, query_y


VALIDATION, TEST, FITTING = (
    ml.tasks.gather_tasks(planes(seed, 20), count)[0] for seed, count in ((2, 1_000), (1, 400), (3, 20_000))
)


class LinearAttention(keras.layers.Layer):
    """Every token adds what it reads of the context, each example with the weight token · A · example / n."""

    def build(self, shape):  # pyright: ignore[reportIncompatibleMethodOverride]
        size, start = shape[-1], keras.initializers.RandomNormal(0.2)
        self.of_pair = self.add_weight(shape=(size, size), initializer=start, name="of_pair")
        self.of_value = self.add_weight(shape=(size, size), initializer=start, name="of_value")

    def call(self, tokens, examples):
        context = tokens[:, :examples]
        weights = tf.matmul(tokens @ self.of_pair, context, transpose_b=True) / examples
        return tokens + weights @ self.read(context)

    def read(self, context):
        return context @ self.of_value


class TargetsOnly(LinearAttention):
    """It changes the last number of a token alone, as a gradient step does."""

    def read(self, context):
        last = tf.one_hot(context.shape[-1] - 1, context.shape[-1])
        return (context @ self.of_value) * last


class LinearReader(keras.Model):
    """Tokens (x, y) and (query, 0), layers of linear attention, and minus the last number of the query's token."""

    def __init__(self, layers):
        super().__init__()
        self.steps = layers

    def call(self, task):
        context = tf.concat([task["support_x"], task["support_y"]], -1)
        asked = tf.concat([task["query_x"], tf.zeros_like(task["query_x"][..., :1])], -1)
        tokens, examples = tf.concat([context, asked], 1), context.shape[1]
        for step in self.steps:
            tokens = step(tokens, examples=examples)
        return -tokens[:, examples:, -1:]


def trained(seed, rate, layers=1, kind=LinearAttention, stretch=False):
    """A reader of linear attention, and whether it is asked with stretched inputs."""
    reader = LinearReader([kind() for _ in range(layers)])
    reader.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "mse", steps_per_execution=50, jit_compile=True)  # pyright: ignore[reportArgumentType]
    # The last quarter with a tenth of the rate.
    for part, (share, factor) in enumerate(((0.75, 1), (0.25, 0.1))):
        tasks = planes(1_000 + 10 * seed + part)
        reader.optimizer.learning_rate = factor * rate
        reader.fit(tasks.map(stretched) if stretch else tasks, steps_per_epoch=int(share * STEPS), verbose=0)  # pyright: ignore[reportArgumentType]
    return reader, stretch


def two_layers(seed, rate):
    """Two layers."""
    return trained(seed, rate, layers=2)


def two_layers_on_targets(seed, rate):
    """Two layers that leave every x as it is."""
    return trained(seed, rate, layers=2, kind=TargetsOnly)


def one_layer_stretched(seed, rate):
    """One layer that sees every input in other units."""
    return trained(seed, rate, stretch=True)


def powers(task, steps):
    """Answers with w = m, S m, S² m, ...: k gradient steps from w = 0 are a sum of the first k, whatever the rates."""
    x, y = task["support_x"].astype(float), task["support_y"].astype(float)
    w, answers = np.swapaxes(x, 1, 2) @ y / x.shape[1], []
    for _ in range(steps):
        answers.append(task["query_x"] @ w)
        w = np.swapaxes(x, 1, 2) @ (x @ w) / x.shape[1]
    return np.concatenate(answers, axis=-1)


def best_steps(count, stretch=False):
    """The factors of that sum that fit ridge best on 20,000 tasks."""

    def fit(seed):
        tasks = stretched(FITTING, None)[0] if stretch else FITTING
        known = powers(tasks, count).reshape(-1, count)
        factors = np.linalg.lstsq(known, ridge(FITTING).ravel(), rcond=None)[0]
        return (lambda task: (powers(task, count) @ factors)[..., None]), stretch

    return fit


def best_step_in_formula(seed):
    """The best single step."""
    return formula, False


def formula(task):
    """One step with the rate E[m·w] / E[m·m] = 1 / (1 + (d + 1 + σ²) / n)."""
    return powers(task, 1) / (1 + (INPUTS + 1 + NOISE**2) / task["support_x"].shape[1])


def ridge(task):
    """The best answers there are; task without stretch."""
    x, y = task["support_x"].astype(float), task["support_y"].astype(float)
    turned = np.swapaxes(x, 1, 2)
    return task["query_x"] @ np.linalg.solve(turned @ x + NOISE**2 * np.eye(INPUTS), turned @ y)


def distance(learned, target, tasks):
    """The mean squared distance of its answers to those of `target`, which sees the tasks without the stretch."""
    reader, stretch = learned
    answers = np.asarray(reader(stretched(tasks, None)[0] if stretch else tasks))
    score = ml.score_predictions(answers, target(tasks))
    return ml.Score(score.values, "mean squared distance", fingerprint(tasks["query_x"]))


def measure(learned):
    """Distances on the test tasks, and the rates that a single layer uses."""
    reader, _ = learned
    found = {
        "distance to ridge": distance(learned, ridge, TEST),
        "distance to the best step": distance(learned, formula, TEST),
    }
    if getattr(reader, "steps", None) and len(reader.steps) == 1:
        (layer,) = reader.steps
        of_pair, of_value = layer.get_weights()
        rates = np.diag(-of_pair[:INPUTS, :INPUTS] * of_value[INPUTS, INPUTS])
        found["rates of the layer"] = ml.Score(rates, "rate", "inputs")
    return found


STUDY = Study(
    name="linear_attention",
    chapter="09",
    question="Does a trained layer of linear attention find the gradient step, and do two layers find two?",
    budget="4,000 meta-batches of 25 tasks for each training; best steps are fitted to 20,000 tasks",
    rivals={
        "one layer": Rival(trained, {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
        "two layers": Rival(two_layers, {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
        "two layers that keep x": Rival(two_layers_on_targets, {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
        "one layer, stretched x": Rival(one_layer_stretched, {"rate": [0.0001, 0.0003, 0.001, 0.003, 0.01]}),
        "1 best step": Rival(best_step_in_formula, untuned="a formula", trained=False),
        **{
            f"{count} best steps": Rival(best_steps(count), untuned="fitted to 20,000 tasks", trained=False)
            for count in range(2, 7)
        },
        "1 best step, stretched x": Rival(best_steps(1, True), untuned="fitted to 20,000 tasks", trained=False),
    },
    validate=lambda learned: distance(learned, ridge, VALIDATION),
    measure=measure,
)
