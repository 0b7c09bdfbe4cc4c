"""Families of environments behind Gymnasium's interface."""

from typing import Any

import tensorflow as tf

from metalearn_lib.acting.environments import Environments
from metalearn_lib.core.checks import instances, numbers, seeds, whole_in
from metalearn_lib.core.extras import import_extra

gymnasium = import_extra("gymnasium", "acting")


class GymEnvironment(gymnasium.Env):
    """A family as a Gymnasium environment: `reset` draws a task, and an episode is one trial in it.

    Args:
        environments: the family.

    Raises:
        TypeError: if `environments` are none.
    """

    def __init__(self, environments: Environments) -> None:
        instances(Environments, "a family of environments", environments=environments)
        self.environments = environments
        self.action_space = gymnasium.spaces.Discrete(environments.actions)
        self.observation_space = gymnasium.spaces.Discrete(environments.observations)
        self._tasks: tf.Tensor | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """The first observation of a trial, in the task `options["task"]` or one that is drawn.

        Raises:
            TypeError: if `options` is no dictionary, or its task no numbers.
            ValueError: if `seed` is no seed, or the task has another shape.
        """
        if seed is not None:
            seeds(seed=seed)
        if options is not None:
            instances(dict, "a dictionary", options=options)
        given = (options or {}).get("task")
        if given is not None:
            given = numbers("options['task']", given)
        super().reset(seed=seed)
        drawn = self.environments.draw(tf.constant(self.np_random.integers(2**31, size=2)), 1)
        if given is not None and given.shape != tuple(drawn.shape[1:]):
            raise ValueError(f"options['task'] has shape {given.shape}, expected {tuple(drawn.shape[1:])}")
        self._tasks = drawn if given is None else tf.convert_to_tensor(given[None])
        self._state, self._steps = self.environments.start(self._tasks), 0
        return int(self._state[0]), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Observation, reward, False, whether the trial is over, and no further information.

        Raises:
            ValueError: if there is no such action, or no trial has begun.
        """
        whole_in(0, self.environments.actions - 1, action=action)
        if self._tasks is None:
            raise ValueError("step was called before reset, expected reset first")
        luck = tf.constant([self.np_random.random()], tf.float32)
        taken = tf.constant([action], tf.int32)
        self._state, reward = self.environments.step(self._tasks, self._state, taken, luck)
        self._steps += 1
        return int(self._state[0]), float(reward[0]), False, self._steps >= self.environments.steps, {}
