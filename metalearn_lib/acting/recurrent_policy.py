"""RL²: a recurrent network whose state is what it has learned about a task (Duan et al. 2016; Wang et al. 2016)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from metalearn_lib.acting.environments import Environments
from metalearn_lib.core.checks import at_least, instances, number_in
from metalearn_lib.tasks.stream import split_seed


class RecurrentPolicy(keras.Model):
    """A player that learns in its state: weights stay as they are while it finds out what a task is.

    A recurrent network sees the observation, its last action and the reward for it, and gives the logits of the next
    action. `fit` raises the rewards of whole trials by the policy gradient (Williams 1992): to be rewarded late in a
    trial it has to find out early. What a return is compared with is the mean of several trials in the same task (Kool
    et al. 2019), which takes out how good or bad the task is. Compile it without a loss.

    Args:
        environments: the family it acts in.
        units: of the recurrent state.
        trials: number of trials in each task, at least 2.
        discount: γ, what a reward is worth a step earlier.
        entropy: weight of the entropy of its choices, which keeps them open at first; falls to 0 at `entropy_steps`.
        entropy_steps: number of training steps.

    Raises:
        TypeError: if `environments` are none.
        ValueError: if a number is too small, or the discount is not in (0, 1].
    """

    def __init__(
        self,
        environments: Environments,
        units: int = 32,
        trials: int = 8,
        discount: float = 0.9,
        entropy: float = 0.1,
        entropy_steps: int = 500,
        **kwargs: Any,
    ) -> None:
        instances(Environments, "a family of environments", environments=environments)
        at_least(1, units=units, entropy_steps=entropy_steps)
        at_least(2, trials=trials)
        number_in("(0, 1]", discount=discount)
        number_in("[0, inf)", entropy=entropy)
        super().__init__(**kwargs)
        self.environments, self.units, self.trials = environments, units, trials
        self.entropy, self.entropy_steps = entropy, entropy_steps
        step = np.arange(environments.steps)
        self._returns = np.triu(discount ** np.maximum(step - step[:, None], 0)).astype("float32")
        self.cell, self.head = keras.layers.GRUCell(units), keras.layers.Dense(environments.actions)
        self.cell.build((None, environments.observations + environments.actions + 1))
        self.head.build((None, units))
        self.built = True

    def call(self, tasks: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The rewards [T, n] of a trial in each task, with sampled actions."""
        return self._trials(tasks, tf.constant([0, 0]))[2]

    def fit(self, tasks: tf.data.Dataset, **kwargs: Any) -> keras.callbacks.History:
        """`keras.Model.fit` on a stream of tasks, see `Environments.stream`.

        Raises:
            TypeError: if `tasks` are no stream.
        """
        instances(tf.data.Dataset, "a stream of tasks", tasks=tasks)
        return super().fit(tasks, shuffle=False, **kwargs)  # the stream is in random order, and Keras would warn

    def train_step(self, tasks: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of the policy gradient; `reward` is the mean reward of a step."""
        copies = tf.repeat(tasks, self.trials, axis=0)
        iteration = tf.cast(self.optimizer.iterations, tf.int32)
        with tf.GradientTape() as tape:
            logits, actions, rewards = self._trials(copies, tf.stack([1, iteration]))
            returns = tf.reshape(rewards @ self._returns.T, [-1, self.trials, self.environments.steps])
            advantage = returns - tf.reduce_mean(returns, axis=1, keepdims=True)
            advantage = tf.reshape(advantage / (tf.math.reduce_std(advantage) + 1e-6), tf.shape(rewards))
            log_p = tf.nn.log_softmax(logits)
            chosen = tf.gather(log_p, actions, batch_dims=2)
            entropy = -tf.reduce_sum(tf.exp(log_p) * log_p, axis=-1)
            left = tf.maximum(1 - tf.cast(iteration, tf.float32) / self.entropy_steps, 0)
            loss = -tf.reduce_mean(chosen * advantage + self.entropy * left * entropy)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"reward": tf.reduce_mean(rewards)}

    # As a player, see `metalearn_lib.acting.policies.Policy`.

    def start(self, tasks: np.ndarray) -> tf.Tensor:
        """The empty state [T, units]."""
        return tf.zeros([len(tasks), self.units])

    def choose(
        self, memory: tf.Tensor, state: np.ndarray, action: np.ndarray, reward: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, tf.Tensor]:
        """The action [T] with the highest logit, and the new state; see `Policy.choose`."""
        logits, memory = self._logits(memory, tf.constant(state), tf.constant(action, tf.int32), tf.constant(reward))
        return logits.numpy().argmax(axis=-1), memory

    def _logits(self, memory: tf.Tensor, state: tf.Tensor, action: tf.Tensor, reward: tf.Tensor):
        seen = tf.one_hot(state, self.environments.observations), tf.one_hot(action, self.environments.actions)
        # Before the first step there is neither an action nor a reward: all zeros.
        paid = tf.where(action < 0, 0.0, 2 * reward - 1)
        memory, _ = self.cell(tf.concat([*seen, paid[:, None]], axis=-1), [memory])
        return self.head(memory), memory

    def _trials(self, tasks: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Logits [T, n, A], actions [T, n] and rewards [T, n] of trials with sampled actions."""
        number, steps = tf.shape(tasks)[0], self.environments.steps
        for_luck, for_choices = split_seed(tf.cast(seed, tf.int64), 2)
        luck = tf.random.stateless_uniform(tf.stack([steps, number]), for_luck)
        shape = tf.stack([steps, number, self.environments.actions])
        uniform = tf.random.stateless_uniform(shape, for_choices, 1e-9, 1.0)
        gumbel = -tf.math.log(-tf.math.log(uniform))

        def step(before: tuple, luck_and_gumbel: tuple) -> tuple:
            memory, state, action, reward, _ = before
            luck, gumbel = luck_and_gumbel
            logits, memory = self._logits(memory, state, action, reward)
            action = tf.argmax(logits + gumbel, axis=-1, output_type=tf.int32)
            state, reward = self.environments.step(tasks, state, action, luck)
            return memory, state, action, reward, logits

        nothing = tf.zeros([number])
        before = (
            tf.zeros([number, self.units]),
            self.environments.start(tasks),
            tf.fill([number], -1),
            nothing,
            tf.zeros([number, self.environments.actions]),
        )
        _, _, actions, rewards, logits = tf.scan(step, (luck, gumbel), before)
        return tf.transpose(logits, [1, 0, 2]), tf.transpose(actions), tf.transpose(rewards)
