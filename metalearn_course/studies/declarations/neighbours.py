"""What transfer, joint, multi-task and meta-learning make of the same 100 tasks, each with its rates tuned."""

import functools

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

NUM_TASKS, STEPS, AT_ONCE, EXAMPLES = 100, 2_000, 25, 20
RATES = [10 ** (k / 4) for k in range(-24, 3)]  # of ten gradient steps on a new task
PENALTIES = [10 ** (k / 2) for k in range(-16, 11)]  # of a new head, ridge regression
OUTER = {"outer_lr": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]}
MAML = {"outer_lr": [0.001, 0.003, 0.01, 0.03], "inner_lr": [0.003, 0.01, 0.03, 0.1]}
HEAD = {"outer_lr": [0.001, 0.003, 0.01, 0.03], "penalty": [0.001, 0.01, 0.1, 1, 10]}


@functools.cache
def tasks(seed, number):
    """New tasks: seed 1 for the test, 2 to choose by."""
    return ml.tasks.gather_tasks(ml.tasks.sinusoids(seed=seed), number)


def curves(seed):
    """Amplitude and phase [100, 2] of the training tasks, others for each training."""
    return np.random.default_rng([2, seed]).uniform([0.1, 0], [5, np.pi], (NUM_TASKS, 2))


def examples(function, number, seed):
    """Which task [steps · 25], inputs and targets [steps · 25, 20, 1]: all that a learner sees before the test."""
    rng = np.random.default_rng([3, seed])
    chosen = rng.integers(number, size=STEPS * AT_ONCE)
    x = rng.uniform(-5, 5, (STEPS * AT_ONCE, EXAMPLES, 1))
    return chosen, x.astype(np.float32), function(chosen, x).astype(np.float32)


def of_family(parameters):
    """A sin(x − φ) of each task."""
    a, phi = parameters.T[..., None, None]
    return lambda chosen, x: a[chosen] * np.sin(x - phi[chosen])


def fit(learner, function, number, seed, outer_lr):
    """Train on meta-batches of 25 tasks with 10 support examples and 10 queries each."""
    _, x, y = examples(function, number, seed)
    tasks = ml.tasks.support_and_queries(x, y, EXAMPLES // 2)
    stream = tf.data.Dataset.from_tensor_slices(tasks)  # pyright: ignore[reportArgumentType]
    learner.compile(keras.optimizers.Adam(outer_lr), loss="mse", steps_per_execution=100)
    learner.fit(stream.batch(AT_ONCE, drop_remainder=True).repeat(), steps_per_epoch=STEPS, verbose=0)
    return learner.model.get_weights()


def from_scratch(seed):
    """Random weights."""
    return ml.networks.mlp().get_weights()


def transfer(seed, outer_lr):
    """One source task, the first of the 100: another one for each training."""
    return fit(ml.JointTraining(ml.networks.mlp()), of_family(curves(seed)[:1]), 1, seed, outer_lr)


def transfer_from_mean_curve(seed, outer_lr):
    """The source task is the mean of the 100 curves."""
    a, phi = curves(seed).T
    sine, cosine = (a * np.cos(phi)).mean(), -(a * np.sin(phi)).mean()
    mean = lambda chosen, x: sine * np.sin(x) + cosine * np.cos(x)  # noqa: E731
    return fit(ml.JointTraining(ml.networks.mlp()), mean, 1, seed, outer_lr)


def joint(seed, outer_lr):
    """One network for the examples of all tasks together."""
    return fit(ml.JointTraining(ml.networks.mlp()), of_family(curves(seed)), NUM_TASKS, seed, outer_lr)


def maml(seed, outer_lr, inner_lr, inner_steps=1):
    """The loss after the inner loop, on other examples."""
    learner = ml.MAML(ml.networks.mlp(), inner_lr=inner_lr, inner_steps=inner_steps)
    return fit(learner, of_family(curves(seed)), NUM_TASKS, seed, outer_lr)


class NewHead(ml.Learner):
    """Ridge regression of the support set on the body's features; trained, it is meta-learning of the body."""

    penalty = 0.0

    def call(self, task, training=False):
        weights = [tf.convert_to_tensor(w) for w in self.model.trainable_variables]
        support, query = (forward(weights, task[name], 2) for name in ("support_x", "query_x"))
        gram = tf.matmul(support, support, transpose_b=True) + self.penalty * tf.eye(EXAMPLES // 2)
        return tf.matmul(query, support, transpose_b=True) @ tf.linalg.solve(gram, task["support_y"])


def meta_learned_head(seed, outer_lr, penalty):
    """The loss after a new head is fitted, on other examples."""
    learner = NewHead(ml.networks.mlp())
    learner.penalty = penalty
    return fit(learner, of_family(curves(seed)), NUM_TASKS, seed, outer_lr)


def multi_task(seed, outer_lr):
    """One body with 100 heads; an example is seen by the head of its task alone."""
    chosen, x, y = examples(of_family(curves(seed)), NUM_TASKS, seed)
    head = np.repeat(chosen, EXAMPLES).astype(np.float32)
    model = ml.networks.mlp(num_outputs=NUM_TASKS)

    def loss(target, outputs):
        mine = tf.gather(outputs, tf.cast(target[:, 0], tf.int32), batch_dims=1)
        return tf.square(mine - target[:, 1])

    model.compile(keras.optimizers.Adam(outer_lr), loss=loss, steps_per_execution=100)
    heads_and_y = np.stack([head, y.ravel()], axis=1)
    model.fit(x.reshape(-1, 1), heads_and_y, AT_ONCE * EXAMPLES, shuffle=False, verbose=0)  # pyright: ignore[reportArgumentType]
    return model.get_weights()


def forward(weights, x, layers=3):
    """The network's outputs, or after two layers the 40 features of its body; weights may have an axis of tasks."""
    for layer in range(layers):
        kernel, bias = weights[2 * layer : 2 * layer + 2]
        x = x @ kernel + (bias[:, None] if len(bias.shape) == 2 else bias)
        x = tf.nn.relu(x) if layer < 2 else x
    return x


@tf.function(jit_compile=True)
def after_ten_steps(weights, support_x, support_y, query_x, rate):
    """Ten steps of gradient descent on each task, all weights."""
    own = [tf.repeat(w[None], len(support_x), axis=0) for w in weights]
    for _ in range(10):
        with tf.GradientTape() as tape:
            tape.watch(own)
            losses = tf.reduce_mean((forward(own, support_x) - support_y) ** 2, axis=[1, 2])
        own = [w - rate * g for w, g in zip(own, tape.gradient(losses, own), strict=True)]
    return forward(own, query_x), tf.reduce_mean((forward(own, support_x) - support_y) ** 2, axis=[1, 2])


def ten_steps(weights):
    """Ten gradient steps; of a network with 100 heads, from the mean of its heads.

    As one would use it: where descent diverges on a task, it starts again with a quarter of the rate. It has diverged
    if it fits the support set less well than y = 0.
    """
    kernel, bias = (w.mean(axis=-1, keepdims=True) for w in weights[4:])
    start = [tf.constant(w, tf.float32) for w in [*weights[:4], kernel, bias]]

    def predict(task, rate):
        predictions, error = after_ten_steps(start, *task.values(), tf.constant(rate, tf.float32))  # pyright: ignore[reportCallIssue]
        slower, _ = after_ten_steps(start, *task.values(), tf.constant(rate / 4, tf.float32))  # pyright: ignore[reportCallIssue]
        fits = error < tf.reduce_mean(task["support_y"] ** 2, axis=[1, 2])
        return tf.where(fits[:, None, None], predictions, slower)

    return choose(predict, RATES)


def new_head(weights, layers=2):
    """Ridge regression of the support set on the body's 40 features; or, with 3 layers, on the network's outputs."""
    weights = [w.astype(np.float64) for w in weights]

    def predict(task, penalty):
        x, y, query_x = (array.astype(np.float64) for array in task.values())
        support, query = (forward(weights, tf.constant(a), layers).numpy() for a in (x, query_x))
        gram = support @ support.swapaxes(1, 2) + penalty * np.eye(x.shape[1])
        return query @ support.swapaxes(1, 2) @ np.linalg.solve(gram, y)

    return choose(predict, PENALTIES)


def choose(predict, values):
    """`predict` with the rate or penalty that is best on the validation tasks, inside of what is tried."""
    task, query_y = tasks(2, 300)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.array([np.mean((np.asarray(predict(task, value)) - query_y) ** 2) for value in values])
    best = int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))
    if not 0 < best < len(values) - 1:
        raise ml.DivergedError(f"errors are {errors}, expected the least one inside of them")
    return lambda task: np.asarray(predict(task, values[best]))


