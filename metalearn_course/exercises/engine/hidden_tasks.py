"""Families that hidden tasks are drawn from, each by the generator of a check."""

import numpy as np

import metalearn_lib as ml

Drawn = tuple[dict[str, np.ndarray], np.ndarray]  # tasks without the targets of their queries, and these targets


def seed_from(rng: np.random.Generator) -> int:
    """A seed that nobody uses who counts seeds from 0."""
    return int(rng.integers(10**6, 10**9))


def sinusoids(rng: np.random.Generator, tasks: int = 100, shots: int = 10, queries: int = 20) -> Drawn:
    """Sinusoids, see `ml.tasks.sinusoids`: support sets [T, shots, 1], targets [T, queries, 1]."""
    return ml.tasks.gather_tasks(ml.tasks.sinusoids(shots, queries, seed=seed_from(rng)), tasks)


def planes(rng: np.random.Generator, tasks: int = 100, shots: int = 10, queries: int = 20) -> Drawn:
    """Two classes on both sides of a line, see `ml.tasks.linear_classification`: labels [T, queries]."""
    return ml.tasks.gather_tasks(ml.tasks.linear_classification(shots, queries, seed=seed_from(rng)), tasks)


def glyphs(rng: np.random.Generator, ways: int, shots: int, queries: int, tasks: int = 100) -> Drawn:
    """Glyphs of scripts that no training has seen: images [T, ways * shots, 14, 14, 1], labels [T, ways * queries]."""
    test = ml.images.glyph_splits(drawers=10, size=14)[2]
    return ml.tasks.gather_tasks(ml.tasks.episodes(test, ways, shots, queries, seed=seed_from(rng)), tasks)


def noisy_classes(rng: np.random.Generator, tasks: int, shots: int, queries: int, shuffled: bool) -> Drawn:
    """Three classes that differ in two of eight features; the noise in the six others is larger.

    Args:
        rng: draws them.
        tasks: number T of tasks.
        shots: examples of each class in a support set.
        queries: queries of each class.
        shuffled: whether each task has classes and names of its own; else all have the same ones.

    Returns:
        Support sets x [T, 3 * shots, 8] with labels, queries, and their labels [T, 3 * queries].
    """
    ways, features = 3, 8
    centres = 2 * rng.normal(size=(tasks, ways, 1, 2))
    if not shuffled:
        corners = 3 * np.array([[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]])
        centres = corners[None, :, None] + 0.1 * centres
    x = rng.normal(size=(tasks, ways, shots + queries, features)) * np.array([0.5] * 2 + [2.0] * 6)
    x[..., :2] += centres
    order, query_order = rng.permutation(ways * shots), rng.permutation(ways * queries)
    support, query = (
        part.reshape(tasks, -1, features)[:, at].astype("float32")
        for part, at in ((x[:, :, :shots], order), (x[:, :, shots:], query_order))
    )
    names = np.stack([rng.permutation(ways) if shuffled else np.arange(ways) for _ in range(tasks)]).astype("int32")
    labels, query_labels = (np.repeat(np.arange(ways), n)[at] for n, at in ((shots, order), (queries, query_order)))
    return {"support_x": support, "support_y": names[:, labels], "query_x": query}, names[:, query_labels]
