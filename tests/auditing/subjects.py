"""Tasks and learners that audits are tried on."""

import keras
import numpy as np

import metalearn_lib as ml

REGRESSION = ml.tasks.linear_regression(4, 10, 5)
VALUES = ml.tasks.gather_tasks(ml.tasks.linear_regression(4, 10, 5, seed=1), 300)
LABELS = ml.tasks.gather_tasks(ml.tasks.linear_classification(5, 5, seed=1), 300)


def net(outputs: int = 1, inputs: int = 4) -> keras.Model:
    return ml.networks.mlp(inputs, outputs, (16,))


def compiled(learner: keras.Model, tasks=VALUES) -> keras.Model:
    keras.utils.set_random_seed(0)
    loss = "mse" if tasks is VALUES else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(
        keras.optimizers.Adam(0.01), None if isinstance(learner, ml.NeuralProcess) else loss, jit_compile=False
    )
    return learner


def part(tasks, count: int, queries: int | None = None):
    """A copy of the first tasks, with the first queries of each."""
    task, query_y = tasks
    cut = {name: array[:count].copy() for name, array in task.items()}
    cut["query_x"] = cut["query_x"][:, :queries]
    return cut, query_y[:count, :queries].copy()


def least_squares(task, ridge: float = 1e-3):
    """A right learner that is a function: ridge regression in closed form."""
    x, y = task["support_x"].astype(np.float64), task["support_y"]
    gram = np.swapaxes(x, 1, 2) @ x + ridge * np.eye(x.shape[-1])
    return task["query_x"] @ np.linalg.solve(gram, np.swapaxes(x, 1, 2) @ y)


def nearest_mean(task, shrink: float = 1.0):
    """Scores of two classes by the distance to the mean of each."""
    members = task["support_y"][..., None] == np.arange(2)
    means = np.einsum("tsn,tsd->tnd", members, task["support_x"]) / members.sum(axis=1)[..., None]
    means[:, 1] *= shrink
    return -((task["query_x"][:, :, None] - means[:, None]) ** 2).sum(axis=-1)
