"""Bandits and mazes by hand, and Gymnasium's own check of the interface."""

import numpy as np
import pytest
import tensorflow as tf
from gymnasium.utils.env_checker import check_env

import metalearn_lib as ml


def test_an_arm_pays_where_luck_is_below_its_probability():
    tasks = tf.constant([[0.2, 0.9], [0.2, 0.9]])
    state, reward = ml.acting.Bandits(2).step(
        tasks, tf.zeros(2, tf.int32), tf.constant([0, 1]), tf.constant([0.3, 0.3])
    )
    np.testing.assert_array_equal(state, [0, 0])
    np.testing.assert_array_equal(reward, [0, 1])


def test_regret_by_hand():
    # The best arm pays 0.9: arm 0 loses 0.7 and arm 1 nothing.
    regret = ml.acting.Bandits(2).regret(np.array([[0.2, 0.9]]), np.array([[0, 1, 0]]))
    np.testing.assert_allclose(regret, [[0.7, 0.7, 1.4]])


def test_tasks_follow_from_the_seed():
    for family in (ml.acting.Bandits(), ml.acting.Mazes()):
        np.testing.assert_array_equal(family.sample(50, seed=3), family.sample(50, seed=3))
        assert (family.sample(50, seed=3) != family.sample(50, seed=4)).any()
    assert ml.acting.Bandits().sample(5_000).mean() == pytest.approx(0.5, abs=0.01)
    _, counts = np.unique(ml.acting.Mazes().sample(4_000), return_counts=True)
    assert len(counts) == 4 and abs(counts - 1_000).max() < 150


CORRIDOR = """
S.#
#.G
"""


def test_moves_walls_and_the_way_back():
    """From S right, down, then right onto the goal, which leads back; walls and the border stop a move."""
    mazes, goal = ml.acting.Mazes(CORRIDOR), tf.constant([5])
    state, visited, rewards = mazes.start(goal), [], []
    for action in (0, 3, 2, 1, 1, 2, 1):
        state, reward = mazes.step(goal, state, tf.constant([action]), tf.constant([0.0]))
        visited.append(int(state[0]))
        rewards.append(float(reward[0]))
    assert visited == [0, 0, 0, 1, 1, 4, 0]
    assert rewards == [0, 0, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(mazes.distances(5), [3, 2, np.inf, np.inf, 1, 0])


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("S.\n.", r"^drawing has rows of \[2, 1\] characters, expected equal ones$"),
        ("..\nG.", "^drawing has 0 S and 1 G, expected one S and some G$"),
        ("S.\n..", "^drawing has 1 S and 0 G, expected one S and some G$"),
    ],
)
def test_drawings_that_are_no_maze(drawing, sentence):
    with pytest.raises(ValueError, match=sentence):
        ml.acting.Mazes(drawing)


@pytest.mark.parametrize("family", [ml.acting.Bandits(steps=5), ml.acting.Mazes(steps=5)], ids=["bandits", "mazes"])
def test_gymnasium_accepts_it(family):
    env = ml.acting.GymEnvironment(family)
    check_env(env, skip_render_check=True)
    env.reset(seed=0)
    assert [env.step(0)[3] for _ in range(5)] == [False] * 4 + [True]


def test_gymnasium_plays_the_task_that_is_given():
    env = ml.acting.GymEnvironment(ml.acting.Bandits(3, steps=20))
    env.reset(seed=0, options={"task": np.array([0.0, 1.0, 0.0], np.float32)})
    assert [env.step(action)[1] for action in (0, 1, 2, 1)] == [0, 1, 0, 1]
    env = ml.acting.GymEnvironment(ml.acting.Mazes())
    goals = {int(env.reset(seed=seed)[0]) for seed in range(3)}
    assert goals == {12}  # the observation is the start, not the goal
