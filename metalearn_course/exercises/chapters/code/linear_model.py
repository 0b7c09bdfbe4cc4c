"""A linear model with two weights and the mean squared error, for outer steps in NumPy."""

import numpy as np


def gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of the loss, at theta [2], on inputs x [S, 2] with targets y [S]."""
    return 2 * x.T @ (x @ theta - y) / len(y)


def adapted(theta: np.ndarray, x: np.ndarray, y: np.ndarray, alpha: float, steps: int) -> np.ndarray:
    """Theta [2] after some steps of gradient descent on x [S, 2], y [S]."""
    for _ in range(steps):
        theta = theta - alpha * gradient(theta, x, y)
    return theta


def examples(rng: np.random.Generator, tasks: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [tasks, number, 2] and noisy targets [tasks, number], of tasks with weights of their own."""
    x, weights = rng.normal(size=(tasks, number, 2)), rng.normal(size=(tasks, 2))
    return x, np.einsum("tsd,td->ts", x, weights) + rng.normal(0, 0.3, (tasks, number))
