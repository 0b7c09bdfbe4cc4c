"""Players against formulas, and what they must reach."""

import numpy as np
import pytest
from scipy import stats

import metalearn_lib as ml

COUNTS = np.array([[[3.0, 1.0], [0.0, 2.0], [5.0, 5.0]]])


def test_the_upper_bound_by_hand():
    # 16 pulls; 3/4 + √(2 ln 16 / 4), 0/2 + √(2 ln 16 / 2), 5/10 + √(2 ln 16 / 10)
    index = ml.acting.UpperBound(3).index(COUNTS[..., 0], COUNTS[..., 1], np.random.default_rng())
    np.testing.assert_allclose(index, [[1.927410, 1.665109, 1.244659]], atol=1e-6)


def test_the_upper_bound_pulls_every_arm_once_first():
    bandits = ml.acting.Bandits(5, steps=5)
    actions = ml.acting.roll_out(bandits, ml.acting.UpperBound(5), bandits.sample(50)).actions
    np.testing.assert_array_equal(np.sort(actions, axis=1), np.tile(np.arange(5), (50, 1)))


def test_the_posterior_mean_by_hand():
    index = ml.acting.PosteriorMean(3).index(COUNTS[..., 0], COUNTS[..., 1], np.random.default_rng())
    np.testing.assert_allclose(index, [[4 / 6, 1 / 4, 6 / 12]])


def test_thompson_draws_from_the_posterior():
    """Kolmogorov–Smirnov against Beta(1 + s, 1 + f)."""
    many = np.repeat(COUNTS, 4_000, axis=0)
    index = ml.acting.Thompson(3).index(many[..., 0], many[..., 1], np.random.default_rng(0))
    for arm, (s, f) in enumerate(COUNTS[0]):
        assert stats.kstest(index[:, arm], stats.beta(1 + s, 1 + f).cdf).pvalue > 0.01


def test_counting_counts():
    """Arm 0 always pays, arm 1 never: after ten pulls the counts are known."""
    player = ml.acting.PosteriorMean(2)
    memory, rng = player.start(np.array([[1.0, 0.0]])), np.random.default_rng(0)
    action, reward = np.array([-1]), np.array([0.0])
    for _ in range(10):
        action, memory = player.choose(memory, np.array([0]), action, reward, rng)
        reward = np.array([1.0]) if action[0] == 0 else np.array([0.0])
    (successes, _), (_, failures) = memory[0]
    assert successes + failures == 9 and memory[0, 0, 1] == memory[0, 1, 0] == 0
    assert failures <= 1  # after one failure arm 1 is worth 1/3, and arm 0 at least 1/2


def test_equal_arms_are_chosen_by_chance():
    bandits = ml.acting.Bandits(4, steps=1)
    actions = ml.acting.roll_out(bandits, ml.acting.PosteriorMean(4), bandits.sample(4_000)).actions[:, 0]
    assert abs(np.bincount(actions, minlength=4) - 1_000).max() < 150


def test_regret_of_the_oracle_is_zero_and_that_of_chance_is_known():
    """The best of K uniform numbers is K/(K + 1) in the mean, any of them 1/2."""
    bandits = ml.acting.Bandits(4, steps=10)
    tasks = bandits.sample(4_000)
    assert bandits.regret(tasks, ml.acting.roll_out(bandits, ml.acting.OraclePolicy(bandits), tasks).actions).max() == 0
    chance = bandits.regret(tasks, ml.acting.roll_out(bandits, ml.acting.RandomPolicy(4), tasks).actions)[:, -1]
    assert abs(chance.mean() - 10 * (4 / 5 - 1 / 2)) < 4 * chance.std() / np.sqrt(len(chance))


def test_same_seed_same_luck():
    bandits = ml.acting.Bandits(2)
    tasks = np.tile([[0.5, 0.5]], (20, 1)).astype("float32")
    one, two = (ml.acting.roll_out(bandits, ml.acting.RandomPolicy(2), tasks, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.rewards, two.rewards)
    # Both arms pay alike, so what is paid is luck alone: whoever plays.
    np.testing.assert_array_equal(
        one.rewards, ml.acting.roll_out(bandits, ml.acting.Thompson(2), tasks, seed=5).rewards
    )
    assert (one.rewards != ml.acting.roll_out(bandits, ml.acting.RandomPolicy(2), tasks, seed=6).rewards).any()


def test_ways_through_the_maze():
    """Each corner is 4 moves from the start and 6 (8 through the middle, for the opposite one) from the next."""
    mazes = ml.acting.Mazes(steps=40)
    np.testing.assert_array_equal(
        ml.acting.roll_out(mazes, ml.acting.OraclePolicy(mazes), mazes.goals).rewards.sum(axis=1), [10, 10, 10, 10]
    )
    trial = ml.acting.roll_out(mazes, ml.acting.FixedTour(mazes), mazes.goals)
    found = [4 - 1]
    for here, there in zip(mazes.goals, mazes.goals[1:], strict=False):
        found.append(found[-1] + int(mazes.distances(there)[here]))
    np.testing.assert_array_equal(trial.rewards.argmax(axis=1), found)
    expected = [1 + (40 - (first + 1)) // 4 for first in found]
    np.testing.assert_array_equal(trial.rewards.sum(axis=1), expected)


@pytest.mark.parametrize("name", ["states", "actions", "rewards"])
def test_shapes(name):
    mazes = ml.acting.Mazes(steps=7)
    assert getattr(ml.acting.roll_out(mazes, ml.acting.RandomPolicy(4), mazes.sample(3)), name).shape == (3, 7)
