"""Policies: what chooses actions in an environment. Those here need no training."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from metalearn_lib.acting.environments import Environments, Mazes
from metalearn_lib.core.checks import at_least, instances, numbers, seeds, whole_numbers


class Policy(Protocol):
    """What `roll_out` asks of a player."""

    def start(self, tasks: np.ndarray) -> Any:
        """What the player remembers before the first step of a trial in T tasks."""
        ...

    def choose(
        self, memory: Any, state: np.ndarray, action: np.ndarray, reward: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, Any]:
        """The next actions [T], and what is remembered from now on.

        Args:
            memory: what `start` or the last call returned.
            state: [T], observed now.
            action: [T], the last one; −1 before the first.
            reward: [T], for it.
            rng: for choices at random.
        """
        ...


@dataclass(frozen=True)
class Rollout:
    """What happened in T tasks.

    Args:
        states: [T, n], what was observed before each step.
        actions: [T, n].
        rewards: [T, n].
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray


def roll_out(environments: Environments, player: Policy, tasks: np.ndarray, seed: int = 0) -> Rollout:
    """One trial of a player in each task. Players with the same seed face the same random outcomes.

    Args:
        environments: the family.
        player: what chooses the actions.
        tasks: [T, ...], as `Environments.sample` makes them.
        seed: fixes the random outcomes, and the random choices of the player.

    Returns:
        States, actions and rewards.

    Raises:
        TypeError: if `environments` are none, `player` is no policy, or `tasks` are no numbers.
        ValueError: if `tasks` have another shape, `seed` is no seed, or the player chooses what is no action.
    """
    instances(Environments, "a family of environments", environments=environments)
    if not callable(getattr(player, "start", None)) or not callable(getattr(player, "choose", None)):
        raise TypeError(f"player is a {type(player).__name__}, expected a policy with start and choose")
    seeds(seed=seed)
    tasks = numbers("tasks", tasks, "[T, ...]")
    shape = tuple(environments.draw(tf.constant([0, 0], tf.int64), 1).shape[1:])
    if not len(tasks) or tasks.shape[1:] != shape:
        raise ValueError(f"tasks has shape {tasks.shape}, expected at least one task of shape {shape}")
    count = len(tasks)
    luck = np.random.default_rng([seed, 0]).random((environments.steps, count), np.float32)
    rng = np.random.default_rng([seed, 1])
    state, action, reward = np.asarray(environments.start(tasks)), np.full(count, -1), np.zeros(count, np.float32)
    memory, happened = player.start(tasks), []
    for chance in luck:
        action, memory = player.choose(memory, state, action, reward, rng)
        action = whole_numbers("the action that player chose", action, f"[{count}]", 0, environments.actions - 1)
        following, reward = environments.step(tasks, state, tf.constant(action, tf.int32), chance)
        reward = np.asarray(reward)
        happened.append((state, action, reward))
        state = np.asarray(following)
    return Rollout(*(np.stack(part, axis=1) for part in zip(*happened, strict=True)))


class RandomPolicy:
    """Any action, each as likely.

    Args:
        actions: number of actions.

    Raises:
        ValueError: if `actions` is not a whole number of at least 1.
    """

    def __init__(self, actions: int) -> None:
        at_least(1, actions=actions)
        self.actions = actions

    def start(self, tasks: np.ndarray) -> None:
        """Nothing to remember."""

    def choose(self, memory: None, state, action, reward, rng: np.random.Generator) -> tuple[np.ndarray, None]:
        """See `Policy.choose`."""
        return rng.integers(self.actions, size=len(state)), None


