"""RL²: its gradient against the exact one of every possible trial, and that it learns to explore."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml


def expected_return(policy: ml.acting.RecurrentPolicy, tasks: np.ndarray) -> tf.Tensor:
    """Over all actions and rewards of trials of two pulls: a sum of probability times rewards, by enumeration."""
    total = 0.0
    for actions in itertools.product(range(2), repeat=2):
        for rewards in itertools.product((0.0, 1.0), repeat=2):
            probability, memory = 1.0, policy.start(tasks)
            action, reward = np.full(len(tasks), -1), np.zeros(len(tasks), "float32")
            for a, r in zip(actions, rewards, strict=True):
                arguments = tf.zeros(len(tasks), tf.int32), tf.constant(action, tf.int32), tf.constant(reward)
                logits, memory = policy._logits(memory, *arguments)
                pays = tasks[:, a] if r else 1 - tasks[:, a]
                probability *= tf.nn.softmax(logits)[:, a] * pays
                action, reward = np.full(len(tasks), a), np.full(len(tasks), r, "float32")
            total += probability * sum(rewards)
    return tf.reduce_mean(total)


def test_the_policy_gradient_points_along_the_exact_one():
    """γ = 1 and no entropy: the sampled gradient is the exact one up to a factor (the returns are standardised)."""
    keras.utils.set_random_seed(0)
    policy = ml.acting.RecurrentPolicy(ml.acting.Bandits(2, steps=2), units=4, trials=4, discount=1.0, entropy=0.0)
    policy.head.set_weights([3 * w for w in policy.head.get_weights()])  # away from indifference
    tasks = np.array([[0.9, 0.1], [0.3, 0.6]], "float32")
    with tf.GradientTape() as tape:
        value = expected_return(policy, tasks)
    exact = np.concatenate([np.ravel(g) for g in tape.gradient(value, policy.trainable_variables)])
    policy.compile(keras.optimizers.SGD(1.0))
    before = [w.numpy() for w in policy.trainable_variables]
    policy.train_step(tf.constant(np.tile(tasks, (20_000, 1))))
    sampled = np.concatenate([np.ravel(w - b) for w, b in zip(policy.trainable_variables, before, strict=True)])
    cosine = sampled @ exact / np.linalg.norm(sampled) / np.linalg.norm(exact)
    assert cosine > 0.99


def test_the_return_of_a_step_is_the_discounted_sum_of_what_follows():
    policy = ml.acting.RecurrentPolicy(ml.acting.Bandits(2, steps=3), discount=0.5)
    np.testing.assert_allclose(np.array([[1.0, 0.0, 4.0]]) @ policy._returns.T, [[1 + 0 + 1, 0 + 2, 4]])


def trained(steps: int = 200) -> ml.acting.RecurrentPolicy:
    bandits = ml.acting.Bandits(3, steps=10)
    keras.utils.set_random_seed(0)
    policy = ml.acting.RecurrentPolicy(bandits, units=16, entropy_steps=steps)
    rate = keras.optimizers.schedules.CosineDecay(0.01, steps)
    policy.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), steps_per_execution=50)
    policy.fit(bandits.stream(16), steps_per_epoch=steps, verbose=0)
    return policy


@pytest.mark.slow
def test_it_learns_to_explore_and_learns_in_its_state():
    """Below Thompson's regret, and not far above the greedy player's, which knows the prior; blind, it is lost."""
    policy = trained()
    bandits = policy.environments
    tasks = bandits.sample(600, seed=1)

    def regret(player) -> ml.Score:
        return ml.Score(bandits.regret(tasks, ml.acting.roll_out(bandits, player, tasks).actions)[:, -1], "regret")

    scores = {
        name: regret(p)
        for name, p in {"RL²": policy, "T": ml.acting.Thompson(3), "greedy": ml.acting.PosteriorMean(3)}.items()
    }
    assert (scores["RL²"] - scores["T"]).high < 0
    assert scores["RL²"].high < 1.3 * scores["greedy"].mean
    choose = policy.choose
    policy.choose = lambda memory, state, action, reward, rng: choose(memory, state, action, 0 * reward, rng)
    assert regret(policy).low > 0.5 * regret(ml.acting.RandomPolicy(3)).mean


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights():
    for one, two in zip(trained(50).weights, trained(50).weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_training_sees_the_logits_that_playing_sees():
    """The trials of training, step by step through `_logits` with the actions and rewards that came."""
    policy = ml.acting.RecurrentPolicy(ml.acting.Bandits(3, steps=4), units=5)
    tasks = policy.environments.sample(6)
    logits, actions, rewards = policy._trials(tf.constant(tasks), tf.constant([1, 7]))
    memory, action, reward = policy.start(tasks), tf.fill([6], -1), tf.zeros([6])
    for step in range(4):
        seen, memory = policy._logits(memory, tf.zeros([6], tf.int32), action, reward)
        np.testing.assert_allclose(logits[:, step], seen, atol=1e-6)
        action, reward = actions[:, step], rewards[:, step]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"units": 0}, "^units is 0, expected a whole number of at least 1$"),
        ({"trials": 1}, "^trials is 1, expected a whole number of at least 2$"),
        ({"discount": 0}, r"^discount is 0, expected a number in \(0, 1\]$"),
    ],
)
def test_what_does_not_fit_is_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        ml.acting.RecurrentPolicy(ml.acting.Bandits(), **settings)
