"""Families of environments: a task is one environment, and a trial is all the steps that a player has in it.

The task is hidden from the player, which sees observations and rewards. All functions work on T tasks at once, and
random numbers are passed in, so that different players can face the same random outcomes.
"""

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import at_least, numbers, texts, whole_in, whole_numbers
from metalearn_lib.tasks.stream import task_stream

Array = tf.Tensor | np.ndarray


class Environments:
    """What families of environments have in common; see `Bandits` and `Mazes`.

    Args:
        actions: number A of actions.
        observations: number O of observations, 0..O-1.
        steps: number n of steps of a trial.

    Raises:
        ValueError: if a number is not a whole one of at least 1.
    """

    def __init__(self, actions: int, observations: int, steps: int) -> None:
        at_least(1, actions=actions, observations=observations, steps=steps)
        self.actions, self.observations, self.steps = actions, observations, steps

    def draw(self, seed: tf.Tensor, tasks: int) -> tf.Tensor:
        """T = `tasks` tasks [T, ...] from a stateless seed [2]."""
        raise NotImplementedError

    def start(self, tasks: Array) -> tf.Tensor:
        """The state [T] that a trial begins in."""
        raise NotImplementedError

    def step(self, tasks: Array, state: Array, action: Array, luck: Array) -> tuple[Array, tf.Tensor]:
        """What an action leads to.

        Args:
            tasks: [T, ...], as `draw` makes them.
            state: [T], int32; it is also what a player observes.
            action: [T], int32, 0..A-1.
            luck: [T], uniform in [0, 1).

        Returns:
            The new state [T] and the reward [T].
        """
        raise NotImplementedError

    def stream(self, meta_batch_size: int = 32, seed: int = 0) -> tf.data.Dataset:
        """An endless stream of meta-batches of tasks, [T, ...] each.

        Args:
            meta_batch_size: number T of tasks.
            seed: fixes the stream.

        Raises:
            ValueError: if `meta_batch_size` is not a whole number of at least 1, or `seed` is no seed.
        """
        return task_stream(self.draw, meta_batch_size, seed, block=32)

    def sample(self, num_tasks: int, seed: int = 0) -> np.ndarray:
        """The first `num_tasks` tasks of a stream of their own, [num_tasks, ...].

        Args:
            num_tasks: number of tasks.
            seed: fixes them.

        Raises:
            ValueError: if `num_tasks` is not a whole number of at least 1, or `seed` is no seed.
        """
        at_least(1, num_tasks=num_tasks)
        return next(iter(self.stream(num_tasks, seed))).numpy()


class Bandits(Environments):
    """Bernoulli bandits: K arms, each pays 1 with a probability of its own, uniform in [0, 1].

    A task is the probabilities [K]. There is nothing to observe but the rewards.

    Args:
        arms: number K of arms.
        steps: number of pulls.

    Raises:
        ValueError: if a number is not a whole one of at least 1.
    """

    def __init__(self, arms: int = 5, steps: int = 30) -> None:
        at_least(1, arms=arms)
        super().__init__(arms, 1, steps)

    def draw(self, seed: tf.Tensor, tasks: int) -> tf.Tensor:
        """Probabilities [T, K]."""
        return tf.random.stateless_uniform([tasks, self.actions], seed)

    def start(self, tasks: Array) -> tf.Tensor:
        """Zeros [T]."""
        return tf.zeros(tf.shape(tasks)[:1], tf.int32)

    def step(self, tasks: Array, state: Array, action: Array, luck: Array) -> tuple[Array, tf.Tensor]:
        """The state as it was, and a reward of 0 or 1; see `Environments.step`."""
        pays = luck < tf.gather(tasks, action, batch_dims=1)
        return state, tf.cast(pays, tf.float32)

    def regret(self, tasks: ArrayLike, actions: ArrayLike) -> np.ndarray:
        """How much less reward than with the best arm was to be expected up to each step.

        Args:
            tasks: probabilities [T, K].
            actions: [T, n].

        Returns:
            [T, n], sums over the steps so far, in rewards.

        Raises:
            TypeError: if `tasks` are no numbers, or `actions` no whole ones.
            ValueError: if a shape does not fit, or an action is none of these bandits.
        """
        pays = numbers("tasks", tasks, f"[T, {self.actions}]").astype(float)
        chosen = whole_numbers("actions", actions, f"[{len(pays)}, n]", 0, self.actions - 1)
        return np.cumsum(pays.max(axis=1, keepdims=True) - np.take_along_axis(pays, chosen, axis=1), axis=1)


