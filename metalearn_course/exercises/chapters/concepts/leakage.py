"""The test that catches a leaking sampler: a mistake of published tutorials."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def one_draw(labels, ways, shots, queries, seed):
    """One draw without replacement for each class, split in two."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(np.unique(labels), ways, replace=False)
    drawn = [rng.choice(np.flatnonzero(labels == c), shots + queries, replace=False) for c in classes]
    return np.array(drawn)[:, :shots], np.array(drawn)[:, shots:]


def sorted_parts(labels, ways, shots, queries, seed):
    """Positions in increasing order in each row, and none in both parts."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == c) for c in rng.choice(np.unique(labels), ways, replace=False)]
    drawn = [rng.permutation(row)[: shots + queries] for row in rows]
    return [sorted(d[:shots].tolist()) for d in drawn], [sorted(d[shots:].tolist()) for d in drawn]


def two_draws(labels, ways, shots, queries, seed):
    """It draws the queries again from all images of the class, so some are in the support set."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == c) for c in rng.choice(np.unique(labels), ways, replace=False)]
    return tuple(np.array([rng.choice(row, number, replace=False) for row in rows]) for number in (shots, queries))


def last_class_only(labels, ways, shots, queries, seed):
    """Only the last class of an episode leaks: its first query is its last support image."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(np.unique(labels), ways, replace=False)
    drawn = np.array([rng.choice(np.flatnonzero(labels == c), shots + queries, replace=False) for c in classes])
    drawn[-1, shots] = drawn[-1, shots - 1]
    return drawn[:, :shots], drawn[:, shots:]


def now_and_then(labels, ways, shots, queries, seed):
    """It leaks in every fifth episode only."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(np.unique(labels), ways, replace=False)
    drawn = np.array([rng.choice(np.flatnonzero(labels == c), shots + queries, replace=False) for c in classes])
    if seed % 5 == 3:
        drawn[0, -1] = drawn[0, 0]
    return drawn[:, :shots], drawn[:, shots:]


leaks_exercise = Catch(
    "The test that catches the leak",
    """
    A published sampler put support images among the queries, and nobody noticed. Write the test: `leaks(sampler)` is
    True if `sampler(labels, ways, shots, queries, seed)` ever does that, and False if it does not. A sampler returns
    positions in `labels`, as in exercise 3: [ways, shots] and [ways, queries]. Some leak in a few episodes only.
    """,
    right=[one_draw, sorted_parts],
    faulty=[two_draws, last_class_only, now_and_then],
    hints=(
        "Make up labels, for example `np.repeat(np.arange(5), 10)`, and look for a position that is in both parts.",
        "`np.intersect1d(support, query).size` for one episode; for a rare leak, try some 20 seeds.",
    ),
)


@leaks_exercise.reference(
    "A position in both parts is a leak, in whichever class or column; and one episode proves nothing."
)
def leaks(sampler):
    """Whether any support position of an episode is among its queries."""
    labels = np.repeat(np.arange(5), 10)
    return any(np.intersect1d(*sampler(labels, 3, 4, 4, seed)).size > 0 for seed in range(30))


@leaks_exercise.mistake(
    "You look at one episode, or at too few. It takes many seeds to see what happens in one of five only."
)
def one_episode(sampler):
    return np.intersect1d(*sampler(np.repeat(np.arange(5), 10), 3, 4, 4, 0)).size > 0


@leaks_exercise.mistake(
    "It finds fault with every sampler. So does a test that compares labels (support and queries share their classes "
    "by design), or positions of different episodes: it is the positions within one episode that must differ."
)
def by_labels(sampler):
    labels = np.repeat(np.arange(5), 10)
    support, query = (np.array(part) for part in sampler(labels, 3, 4, 4, 0))
    return np.intersect1d(labels[support], labels[query]).size > 0


@leaks_exercise.mistake(
    "You compare column by column: a support image may be any of the queries, not only that in its own place."
)
def column_by_column(sampler):
    labels = np.repeat(np.arange(5), 10)
    return any(np.equal(*sampler(labels, 3, 4, 4, seed)).any() for seed in range(30))


@leaks_exercise.mistake("It finds nothing, whatever the sampler does: a test that cannot fail is no test.")
def never(sampler):
    sampler(np.repeat(np.arange(5), 10), 3, 4, 4, 0)
    return False


@leaks_exercise.mistake("You look at the first class only; the leak may be in any.")
def first_class_only(sampler):
    labels = np.repeat(np.arange(5), 10)
    episodes = [sampler(labels, 3, 4, 4, seed) for seed in range(30)]
    return any(set(np.array(support)[0]) & set(np.array(query)[0]) for support, query in episodes)


@leaks_exercise.also_right
def with_sets(draw):
    for seed in range(50):
        support, query = draw(np.arange(200) // 20, 5, 5, 15, seed)
        if {int(i) for row in support for i in row} & {int(i) for row in query for i in row}:
            return True
    return False
