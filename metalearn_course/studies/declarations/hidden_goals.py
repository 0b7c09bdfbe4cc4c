"""Mazes with walls drawn anew: does a player that was trained in 1, in 30, in 1,000 of them find its way in others?"""

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies.study import Rival, Study
from metalearn_lib.tasks.stream import split_seed

CORNERS = np.array([0, 4, 24, 20], np.int32)  # once around
START, WALLS, MOVES, OUTER_STEPS = 12, 6, 40, 800
TRAINING_STREAM = 1000  # its seed, plus that of the training


def drawn(number, seed=0):
    """Different mazes of 5 x 5 cells and six walls, in which every corner can be reached from the middle."""
    rng, found = np.random.default_rng(seed), {}
    while len(found) < number:
        cells = np.full(25, ".")
        cells[CORNERS], cells[START] = "G", "S"
        cells[rng.choice(np.flatnonzero(cells == "."), WALLS, replace=False)] = "#"
        drawing = "\n".join("".join(row) for row in cells.reshape(5, 5))
        maze = ml.acting.Mazes(drawing, MOVES)
        if all(np.isfinite(maze.distances(corner)[START]) for corner in CORNERS):
            found[drawing] = maze
    return list(found.values())


class ManyMazes(ml.acting.Environments):
    """Mazes with other walls. A task is the number of a maze and that of the corner with the goal; both are hidden."""

    def __init__(self, mazes):
        super().__init__(actions=4, observations=25, steps=MOVES)
        self.next = np.stack([maze.next for maze in mazes])
        self.far = np.stack([[maze.distances(corner) for corner in CORNERS] for maze in mazes])

    def draw(self, seed, tasks):
        """Tasks [T, 2]."""
        for_maze, for_corner = split_seed(seed, 2)
        maze = tf.random.stateless_uniform([tasks], for_maze, 0, len(self.next), tf.int32)
        return tf.stack([maze, tf.random.stateless_uniform([tasks], for_corner, 0, 4, tf.int32)], axis=1)

    def start(self, tasks):
        """The middle [T]."""
        return tf.fill(tf.shape(tasks)[:1], START)

    def step(self, tasks, state, action, luck):
        """The new cell, and 1 where the goal was reached, which leads back to the start."""
        cell = tf.gather_nd(self.next, tf.stack([tasks[:, 0], state, tf.cast(action, tf.int32)], axis=1))
        found = tf.equal(cell, tf.gather(CORNERS, tasks[:, 1]))
        return tf.where(found, START, cell), tf.cast(found, tf.float32)


ALL = drawn(1600)
TRAINING, VALIDATION, TEST = ALL[:1000], ManyMazes(ALL[1000:1300]), ManyMazes(ALL[1300:])
TASKS = np.stack([np.arange(300), np.arange(300) % 4], axis=1).astype(np.int32)


class Tour:
    """From corner to corner until the goal is found, then always back to it. It is told the walls.

    Args:
        mazes: the family.
        told: whether it is told the corner as well.
    """

    def __init__(self, mazes, told=False):
        self.mazes, self.told = mazes, told

    def start(self, tasks):
        """The tasks, the corner to go to, and whether the goal is known to be there."""
        return tasks, tasks[:, 1] if self.told else np.zeros(len(tasks), int), np.full(len(tasks), self.told)

    def choose(self, memory, state, action, reward, rng):
        """The next moves [T]."""
        tasks, corner, known = memory
        known = known | (reward > 0)
        corner = np.where(~known & (state == CORNERS[corner]), (corner + 1) % 4, corner)
        far, following = self.mazes.far[tasks[:, 0], corner], self.mazes.next[tasks[:, 0], state]
        return np.take_along_axis(far, following, axis=1).argmin(axis=1), (tasks, corner, known)


class MapTour(Tour):
    """The same without being told the walls: it keeps a map, in which what it has not yet run into is free."""

    open = ml.acting.Mazes("\n".join(["S...G", *4 * ["....."]])).next

    def start(self, tasks):  # pyright: ignore[reportIncompatibleMethodOverride]
        """As for the tour, and an empty map with the last cell."""
        return super().start(tasks), (np.zeros((len(tasks), 25), bool), np.full(len(tasks), -1))

    def choose(self, memory, state, action, reward, rng):  # pyright: ignore[reportIncompatibleMethodOverride]
        """The next moves [T]."""
        (tasks, corner, known), (walls, last) = memory
        walls, ran = walls.copy(), np.flatnonzero(state == last)
        walls[ran, self.open[state[ran], action[ran]]] = True
        self.far = np.full(walls.shape, np.inf)
        known = known | (reward > 0)
        corner = np.where(~known & (state == CORNERS[corner]), (corner + 1) % 4, corner)
        self.far[np.arange(len(state)), CORNERS[corner]] = 0
        for _ in range(24):
            nearer = np.minimum(self.far, 1 + self.far[:, self.open].min(axis=-1))
            self.far = np.where(walls, np.inf, nearer)
        move = np.take_along_axis(self.far, self.open[state], axis=1).argmin(axis=1)
        return move, ((tasks, corner, known), (walls, state))


