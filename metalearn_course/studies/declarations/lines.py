"""Chapter 5: the article's family of tasks, lines in the plane, and its program beside learners that learn to learn."""

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

STEPS, OUTER_STEPS, RUNS = 5, 2_000, 10
SHOWN = (0, 1, 2, 5, 10, 15, 20)  # the numbers of steps that are measured
CROSS_ENTROPY = "sparse_categorical_crossentropy"
VALIDATION = ml.tasks.gather_tasks(ml.tasks.linear_classification(shots=5, queries=10, seed=1), 600)
TEST = ml.tasks.gather_tasks(ml.tasks.linear_classification(shots=5, queries=10, seed=2), 500)


class LogisticRegression(ml.Learner):
    """A straight border between two classes, fitted to each support set alone by Newton's method.

    Args:
        penalty: of the squared weights of both features, none of the intercept.
    """

    def __init__(self, penalty):
        super().__init__(model=None)
        self.penalty = penalty

    def call(self, task, training=False):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, query_x = (np.asarray(task[name], float) for name in ("support_x", "query_x"))
        x, query_x = (np.concatenate([a, np.ones_like(a[..., :1])], axis=-1) for a in (x, query_x))
        y, ridge = np.asarray(task["support_y"], float), np.diag([self.penalty, self.penalty, 1e-6])
        weights = np.zeros((len(x), 3))
        for _ in range(50):
            chance = 1 / (1 + np.exp(-np.clip(np.einsum("tsf,tf->ts", x, weights), -30, 30)))
            slope = np.einsum("tsf,ts->tf", x, chance - y) + weights @ ridge
            curvature = np.einsum("tsf,ts,tsg->tfg", x, chance * (1 - chance), x) + ridge
            step = np.linalg.solve(curvature, slope[..., None])[..., 0]
            weights -= step / np.maximum(1, np.linalg.norm(step, axis=1, keepdims=True) / 5)
        logit = np.einsum("tqf,tf->tq", query_x, weights)
        return keras.ops.cast(np.stack([-logit, logit], axis=-1) / 2, "float32")


class Oracle(ml.Learner):
    """The answer that is right most often for who knows the family: 20,000 random lines vote (Bayes' rule)."""

    def __init__(self):
        super().__init__(model=None)
        rng = np.random.default_rng(0)
        angle, point = rng.uniform(0, 2 * np.pi, 20_000), rng.uniform(-0.5, 0.5, (20_000, 2))
        self.normal = np.stack([np.cos(angle), np.sin(angle)])
        self.offset = (point.T * self.normal).sum(axis=0)
        self.area = (rng.uniform(-1, 1, (2000, 2)) @ self.normal > self.offset).mean(axis=0)

    def call(self, task, training=False):  # pyright: ignore[reportIncompatibleMethodOverride]
        votes = [self.vote(*example) for example in zip(*map(np.asarray, task.values()), strict=True)]
        return keras.ops.cast(np.stack(votes), "float32")

    def vote(self, support_x, support_y, query_x):
        agrees = ((support_x @ self.normal > self.offset) == support_y[:, None]).all(axis=0)
        weight = agrees / (self.area * (1 - self.area)) ** len(support_x[support_y == 1])
        above = query_x @ self.normal > self.offset
        return np.stack([(~above / (1 - self.area)) @ weight, (above / self.area) @ weight], axis=-1)


class Starts:
    """A learner that takes steps, and several starts for it: every score is the mean over them."""

    def __init__(self, learner, starts):
        self.learner, self.starts = learner, starts


def compiled(learner):
    """The learner, ready for `fit` and `predict`."""
    learner.compile(keras.optimizers.Adam(0.005), CROSS_ENTROPY, steps_per_execution=100)
    return learner


def by_hand(learner):
    """A learner written in NumPy, ready for `predict`."""
    learner.compile(loss=CROSS_ENTROPY, run_eagerly=True, jit_compile=False)
    return learner


def fitted(learner, seed):
    """A learner trained on this seed's own stream of tasks."""
    tasks = ml.tasks.linear_classification(shots=5, queries=10, seed=1_000 + seed)
    compiled(learner).fit(tasks, steps_per_epoch=OUTER_STEPS, verbose=0)
    return learner


def maml(seed, inner_lr):
    """MAML, trained for five steps."""
    return fitted(ml.MAML(ml.networks.article_network(), inner_lr=inner_lr, inner_steps=STEPS), seed)


def joint_training(seed, inner_lr):
    """One network for all tasks, then five steps on a new one."""
    return fitted(ml.JointTraining(ml.networks.article_network(), inner_lr=inner_lr, inner_steps=STEPS), seed)


def from_scratch(seed, inner_lr):
    """A random network, then five steps on a new task."""
    return compiled(ml.FromScratch(ml.networks.article_network(), inner_lr=inner_lr, inner_steps=STEPS))


