"""Distances between task embeddings are distances between the functions that the support sets show."""

import numpy as np
import pytest

import metalearn_lib as ml


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a.astype(np.float64) - b) ** 2).sum((-2, -1)))


def sinusoids(rng: np.random.Generator, tasks: int, examples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and the functions on a grid; amplitude, phase and x as in Finn et al. 2017."""
    amplitude, phase = rng.uniform(0.1, 5, (tasks, 1, 1)), rng.uniform(0, np.pi, (tasks, 1, 1))
    x = rng.uniform(-5, 5, (tasks, examples, 1))
    grid = np.linspace(-5, 5, 101)[:, None]
    return x, amplitude * np.sin(x - phase), amplitude * np.sin(grid - phase)


def half_planes(rng: np.random.Generator, tasks: int, examples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x in the square [−1, 1]², labels of a random half-plane, and the labels on a grid."""
    angle, offset = rng.uniform(0, 2 * np.pi, (tasks, 1)), rng.uniform(-0.5, 0.5, (tasks, 1))
    x = rng.uniform(-1, 1, (tasks, examples, 2))
    grid = np.stack(np.meshgrid(*2 * [np.linspace(-1, 1, 21)]), -1).reshape(1, -1, 2)

    def label(points: np.ndarray) -> np.ndarray:
        return (points[..., 0] * np.cos(angle) + points[..., 1] * np.sin(angle) > offset).astype(np.int32)

    return x, label(x), label(grid)


def test_one_example_by_hand():
    # S = 1: K = 1, so α = y / (1 + λ), and ‖f‖² = α² k(x, x) = α². With λ = 0.1 and y = 3.3: ‖f‖ = 3.
    # Two tasks with the same x differ by |y − y'| / 1.1: here (3.3 − 1.1) / 1.1 = 2.
    embed = ml.memory.TaskEmbedding(x_scale=1.0, ridge=0.1)
    first, second = embed(np.full((2, 1, 3), 0.7), np.array([[[3.3]], [[1.1]]]))
    np.testing.assert_allclose(distance(first, np.zeros_like(first)), 3, rtol=1e-6)
    np.testing.assert_allclose(distance(first, second), 2, rtol=1e-6)


def exact_distance(x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray, scale: float, ridge: float) -> float:
    """‖f − g‖ with f = Σ αᵢ k(·, xᵢ), g = Σ βⱼ k(·, x'ⱼ): ‖f − g‖² = αᵀKα − 2 αᵀK'β + βᵀK''β."""

    def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * scale**2))

    alpha = np.linalg.solve(k(x1, x1) + ridge * np.eye(len(x1)), y1)
    beta = np.linalg.solve(k(x2, x2) + ridge * np.eye(len(x2)), y2)
    square = (alpha * (k(x1, x1) @ alpha)).sum() + (beta * (k(x2, x2) @ beta)).sum()
    return float(np.sqrt(square - 2 * (alpha * (k(x1, x2) @ beta)).sum()))


def test_distances_converge_to_the_exact_kernel_as_features_grow():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 8, 2)), rng.normal(size=(20, 8, 3))
    exact = np.array([exact_distance(x[i], y[i], x[i + 1], y[i + 1], 1.2, 0.1) for i in range(19)])
    errors = []
    for features in (64, 1_024, 16_384):
        drawn = [
            ml.memory.TaskEmbedding(x_scale=1.2, features=features, ridge=0.1, seed=seed)(x, y) for seed in range(8)
        ]
        errors.append(np.mean([np.abs(distance(e[1:], e[:-1]) / exact - 1).mean() for e in drawn]))
    # Sixteen times the features, a quarter of the error; twice that is allowed for chance.
    assert errors[1] < errors[0] / 2 and errors[2] < errors[1] / 2 and errors[2] < 0.02


def test_many_examples_and_few_features_give_the_same_weights():
    # With S > F the primal equations are solved; (ΦᵀΦ + λI)⁻¹Φᵀ = Φᵀ(ΦΦᵀ + λI)⁻¹.
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(1, 40, 2)), rng.normal(size=(1, 40, 1))
    embed = ml.memory.TaskEmbedding(x_scale=0.8, features=16)
    phi = embed.map(x[0])
    dual = phi.T @ np.linalg.solve(phi @ phi.T + 0.1 * np.eye(40), y[0])
    np.testing.assert_allclose(embed(x, y)[0].T, dual, atol=1e-5)