class _Counting:
    """Counts successes and failures of each arm [T, K, 2], and pulls the arm with the highest index.

    Args:
        arms: number K of arms.
    """

    def __init__(self, arms: int) -> None:
        at_least(1, arms=arms)
        self.arms = arms

    def start(self, tasks: np.ndarray) -> np.ndarray:
        """No successes, no failures."""
        return np.zeros((len(tasks), self.arms, 2))

    def choose(
        self, memory: np.ndarray, state, action: np.ndarray, reward: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Policy.choose`."""
        if action[0] >= 0:
            memory = memory.copy()
            memory[np.arange(len(action)), action, np.where(reward > 0, 0, 1)] += 1
        index = self.index(memory[..., 0], memory[..., 1], rng)
        best = index == index.max(axis=1, keepdims=True)
        return np.argmax(best * rng.random(best.shape), axis=1), memory  # ties at random

    def index(self, successes: np.ndarray, failures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """How attractive each arm is [T, K]."""
        raise NotImplementedError


class Thompson(_Counting):
    """Draws each arm's probability from its posterior Beta(1 + s, 1 + f) and pulls the highest (Thompson 1933)."""

    def index(self, successes: np.ndarray, failures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See `_Counting.index`."""
        return rng.beta(1 + successes, 1 + failures)


class UpperBound(_Counting):
    """UCB1: mean + √(2 ln t / n), and each arm once to begin with (Auer et al. 2002, figure 1)."""

    def index(self, successes: np.ndarray, failures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See `_Counting.index`."""
        pulls = successes + failures
        total = np.maximum(pulls.sum(axis=1, keepdims=True), 1)
        some = np.maximum(pulls, 1)
        return np.where(pulls > 0, successes / some + np.sqrt(2 * np.log(total) / some), np.inf)


class PosteriorMean(_Counting):
    """The arm with the highest posterior mean (1 + s) / (2 + s + f): greedy, with the family's prior."""

    def index(self, successes: np.ndarray, failures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See `_Counting.index`."""
        return (1 + successes) / (2 + successes + failures)


class OraclePolicy:
    """Knows the task: what nobody can beat. In a bandit it pulls the best arm, in a maze it takes a shortest way.

    Args:
        environments: the family.
    """

    def __init__(self, environments: Environments) -> None:
        instances(Environments, "a family of environments", environments=environments)
        self.environments = environments

    def start(self, tasks: np.ndarray) -> np.ndarray:
        """The tasks."""
        return np.asarray(tasks)

    def choose(self, memory: np.ndarray, state: np.ndarray, action, reward, rng) -> tuple[np.ndarray, np.ndarray]:
        """See `Policy.choose`."""
        if isinstance(self.environments, Mazes):
            return towards(self.environments, state, memory), memory
        return memory.argmax(axis=1), memory


class FixedTour:
    """Visits the places where the goal can be, one after another, and goes back to the one where it was found.

    Args:
        mazes: the family.
    """

    def __init__(self, mazes: Mazes) -> None:
        instances(Mazes, "Mazes", mazes=mazes)
        self.mazes = mazes

    def start(self, tasks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first place to visit, not known to be the goal: places [T], known [T]."""
        return np.zeros(len(tasks), int), np.zeros(len(tasks), bool)

    def choose(
        self, memory: tuple[np.ndarray, np.ndarray], state: np.ndarray, action, reward: np.ndarray, rng
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """See `Policy.choose`."""
        place, known = memory
        known = known | (reward > 0)
        in_vain = ~known & (state == self.mazes.goals[place])
        place = np.where(in_vain, (place + 1) % len(self.mazes.goals), place)
        return towards(self.mazes, state, self.mazes.goals[place]), (place, known)


def towards(mazes: Mazes, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The first move [T] of a shortest way from cells to goals.

    Args:
        mazes: the family.
        state: cells [T] to start from.
        goal: cells [T] to reach.

    Raises:
        TypeError: if `mazes` are none, or a cell is no whole number.
        ValueError: if there is no such cell.
    """
    instances(Mazes, "Mazes", mazes=mazes)
    state = whole_numbers("state", state, "[T]", 0, mazes.observations - 1)
    goal = whole_numbers("goal", goal, f"[{len(state)}]", 0, mazes.observations - 1)
    distances = np.stack([mazes.distances(cell) for cell in range(mazes.observations)])
    return distances[goal[:, None], mazes.next[state]].argmin(axis=1)
