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