def test_the_order_of_examples_and_a_common_shift_of_x_do_not_matter():
    rng = np.random.default_rng(2)
    x, y, _ = sinusoids(rng, 6, 10)
    embed = ml.memory.TaskEmbedding(x_scale=1.5)
    order = rng.permutation(10)
    np.testing.assert_allclose(embed(x[:, order], y[:, order]), embed(x, y), atol=1e-6)
    shifted, here = embed(x + 17.0, y), embed(x, y)  # a shift turns each pair (cos, sin) by one angle
    np.testing.assert_allclose(distance(shifted[1:], shifted[:-1]), distance(here[1:], here[:-1]), rtol=1e-5)


def test_units_of_x_cancel_against_x_scale_and_each_feature_may_have_its_own():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(4, 6, 2)), rng.normal(size=(4, 6, 1))
    units = np.array([1e-3, 1e4])
    expected = ml.memory.TaskEmbedding.of(2.0)(x, y)
    np.testing.assert_allclose(ml.memory.TaskEmbedding.of(2.0 * units)(x * units, y), expected, atol=1e-6)


def test_labels_are_one_hot_and_a_class_never_seen_weighs_nothing():
    embed = ml.memory.TaskEmbedding(x_scale=1.0)
    x = np.random.default_rng(4).normal(size=(1, 4, 2))
    labels = np.array([[0, 1, 0, 1]])
    two = embed(x, labels)
    np.testing.assert_allclose(two, embed(x, np.eye(2)[labels]), atol=1e-7)
    np.testing.assert_allclose(embed(x, np.eye(3)[labels])[:, 2], 0, atol=1e-7)
    assert embed(x, labels + 1).shape[1] == 3


def test_a_support_set_has_the_same_embedding_alone_and_in_a_batch():
    x, y, _ = sinusoids(np.random.default_rng(5), 3_000, 5)
    embed = ml.memory.TaskEmbedding(x_scale=1.5)
    together = embed(x, y)
    for i in (0, 1, 2_047, 2_048, 2_999):
        np.testing.assert_allclose(embed(x[i : i + 1], y[i : i + 1])[0], together[i], rtol=1e-6, atol=1e-7)


def test_median_scale():
    # Distances 2, 6, 4: median 4, half of it 2.
    assert ml.memory.median_scale(np.array([[0.0], [2.0], [6.0]])) == pytest.approx(2)
    assert ml.memory.median_scale(np.ones((1, 2))) == ml.memory.median_scale(np.ones((5, 2))) == 1.0


def test_the_random_features_are_those_of_earlier_memories():
    # A memory on disk keeps the seed only. Were NumPy to draw other numbers from it, this would tell.
    embedded = ml.memory.TaskEmbedding(x_scale=1.0)(np.array([[[0.5, -1.0]]]), np.array([[[1.0]]]))
    np.testing.assert_allclose(embedded[0, 0, [0, 1, 64, 65]], [0.1096367, 0.1115369, -0.0298835, 0.0217424], atol=1e-6)


@pytest.mark.parametrize("family, share", [(sinusoids, 0.1), (half_planes, 0.5)])
def test_the_nearest_of_1000_tasks_is_near_as_a_function(family, share):
    rng = np.random.default_rng(6)
    x, y, functions = family(rng, 1_300, 10)
    embed = ml.memory.TaskEmbedding.of(ml.memory.median_scale(x[0]))
    flat = embed(x, y).reshape(1_300, -1).astype(np.float64)
    stored, asked = slice(0, 1_000), slice(1_000, 1_300)
    squares = ((flat[asked, None] - flat[None, stored]) ** 2).sum(-1)
    axes = tuple(range(1, functions.ndim))
    recalled = ((functions[stored][squares.argmin(1)] - functions[asked]) ** 2).mean(axes)
    at_random = ((functions[:300] - functions[asked]) ** 2).mean(axes)

    def margin(errors: np.ndarray) -> float:
        return 1.96 * errors.std() / np.sqrt(len(errors))

    assert recalled.mean() + margin(recalled) < share * (at_random.mean() - margin(at_random))


@pytest.mark.parametrize("x_scale", [0.0, -1.0, np.nan, np.inf, [], [[1.0]]])
def test_a_scale_must_be_a_length(x_scale):
    with pytest.raises(ValueError, match=r"x_scale is .* expected a positive length"):
        ml.memory.TaskEmbedding.of(x_scale)


def test_numbers_out_of_proportion_are_refused():
    ones = np.ones((1, 2, 2))
    with pytest.raises(ValueError, match="x_scale has 3 lengths but examples of support_x have 2 features"):
        ml.memory.TaskEmbedding.of([1, 1, 1])(ones, ones)
    with pytest.raises(ValueError, match=r"support_y ±1e\+300, expected numbers that float32 can square"):
        ml.memory.TaskEmbedding.of(1)(ones, 1e300 * ones)
