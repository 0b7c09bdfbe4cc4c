"""Bandits of five arms: players that count, a network that learned to explore (RL²), and the least regret there is."""

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.studies.study import Rival, Study

ARMS, PULLS, LONG = 5, 30, 400
SHORT_TRIALS, LONG_TRIALS = ml.acting.Bandits(ARMS, PULLS), ml.acting.Bandits(ARMS, LONG)
TEST, VALIDATION = SHORT_TRIALS.sample(500, seed=1), SHORT_TRIALS.sample(1500, seed=2)
TRAINING_STREAM = 1000  # its seed, plus that of the training


class UpperBound(ml.acting.UpperBound):
    """UCB1 with another factor than 2: success rate + √(factor · ln t / n)."""

    def __init__(self, factor):
        super().__init__(ARMS)
        self.factor = factor

    def index(self, successes, failures, rng):
        """How attractive each arm is [T, K]."""
        pulls = successes + failures
        total, some = np.maximum(pulls.sum(axis=1, keepdims=True), 1), np.maximum(pulls, 1)
        return np.where(pulls > 0, successes / some + np.sqrt(self.factor * np.log(total) / some), np.inf)


class Optimist(ml.acting.PosteriorMean):
    """Posterior mean + k posterior standard deviations."""

    def __init__(self, k):
        super().__init__(ARMS)
        self.k = k

    def index(self, successes, failures, rng):
        """How attractive each arm is [T, K]."""
        mean = super().index(successes, failures, rng)
        return mean + self.k * np.sqrt(mean * (1 - mean) / (successes + failures + 3))


class LongOptimist(Optimist):
    """The same, its k chosen for long trials."""

    chosen_for = LONG_TRIALS


class StayOrGo:
    """Stays with an arm that paid, and goes to another one, any of them, after one that did not."""

    def start(self, tasks):
        """Nothing to remember."""

    def choose(self, memory, state, action, reward, rng):
        """The next arms [T]."""
        other = (action + rng.integers(1, ARMS, size=len(action))) % ARMS
        return np.where(action < 0, rng.integers(ARMS, size=len(action)), np.where(reward > 0, action, other)), None


class BayesOptimal:
    """Plays so that the expected regret of a trial is least: dynamic programming over all that can be known.

    What is known is the successes s and failures f of each arm, a code s·(n + 1) + f. Arms are alike, so that a state
    is five codes in rising order: 6.4 million states for n = 30 pulls.
    """

    def __init__(self, pulls=PULLS):
        self.size = pulls + 1
        self.powers = self.size ** (2 * np.arange(ARMS)[::-1])
        states = [np.zeros((1, ARMS), np.int64)]
        for _ in range(pulls - 1):
            after = np.concatenate(
                [self.after(states[-1], arm, step) for arm in range(ARMS) for step in (self.size, 1)]
            )
            states.append(np.unique(after)[:, None] // self.powers % self.size**2)
        self.keys, self.best = [one @ self.powers for one in states], []
        worth = None
        for t in reversed(range(pulls)):
            successes, failures = states[t] // self.size, states[t] % self.size
            pays = (1 + successes) / (2 + successes + failures)
            value = pays.copy()
            if worth is not None:
                for arm in range(ARMS):
                    for step, chance in ((self.size, pays[:, arm]), (1, 1 - pays[:, arm])):
                        after = np.searchsorted(self.keys[t + 1], self.after(states[t], arm, step))
                        value[:, arm] += chance * worth[after]
            self.best.insert(0, value.argmax(axis=1))
            worth = value.max(axis=1)
        self.expected_regret = pulls * ARMS / (ARMS + 1) - float(worth[0])  # pyright: ignore[reportOptionalSubscript]

    def after(self, states, arm, step):
        """The keys of the states in which `arm` was pulled once more."""
        moved = states.copy()
        moved[:, arm] += step
        return np.sort(moved, axis=1) @ self.powers

    def start(self, tasks):
        """The code of each arm [T, K], and the number of pulls."""
        return np.zeros((len(tasks), ARMS), np.int64), 0

    def choose(self, memory, state, action, reward, rng):
        """The next arms [T]."""
        codes, t = memory
        if t:
            codes = codes.copy()
            codes[np.arange(len(codes)), action] += np.where(reward > 0, self.size, 1)
        order = np.argsort(codes, axis=1)
        where = np.searchsorted(self.keys[t], np.sort(codes, axis=1) @ self.powers)
        return order[np.arange(len(codes)), self.best[t][where]], (codes, t + 1)


class Hindered:
    """A player whose rewards are hidden, or whose state is erased before each pull."""

    def __init__(self, player, rewards=True, state=True):
        self.player, self.rewards, self.state, self.start = player, rewards, state, player.start

    def choose(self, memory, state, action, reward, rng):
        """The next arms [T]."""
        memory = memory if self.state else self.player.start(action)
        return self.player.choose(memory, state, action, reward if self.rewards else 0 * reward, rng)


def rl2(outer_steps, learning_rate, entropy, seed):
    """A recurrent policy, trained on whole trials."""
    policy = ml.acting.RecurrentPolicy(SHORT_TRIALS, discount=0.9, entropy=entropy, entropy_steps=outer_steps)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, outer_steps)
    policy.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), steps_per_execution=50)  # pyright: ignore[reportArgumentType]
    stream = SHORT_TRIALS.stream(meta_batch_size=32, seed=TRAINING_STREAM + seed)
    policy.fit(stream, steps_per_epoch=outer_steps, verbose=0)
    return policy


