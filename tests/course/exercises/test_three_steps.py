"""Chapter 3: answers proved in another way, and mistakes as somebody else would write them."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import metalearn_lib as ml
from metalearn_course.exercises.chapters.three_steps import chapter


def test_recall_from_scratch_is_the_memorys_own() -> None:
    """With the frequencies of the library's embedding (a seed's, divided by x_scale) both give the same."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-5, 5, (9, 10))
    y = rng.uniform(0.1, 5, (9, 1)) * np.sin(x - rng.uniform(0, np.pi, (9, 1)))
    memory = ml.Memory(x_scale=1.7)
    memory.store_many([np.zeros((8, 1))], x[:8, :, None], y[:8, :, None])
    indices, distances = memory.recall_many(x[8:, :, None], y[8:, :, None], k=8)
    embedding = ml.memory.TaskEmbedding.of(1.7)
    frequencies = np.random.default_rng(embedding.seed).standard_normal(embedding.features // 2) / 1.7
    nearest, ours = chapter.recall.answer(x[:8], y[:8], x[8], y[8], frequencies)
    assert nearest == indices[0, 0]
    np.testing.assert_allclose(np.array(ours)[indices[0]], distances[0], rtol=1e-4)


def test_the_entry_outside_of_the_family_by_search() -> None:
    """Every entry of a fine grid of amplitudes and phases, compared as functions over a whole period."""
    x = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    a, phi = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 5, 501), np.linspace(0, np.pi, 181)))
    y = 4 * np.sin(x - 5 * np.pi / 4)
    inner = (np.cos(phi) * (np.sin(x) @ y) - np.sin(phi) * (np.cos(x) @ y)) * (2 * np.pi / 200)
    # ‖A sin(x − φ) − y‖² = A² π − 2A ⟨sin(x − φ), y⟩ + ‖y‖²: no table of all curves is needed
    best = (a**2 * np.pi - 2 * a * inner).argmin()
    assert chapter.outside_the_family.check([a[best], phi[best]]).kind == "pass"


def test_the_three_networks_by_running_them() -> None:
    def network(u, v):
        return float(np.maximum(np.array(u) * 3.0, 0) @ np.array(v))

    first, second = ((1, 3), (2, 0)), ((3, 1), (0, 2))
    assert (
        chapter.mean_of_two_networks.check(
            [network(*first), network(*second), network(*np.mean([first, second], axis=0))]
        ).kind
        == "pass"
    )


def pairwise(xs, ys, new_x, new_y, f):
    apart = cdist(ys, new_y[None])[:, 0]
    return apart.argmin(), apart


def least_norm(xs, ys, new_x, new_y, f):
    def fit(x, y):
        waves = np.concatenate([np.cos(x[:, None] * f), np.sin(x[:, None] * f)], axis=1) / len(f) ** 0.5
        return np.linalg.lstsq(waves, y, rcond=None)[0]

    apart = [np.linalg.norm(fit(x, y) - fit(new_x, new_y)) for x, y in zip(xs, ys, strict=True)]
    return np.argmin(apart), apart


def slope(loss, at):
    return np.array([(loss(at + e) - loss(at - e)) / 2e-5 for e in 1e-5 * np.eye(2)])


def summed(thetas, distances, k, x, y, alpha):
    near = [theta for _, theta in sorted(zip(distances.tolist(), thetas.tolist(), strict=True))[:k]]
    start = np.mean(near, axis=0)
    return start - alpha * slope(lambda t: ((t[0] + t[1] * x - y) ** 2).sum(), start)


def by_id(make):
    store, recall = make()
    theta = [np.zeros(2), np.zeros((2, 2))]
    store(theta)
    return bool({id(w) for w in theta} & {id(w) for w in recall(0)})


def two_tasks_the_second_again(start):
    x = np.array([-1.0, 0.0, 1.0, 2.0])
    ys = np.array([5 - 3 * x, 4 * x - 5])
    t0, t1 = start(np.array([x, x]), ys, x, ys[1])
    return np.mean((t0 + t1 * x - ys[1]) ** 2) > 1.0


FOREIGN = [
    (chapter.recall, pairwise, "point_by_point"),
    (chapter.recall, least_norm, "no_ridge"),
    (chapter.transferred, summed, "summed_loss"),
    (chapter.shares, by_id, "the_same_object"),
    (chapter.outside_the_family, (4, 3.14), "phase clipped"),
    (chapter.mean_of_two_networks, [6, 6.0, 6], "mean of predictions"),
    (chapter.no_memory, two_tasks_the_second_again, "only_the_last_comes_back"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), FOREIGN)
def test_it_is_recognised(exercise, answer, mistake: str) -> None:
    verdict = exercise.check(answer)
    assert verdict.mistake == mistake, verdict