MAP = """
G.#.G
.....
#.S.#
.....
G.#.G
"""
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


class Mazes(Environments):
    """A maze whose goal is hidden in one of several places; reaching it pays 1 and leads back to the start.

    The maze itself is always the same. A task is the cell of the goal. A player observes the cell it is in; the actions
    are up, right, down, left, and a wall stops them.

    Args:
        drawing: rows of `#` for walls, `.` for cells, `S` for the start and `G` for places where the goal can be.
        steps: number of moves.

    Raises:
        TypeError: if `drawing` is no text.
        ValueError: if rows differ in length, a character is unknown, there is not one S and a G, or `steps` is below 1.
    """

    def __init__(self, drawing: str = MAP, steps: int = 40) -> None:
        texts(drawing=drawing)
        self.rows = drawing.split()
        if len({len(row) for row in self.rows}) != 1:
            raise ValueError(f"drawing has rows of {[len(row) for row in self.rows]} characters, expected equal ones")
        text = "".join(self.rows)
        if unknown := set(text) - set("#.SG"):
            raise ValueError(f"drawing has {min(unknown)!r}, expected only # . S G")
        if text.count("S") != 1 or "G" not in text:
            raise ValueError(f"drawing has {text.count('S')} S and {text.count('G')} G, expected one S and some G")
        super().__init__(len(MOVES), len(text), steps)
        self.start_cell = text.index("S")
        self.goals = np.array([cell for cell, kind in enumerate(text) if kind == "G"], np.int32)
        self.next = np.array([[self._moved(cell, move) for move in MOVES] for cell in range(len(text))], np.int32)

    def draw(self, seed: tf.Tensor, tasks: int) -> tf.Tensor:
        """Cells of goals [T]."""
        chosen = tf.random.stateless_uniform([tasks], seed, 0, len(self.goals), tf.int32)
        return tf.gather(self.goals, chosen)

    def start(self, tasks: Array) -> tf.Tensor:
        """The cell of the start [T]."""
        return tf.fill(tf.shape(tasks)[:1], self.start_cell)

    def step(self, tasks: Array, state: Array, action: Array, luck: Array) -> tuple[Array, tf.Tensor]:
        """The new cell, and 1 where the goal was reached; see `Environments.step`."""
        cell = tf.gather_nd(self.next, tf.stack([state, tf.cast(action, tf.int32)], axis=-1))
        found = tf.equal(cell, tf.cast(tasks, tf.int32))
        return tf.where(found, self.start_cell, cell), tf.cast(found, tf.float32)

    def distances(self, goal: int) -> np.ndarray:
        """How many moves each cell [O] is away from the cell `goal`; infinite for walls.

        Raises:
            ValueError: if there is no such cell.
        """
        whole_in(0, self.observations - 1, goal=goal)
        far = np.full(self.observations, np.inf)
        far[goal] = 0.0
        for _ in range(self.observations):
            far = np.minimum(far, far[self.next].min(axis=1) + 1)
        return np.where([kind == "#" for kind in "".join(self.rows)], np.inf, far)

    def _moved(self, cell: int, move: tuple[int, int]) -> int:
        width = len(self.rows[0])
        row, column = cell // width + move[0], cell % width + move[1]
        inside = 0 <= row < len(self.rows) and 0 <= column < width
        return row * width + column if inside and self.rows[row][column] != "#" else cell
