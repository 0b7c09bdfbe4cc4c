"""Small tasks in float64, and finite differences to hold gradients against."""

from collections.abc import Callable

import keras
import numpy as np


def regression_tasks(tasks: int = 3, shots: int = 4, queries: int = 5, seed: int = 0):
    """Smooth functions with a random phase each."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (tasks, shots + queries, 1))
    y = np.sin(x + rng.uniform(0, 3, (tasks, 1, 1)))
    return {"support_x": x[:, :shots], "support_y": y[:, :shots], "query_x": x[:, shots:]}, y[:, shots:]


def image_tasks(tasks: int = 2, ways: int = 3, shots: int = 2, queries: int = 2, size: int = 6, seed: int = 0):
    """Random images with labels 0..ways-1."""
    rng = np.random.default_rng(seed)
    support_y = np.tile(np.repeat(np.arange(ways), shots), (tasks, 1)).astype(np.int32)
    query_y = np.tile(np.repeat(np.arange(ways), queries), (tasks, 1)).astype(np.int32)
    images = [rng.normal(size=(*labels.shape, size, size, 1)) for labels in (support_y, query_y)]
    return {"support_x": images[0], "support_y": support_y, "query_x": images[1]}, query_y


def cross_entropy() -> keras.losses.Loss:
    """Cross-entropy of logits in the dtype of the test: a loss takes the dtype in force when it is made."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def finite_difference(
    loss: Callable[[], float], variables: list[keras.Variable], direction: list[np.ndarray], step: float = 1e-5
) -> float:
    """(L(θ + εd) − L(θ − εd)) / 2ε, with an error of order ε²."""
    before = [v.numpy() for v in variables]
    values = []
    for sign in (1, -1):
        for variable, value, d in zip(variables, before, direction, strict=True):
            variable.assign(value + sign * step * d)
        values.append(loss())
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return (values[0] - values[1]) / (2 * step)


def fitted_gradient(learner, task, query_y) -> list[np.ndarray]:
    """The gradient that `fit` descends: one step of plain SGD with rate 1 moves the weights by minus the gradient."""
    before = [v.numpy() for v in learner.trainable_variables]
    learner.fit(task, query_y, batch_size=len(query_y), epochs=1, verbose=0)
    after = [v.numpy() for v in learner.trainable_variables]
    for variable, value in zip(learner.trainable_variables, before, strict=True):
        variable.assign(value)
    return [b - a for b, a in zip(before, after, strict=True)]


def outer_loss(learner, task, query_y) -> float:
    """The compiled loss of the predictions, in float64: Keras reports its losses in float32."""
    predictions = learner.predict(task, batch_size=len(query_y)).astype(np.float64)
    if query_y.dtype.kind == "f":
        return ((predictions - query_y) ** 2).mean()
    log_sums = np.log(np.exp(predictions).sum(-1))
    return (log_sums - np.take_along_axis(predictions, query_y[..., None], -1)[..., 0]).mean()


def check_fitted_gradient(learner, task, query_y) -> None:
    """The gradient that `fit` descends is the slope of the outer loss, along three random directions."""
    gradient = fitted_gradient(learner, task, query_y)
    size = np.sqrt(sum((g**2).sum() for g in gradient))
    rng = np.random.default_rng(1)
    for _ in range(3):
        direction = [rng.normal(size=g.shape) for g in gradient]
        along = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True))
        numeric = finite_difference(lambda: outer_loss(learner, task, query_y), learner.trainable_variables, direction)
        assert abs(along - numeric) < 1e-6 * size
