"""Families of environments behind Gymnasium's interface."""

from typing import Any

import numpy as np
import tensorflow as tf

from metalearn_lib.acting.environments import Environments
from metalearn_lib.core.extras import import_extra

gymnasium = import_extra("gymnasium", "acting")


class GymEnvironment(gymnasium.Env):
    """A family as a Gymnasium environment: `reset` draws a task, and an episode is one trial in it.

    Args:
        environments: the family.
    """

    def __init__(self, environments: Environments) -> None:
        self.environments = environments
        self.action_space = gymnasium.spaces.Discrete(environments.actions)
        self.observation_space = gymnasium.spaces.Discrete(environments.observations)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """The first observation of a trial, in the task `options["task"]` or one that is drawn."""
        super().reset(seed=seed)
        given = (options or {}).get("task")
        drawn = self.environments.draw(self.np_random.integers(2**31, size=2), 1)
        self._tasks = drawn if given is None else tf.convert_to_tensor(np.asarray(given)[None])
        self._state, self._steps = self.environments.start(self._tasks), 0
        return int(self._state[0]), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Observation, reward, False, whether the trial is over, and no further information."""
        luck = tf.constant([self.np_random.random()], tf.float32)
        taken = tf.constant([action], tf.int32)
        self._state, reward = self.environments.step(self._tasks, self._state, taken, luck)
        self._steps += 1
        return int(self._state[0]), float(reward[0]), False, self._steps >= self.environments.steps, {}