def score(predict, seed, number):
    """The errors of `predict`."""
    task, query_y = tasks(seed, number)
    return ml.score_predictions(predict(task), query_y, fingerprint(query_y))


def rival(train, adapt, grid):
    """A start and what is done with it on a new task."""
    if not grid:
        return Rival(lambda seed: adapt(train(seed)), untuned="nothing is trained before the new task")
    return Rival(lambda seed, **setting: adapt(train(seed, **setting)), grid)


STUDY = Study(
    name="neighbours",
    chapter="02",
    question="Which training on 100 sinusoids helps most on a new one, of which ten points are known?",
    budget="2,000 steps of 25 tasks with 20 examples; the fine-tuning rate or ridge penalty is tuned for each training",
    rivals={
        "from scratch": rival(from_scratch, ten_steps, {}),
        "from scratch, new head": rival(from_scratch, new_head, {}),
        "transfer from one task": rival(transfer, ten_steps, OUTER),
        "transfer from the mean curve": rival(transfer_from_mean_curve, ten_steps, OUTER),
        "joint training": rival(joint, ten_steps, OUTER),
        "joint training, new head": rival(joint, new_head, OUTER),
        "multi-task": rival(multi_task, ten_steps, OUTER),
        "multi-task, new head": rival(multi_task, new_head, OUTER),
        "multi-task, head on its heads": rival(multi_task, functools.partial(new_head, layers=3), OUTER),
        "MAML": rival(maml, ten_steps, MAML),
        "MAML, ten steps in training": rival(
            functools.partial(maml, inner_steps=10),
            ten_steps,
            MAML | {"inner_lr": [0.0001, 0.0003, 0.001, *MAML["inner_lr"]]},
        ),
        "meta-learning, new head": rival(
            meta_learned_head,
            new_head,
            {"outer_lr": [*HEAD["outer_lr"], 0.1], "penalty": [*HEAD["penalty"], 100, 1_000]},
        ),
    },
    validate=lambda predict: score(predict, 2, 300),
    measure=lambda predict: {"error": score(predict, 1, 600)},
    seeds=tuple(range(10)),
)