class Hindered:
    """A policy whose rewards are hidden, whose state is erased before each move, or that draws its moves."""

    def __init__(self, policy, rewards=True, state=True, draws=False):
        self.policy, self.rewards, self.state, self.draws, self.start = policy, rewards, state, draws, policy.start

    def choose(self, memory, state, action, reward, rng):
        """The next moves [T]."""
        memory = memory if self.state else self.policy.start(action)
        reward = reward if self.rewards else 0 * reward
        if not self.draws:
            return self.policy.choose(memory, state, action, reward, rng)
        logits, memory = self.policy._logits(
            memory, tf.constant(state), tf.constant(action, tf.int32), tf.constant(reward)
        )
        return (logits.numpy() + rng.gumbel(size=logits.shape)).argmax(axis=1), memory


class Trained(ml.acting.RecurrentPolicy):
    """A recurrent policy that knows which mazes it was trained in."""

    mazes: ManyMazes


def rl2(mazes, learning_rate, entropy, seed):
    """A recurrent policy, trained on whole trials in some mazes."""
    family = ManyMazes(mazes)
    policy = Trained(family, discount=0.9, entropy=entropy, entropy_steps=OUTER_STEPS)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, OUTER_STEPS)
    policy.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), steps_per_execution=50)  # pyright: ignore[reportArgumentType]
    stream = family.stream(meta_batch_size=32, seed=TRAINING_STREAM + seed)
    policy.fit(stream, steps_per_epoch=OUTER_STEPS, verbose=0)
    policy.mazes = family
    return policy


def rewards(player, mazes=TEST, tasks=TASKS, moves=slice(None)):
    """How often the goal is found in some moves of a trial."""
    found = ml.acting.roll_out(mazes, player, tasks, seed=2).rewards[:, moves]
    return ml.Score(found.sum(axis=1).astype(float), "return", ml.evaluation.fingerprint(tasks))


def measure(player):
    """Rewards in mazes of the test, in both halves of a trial; of a policy also in the mazes of its training."""
    found = {
        "new walls": rewards(player),
        "moves 1 to 20": rewards(player, moves=slice(20)),
        "moves 21 to 40": rewards(player, moves=slice(20, None)),
    }
    if isinstance(player, Trained):
        first = min(len(player.mazes.next), 75)
        there = np.array([(maze, corner) for maze in range(first) for corner in range(4)], np.int32)
        found["walls of its training"] = rewards(player, player.mazes, there)
        found["rewards hidden"] = rewards(Hindered(player, rewards=False))
        found["state erased"] = rewards(Hindered(player, state=False))
        found["moves drawn"] = rewards(Hindered(player, draws=True))
    return found


SEARCH = {"learning_rate": [0.01, 0.03, 0.1], "entropy": [0.03, 0.1, 0.3]}
STUDY = Study(
    name="hidden_goals",
    chapter="12",
    question="How often does a player find a hidden goal in 40 moves, in mazes that it was not trained in?",
    budget=f"RL²: {OUTER_STEPS} outer steps of 32 tasks with 8 trials each, γ = 0.9; the others need no training",
    rivals={
        "at random": Rival(lambda seed: ml.acting.RandomPolicy(4), untuned="nothing to tune", trained=False),
        "RL², one maze": Rival(lambda seed, **setting: rl2(TRAINING[:1], seed=seed, **setting), SEARCH),
        "RL², 30 mazes": Rival(lambda seed, **setting: rl2(TRAINING[:30], seed=seed, **setting), SEARCH),
        "RL², 1,000 mazes": Rival(lambda seed, **setting: rl2(TRAINING, seed=seed, **setting), SEARCH),
        "tour with a map": Rival(lambda seed: MapTour(TEST), untuned="nothing to tune", trained=False),
        "tour, told the walls": Rival(lambda seed: Tour(TEST), untuned="nothing to tune", trained=False),
        "told walls and goal": Rival(lambda seed: Tour(TEST, told=True), untuned="nothing to tune", trained=False),
    },
    validate=lambda player: rewards(player, VALIDATION),
    measure=measure,
)