def regret(player, tasks, trials=SHORT_TRIALS):
    """The regret at the end of a trial."""
    actions = ml.acting.roll_out(trials, player, tasks, seed=2).actions
    return ml.Score(trials.regret(tasks, actions)[:, -1], "regret", ml.evaluation.fingerprint(tasks))


def measure(player):
    """Regret on the family, in long trials and with poor arms; and how many arms are tried."""
    found = {"30 pulls": regret(player, TEST), "poor arms": regret(player, 0.3 * TEST)}
    if not isinstance(player, BayesOptimal):
        found["400 pulls"] = regret(player, TEST, LONG_TRIALS)
    actions = ml.acting.roll_out(SHORT_TRIALS, player, TEST, seed=2).actions
    arms = np.array([len(set(row)) for row in actions.tolist()], float)
    found["arms tried"] = ml.Score(arms, "arms tried", ml.evaluation.fingerprint(TEST))
    if isinstance(player, ml.acting.RecurrentPolicy):
        found["rewards hidden"] = regret(Hindered(player, rewards=False), TEST)
        found["state erased"] = regret(Hindered(player, state=False), TEST)
    return found


STUDY = Study(
    name="exploration",
    chapter="12",
    question="Who has the least regret after 30 pulls of five arms, and what does a learned player owe to its family?",
    budget="RL²: 400 or 1,600 outer steps of 32 tasks with 8 trials each, γ = 0.9; the others need no training",
    rivals={
        "at random": Rival(lambda seed: ml.acting.RandomPolicy(ARMS), untuned="nothing to tune", trained=False),
        "stay or go": Rival(lambda seed: StayOrGo(), untuned="nothing to tune", trained=False),
        "upper bound, factor 2": Rival(lambda seed: UpperBound(2), untuned="the textbook's factor", trained=False),
        "upper bound, tuned": Rival(
            lambda seed, factor: UpperBound(factor), {"factor": [0.01, 0.03, 0.06, 0.1, 0.2, 0.5]}, trained=False
        ),
        "Thompson": Rival(lambda seed: ml.acting.Thompson(ARMS), untuned="nothing to tune", trained=False),
        "posterior mean": Rival(lambda seed: ml.acting.PosteriorMean(ARMS), untuned="nothing to tune", trained=False),
        "mean + k deviations": Rival(
            lambda seed, k: Optimist(k), {"k": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]}, trained=False
        ),
        "mean + k, for 400 pulls": Rival(
            lambda seed, k: LongOptimist(k), {"k": [0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0]}, trained=False
        ),
        "RL², 400 outer steps": Rival(
            lambda seed, learning_rate, entropy: rl2(400, learning_rate, entropy, seed),
            {"learning_rate": [0.003, 0.01, 0.03, 0.1, 0.3], "entropy": [0.01, 0.03, 0.1, 0.3]},
        ),
        "RL², 1,600 outer steps": Rival(
            lambda seed, learning_rate, entropy: rl2(1600, learning_rate, entropy, seed),
            {"learning_rate": [0.003, 0.01, 0.03, 0.1, 0.3], "entropy": [0.01, 0.03, 0.1, 0.3]},
        ),
        "Bayes-optimal": Rival(lambda seed: BayesOptimal(), untuned="exact", trained=False),
    },
    validate=lambda player: regret(player, VALIDATION, getattr(player, "chosen_for", SHORT_TRIALS)),
    measure=measure,
)