def program(seed, inner_lr):
    """The article's program with its faults removed, ten times: 100 steps of Adam on each of ten tasks, one θ."""
    network, optimizer = ml.networks.article_network(), keras.optimizers.Adam(0.01)
    optimizer.build(network.trainable_variables)
    variables = network.variables + optimizer.variables
    start = [variable.numpy() for variable in variables]

    @tf.function(jit_compile=True)
    def train(x, y):
        for _ in tf.range(100):
            with tf.GradientTape() as tape:
                loss = keras.losses.sparse_categorical_crossentropy(y, network(x))
            gradients = tape.gradient(loss, network.trainable_variables)  # pyright: ignore[reportArgumentType, reportCallIssue]
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))

    stream = ml.tasks.linear_classification(shots=50, queries=1, seed=1_000 + seed)
    task, _ = ml.tasks.gather_tasks(stream, 10 * RUNS)
    starts = []
    for run in range(RUNS):
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        for i in range(10 * run, 10 * run + 10):
            train(task["support_x"][i], task["support_y"][i])
        starts.append(network.get_weights())
    learner = ml.JointTraining(network, inner_lr=inner_lr, inner_steps=STEPS)
    return Starts(compiled(learner), starts)


def memory(batches):
    """A memory that learned on `batches` meta-batches of 25 tasks, one after another."""

    def train(seed, neighbors, inner_lr):
        learner = ml.SequentialLearner(
            ml.networks.article_network(), inner_lr=inner_lr, inner_steps=STEPS, neighbors=neighbors
        )
        learner.compile(loss=CROSS_ENTROPY)
        tasks = ml.tasks.linear_classification(shots=5, queries=10, seed=1_000 + seed)
        learner.fit(tasks, steps_per_epoch=batches, verbose=0)
        return learner

    return train


def logistic_regression(seed, penalty):
    """A straight border for each task alone."""
    return by_hand(LogisticRegression(penalty))


def nearest_neighbour(seed):
    """The class of the nearest example."""
    learner = ml.NearestNeighbor()
    learner.compile()
    return learner


def oracle(seed):
    """The vote of random lines."""
    return by_hand(Oracle())


def scores_of(learner, tasks, steps):
    """Accuracy after each of `steps` numbers of steps, or just accuracy."""
    if isinstance(learner, Starts):
        found = []
        for start in learner.starts:
            learner.learner.model.set_weights(start)
            found.append(scores_of(learner.learner, tasks, steps))
        return [mean_of(scores) for scores in zip(*found, strict=True)]
    if isinstance(learner, ml.GradientLearner):
        curve = ml.adaptation_curve(learner, tasks, steps=max(steps))
        return [curve[n] for n in steps]
    return [ml.score(learner, tasks)] * len(steps)


def mean_of(scores):
    """The mean of several scores of the same tasks, task by task."""
    return ml.Score(np.mean([one.values for one in scores], axis=0), scores[0].measure, scores[0].tasks)


def measure(learner):
    """Accuracy on test tasks after each number of steps."""
    return {f"after {n} steps": score for n, score in zip(SHOWN, scores_of(learner, TEST, SHOWN), strict=True)}


STUDY = Study(
    name="lines",
    chapter="05",
    question="On lines in the plane, what does learning to learn buy, and where does the article's program stand?",
    budget=f"{OUTER_STEPS} outer steps of 25 tasks each; five inner steps on ten examples of a new task",
    rivals={
        "MAML": Rival(maml, {"inner_lr": [0.25, 0.5, 1.0, 2.0, 4.0]}),
        "from scratch": Rival(from_scratch, {"inner_lr": [0.25, 0.5, 1.0, 2.0, 4.0]}),
        "joint training": Rival(joint_training, {"inner_lr": [0.25, 0.5, 1.0, 2.0, 4.0]}),
        "the article's program, corrected": Rival(program, {"inner_lr": [0.25, 0.5, 1.0, 2.0, 4.0]}),
        "memory of 25 tasks": Rival(
            memory(1), {"neighbors": [1, 3, 5, 10, 20], "inner_lr": [0.25, 0.5, 1.0, 2.0, 4.0]}
        ),
        "memory of 1000 tasks": Rival(
            memory(40), {"neighbors": [1, 3, 10, 30, 100], "inner_lr": [0.25, 0.5, 1.0, 2.0, 4.0]}
        ),
        "logistic regression": Rival(
            logistic_regression, {"penalty": [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0]}, trained=False
        ),
        "nearest neighbour": Rival(nearest_neighbour, untuned="it has no settings", trained=False),
        "oracle": Rival(oracle, untuned="it knows the family", trained=False),
    },
    validate=lambda learner: scores_of(learner, VALIDATION, [STEPS])[0],
    measure=measure,
)
