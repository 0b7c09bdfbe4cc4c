"""Families of tasks that a project meets for the first time: values, classes, images, with shifts and with noise.

Each has numbers of its own that follow from the seed: frequencies, noise, shots, dimensions, which features matter,
what was done to the images. A project may draw families by seeds of its own and train on them; the seed that it is
judged by is secret.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import metalearn_lib as ml

Rng = np.random.Generator
Drawn = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # support x and y, query x and y


@dataclass(frozen=True)
class Family:
    """Tasks of one kind.

    Args:
        name: what they are.
        tasks: support_x [T, S, ...], support_y [T, S, 1] or labels [T, S], query_x [T, Q, ...].
        query_y: [T, Q, 1], or labels [T, Q].
    """

    name: str
    tasks: dict[str, np.ndarray]
    query_y: np.ndarray

    @property
    def ways(self) -> int | None:
        """The number of classes; None where values are asked for."""
        return int(self.tasks["support_y"].max()) + 1 if self.query_y.ndim == 2 else None


def draw_families(seed: int, tasks: int = 60) -> list[Family]:
    """One family of every kind.

    Args:
        seed: fixes them.
        tasks: number T of tasks in each.
    """
    rng = np.random.default_rng(seed)
    found = []
    for name, draw in KINDS.items():
        support_x, support_y, query_x, query_y = draw(rng, tasks)
        task = {"support_x": support_x, "support_y": support_y, "query_x": query_x}
        task = {key: array.astype("float32") if array.dtype.kind == "f" else array for key, array in task.items()}
        found.append(Family(name, task, query_y))
    return found


def _values(x: np.ndarray, y: np.ndarray, shots: int, noise: np.ndarray) -> Drawn:
    return x[:, :shots], (y + noise)[:, :shots, None], x[:, shots:], y[:, shots:, None]


def _waves(rng: Rng, tasks: int) -> Callable[[np.ndarray], np.ndarray]:
    """Sums of two sinusoids [T, n] of inputs [T, n, 1], at frequencies of the family."""
    fastest = rng.uniform(0.8, 2.0)
    frequency, phase = rng.uniform(0.3, fastest, (tasks, 1, 2)), rng.uniform(0, 2 * np.pi, (tasks, 1, 2))
    height = rng.uniform(0.3, 2.0, (tasks, 1, 2))
    return lambda x: (height * np.sin(frequency * x + phase)).sum(axis=-1)


def _curves(rng: Rng, tasks: int) -> Drawn:
    shots, noise = int(rng.integers(6, 13)), rng.uniform(0.0, 0.3)
    x = rng.uniform(-4, 4, (tasks, shots + 20, 1))
    return _values(x, _waves(rng, tasks)(x), shots, noise * rng.normal(size=x.shape[:2]))


def _shifted_curves(rng: Rng, tasks: int) -> Drawn:
    """The queries lie to the right of the examples, and half of them beyond."""
    shots = int(rng.integers(8, 15))
    x = np.concatenate([rng.uniform(-4, 1, (tasks, shots, 1)), rng.uniform(0, 2, (tasks, 20, 1))], axis=1)
    return _values(x, _waves(rng, tasks)(x), shots, 0.1 * rng.normal(size=x.shape[:2]))


def _slopes(rng: Rng, tasks: int) -> Drawn:
    """Straight pieces with one bend."""
    shots, noise = int(rng.integers(5, 11)), rng.uniform(0.1, 0.6)
    left, right, bend = rng.normal(size=(tasks, 1)), rng.normal(size=(tasks, 1)), rng.uniform(-2, 2, (tasks, 1))
    x = rng.uniform(-4, 4, (tasks, shots + 20, 1))
    apart = x[..., 0] - bend
    return _values(x, np.where(apart < 0, left, right) * apart, shots, noise * rng.normal(size=apart.shape))


def _planes(rng: Rng, tasks: int) -> Drawn:
    """Linear in several inputs of different scale, of which some do not matter."""
    inputs, shots = int(rng.integers(4, 8)), int(rng.integers(6, 12))
    matters = rng.permutation(inputs) < 3
    scale = np.exp(rng.uniform(-1.5, 1.5, inputs))
    x = rng.normal(size=(tasks, shots + 20, inputs))
    y = (x * (matters * rng.normal(size=(tasks, 1, inputs)))).sum(axis=-1)
    return _values(x * scale, y, shots, 0.3 * rng.normal(size=y.shape))


def _classes(x: np.ndarray, shots: int, queries: int, rng: Rng) -> Drawn:
    """Examples [T, ways, shots + queries, ...] in any order, under names of the task's own."""
    tasks, ways = x.shape[:2]
    names = np.stack([rng.permutation(ways) for _ in range(tasks)]).astype("int32")
    order, query_order = rng.permutation(ways * shots), rng.permutation(ways * queries)
    support, query = (part.reshape(tasks, -1, *x.shape[3:]) for part in (x[:, :, :shots], x[:, :, shots:]))
    labels, query_labels = np.repeat(names, shots, axis=1), np.repeat(names, queries, axis=1)
    return support[:, order], labels[:, order], query[:, query_order], query_labels[:, query_order]


def _tables(rng: Rng, tasks: int) -> Drawn:
    """Three classes that differ in three features; the others are noise, and scales differ."""
    features, shots = int(rng.integers(6, 12)), int(rng.integers(2, 6))
    matters = rng.permutation(features) < 3
    scale = np.exp(rng.uniform(-2, 2, features))
    centres = 2.5 * matters * rng.normal(size=(tasks, 3, 1, features))
    noise = np.where(matters, 0.7, 2.0)
    x = (centres + noise * rng.normal(size=(tasks, 3, shots + 7, features))) * scale
    return _classes(x, shots, 7, rng)


def _wrong_labels(rng: Rng, tasks: int) -> Drawn:
    """Two classes; some labels of the support set are wrong, those of the queries are not."""
    shots, share = int(rng.integers(8, 14)), rng.uniform(0.1, 0.2)
    centres = 1.3 * rng.normal(size=(tasks, 2, 1, 4))
    x = centres + rng.normal(size=(tasks, 2, shots + 10, 4))
    support_x, support_y, query_x, query_y = _classes(x, shots, 10, rng)
    return support_x, np.where(rng.random(support_y.shape) < share, 1 - support_y, support_y), query_x, query_y


def _drawings(rng: Rng, tasks: int) -> Drawn:
    """Signs of unseen scripts, one or two examples of each, as pictures that were turned, inverted or made noisy."""
    shots, size = int(rng.integers(1, 3)), 14
    images = ml.images.glyph_splits(drawers=10, size=size)[2]
    stream = ml.tasks.episodes(images, 5, shots, 4, seed=int(rng.integers(10**9)))
    task, query_y = ml.tasks.gather_tasks(stream, tasks)
    turns, inverted, noise = int(rng.integers(4)), rng.random() < 0.5, rng.uniform(0.0, 0.15)

    def changed(x: np.ndarray) -> np.ndarray:
        x = np.rot90(1 - x if inverted else x, turns, axes=(2, 3))
        return x + noise * rng.normal(size=x.shape)

    return changed(task["support_x"]), task["support_y"], changed(task["query_x"]), query_y


KINDS: dict[str, Callable[[Rng, int], Drawn]] = {
    "curves": _curves,
    "curves, queries beyond": _shifted_curves,
    "bent lines": _slopes,
    "planes": _planes,
    "tables": _tables,
    "wrong labels": _wrong_labels,
    "drawings": _drawings,
}
