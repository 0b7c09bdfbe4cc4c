"""What the query set is for, and how to draw it so that it stays unseen."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function, Value
from metalearn_course.exercises.engine.values import Plain, as_list, flat, shape

scored_on_support = Choice(
    "Predict: scored on the support set",
    "A learner memorises its support set and answers everything else at random. On 5-way 1-shot tasks, what are its "
    "accuracies on the support set and on the queries?",
    options={
        "a": (
            "100 % and 20 %",
            "Memory is perfect on what was shown and worth nothing elsewhere. So only queries tell whether a learner "
            "has learned, and a score 'before' on support and 'after' on queries compares nothing.",
        ),
        "b": ("20 % and 20 %", "On the support set it has the answers by heart: it gets all of them right."),
        "c": ("100 % and 100 %", "Queries are other examples than the support: there is nothing memorised to look up."),
        "d": ("20 % and 100 %", "The other way round: the support set is what it memorised."),
    },
    right="a",
    hints=("Which of the two sets has it seen with its labels?", "Guessing among five classes is right once in five."),
)

how_much_leaks = Value(
    "How much leaks",
    """
    A sampler draws all images of a class **with replacement**: first the 5 support images, then the queries, each time
    one of the class's 20 images. What share of the queries (between 0 and 1, to three digits) is in the support set, on
    average?
    """,
    answer=0.2262,
    why="A query is missed by one support draw with probability 19/20, by all five with (19/20)⁵ = 0.774. The rest, "
    "1 − 0.774, is in the support set: more than every fifth query only tests memory.",
    hints=("With which probability does one support draw miss a given query?", "1 − (19/20)⁵."),
)
how_much_leaks.mistake(
    "5/20 counts five different support images; drawn with replacement, some of the five coincide.", 0.25
)
how_much_leaks.mistake(
    "That is the share of queries that are new. The question asks for the share that leaks: one minus it.", 0.7738
)
how_much_leaks.mistake("That is the chance of coinciding with one support image; there are five draws.", 0.05)
how_much_leaks.mistake(
    "Nothing leaks only where images are drawn without replacement; here a query may be one that was drawn before.", 0.0
)
how_much_leaks.also_right(1 - (19 / 20) ** 5)
how_much_leaks.also_right(np.float32(0.226))


def _draw(rng: np.random.Generator) -> tuple:
    return rng.permutation(np.repeat(np.arange(20), 10)), 5, 4, 5, int(rng.integers(1_000_000))


def _rows(arguments: tuple, got: Plain) -> list[np.ndarray] | None:
    """Support and queries as [ways, ...] positions; None where there are no such."""
    labels, ways, shots, queries, _ = arguments
    try:
        rows = [np.array(part, dtype=float).astype(int) for part in as_list(got)]
    except (TypeError, ValueError):
        return None
    right = len(rows) == 2 and [part.shape for part in rows] == [(ways, shots), (ways, queries)]
    return rows if right and all((r >= 0).all() and (r < len(labels)).all() for r in rows) else None


def _leaks(arguments: tuple, got: Plain) -> bool:
    rows = _rows(arguments, got)
    return rows is not None and bool(np.intersect1d(rows[0], rows[1]).size)


def _repeats(arguments: tuple, got: Plain) -> bool:
    rows = _rows(arguments, got)
    return rows is not None and any(len(np.unique(part)) < part.size for part in rows)


def _mixes(arguments: tuple, got: Plain) -> bool:
    rows = _rows(arguments, got)
    classes = arguments[0][np.concatenate(rows, axis=1)] if rows else np.zeros((1, 1))
    return bool((classes != classes[:, :1]).any())


def _same_class_twice(arguments: tuple, got: Plain) -> bool:
    rows = _rows(arguments, got)
    return rows is not None and len(np.unique(arguments[0][rows[0][:, 0]])) < arguments[1]


def _always_the_first(arguments: tuple, got: Plain) -> bool:
    rows = _rows(arguments, got)
    if rows is None:
        return False
    both = np.concatenate(rows, axis=1)
    return all((np.flatnonzero(arguments[0] == arguments[0][row[0]])[: len(row)] == row).all() for row in both)


def _the_same_classes(arguments: tuple, got: Plain) -> bool:
    """Whether the classes are the first or the last ones, by number or in the given order."""
    rows, (names, first) = _rows(arguments, got), np.unique(arguments[0], return_index=True)
    if rows is None or len(names) <= _FEW:
        return False  # chance may choose them
    drawn, ways = set(arguments[0][rows[0][:, 0]].tolist()), arguments[1]
    orders = (names, names[np.argsort(first)])
    return any(drawn in (set(o[:ways].tolist()), set(o[-ways:].tolist())) for o in orders)


def _labels_for_positions(arguments: tuple, got: Plain) -> bool:
    rows = _rows(arguments, got)
    return rows is not None and bool((np.concatenate(rows, axis=1) == rows[0][:, :1]).all())


def _other_shapes(arguments: tuple, got: Plain) -> bool:
    _, ways, shots, queries, _ = arguments
    if not isinstance(got, list) or any(not isinstance(entry, float) or np.isnan(entry) for entry in flat(got)):
        return False
    return [shape(part) for part in got] != [(ways, shots), (ways, queries)]


_FEW = 10  # classes, of which chance may choose the first
_WRONG = (_leaks, _repeats, _mixes, _same_class_twice, _always_the_first, _the_same_classes)

episode_exercise = Function(
    "An episode sampler without leakage",
    """
    Draw one episode: `ways` different classes, and of each `shots` support images and `queries` query images, all
    different. Return the positions in `labels`: a pair of arrays, [ways, shots] and [ways, queries], one class per row.
    """,
    example=(np.repeat(np.arange(3), 6), 2, 2, 2, 0),
    draw=_draw,
    hints=(
        "Draw the `shots + queries` images of a class at once, and split them afterwards.",
        "`rng.choice(positions, shots + queries, replace=False)`, with the positions of one class.",
    ),
    right_if=lambda arguments, got: (
        _rows(arguments, got) is not None and not any(wrong(arguments, got) for wrong in _WRONG)
    ),
    seeded=True,
)


@episode_exercise.reference("One draw without replacement for a class, split into two parts: no image can be in both.")
def episode(labels, ways, shots, queries, seed):
    """Positions of the support [ways, shots] and of the queries [ways, queries], at random by the seed."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(np.unique(labels), ways, replace=False)
    drawn = [rng.choice(np.flatnonzero(labels == c), shots + queries, replace=False) for c in classes]
    return np.array(drawn)[:, :shots], np.array(drawn)[:, shots:]


@episode_exercise.mistake(
    "The shapes are wrong: return a pair, support [ways, shots] and queries [ways, queries], in this order.",
    _other_shapes,
)
def other_shapes(labels, ways, shots, queries, seed):
    return np.concatenate(episode(labels, ways, shots, queries, seed), axis=1)


@episode_exercise.mistake(
    "Those are labels. The question asks for the positions of the images in `labels`.", _labels_for_positions
)
def labels_for_positions(labels, ways, shots, queries, seed):
    return tuple(labels[part] for part in episode(labels, ways, shots, queries, seed))


@episode_exercise.mistake(
    "A row has images of several classes: draw from the positions of one class, `labels == c`, and give each class "
    "a row.",
    _mixes,
)
def any_image(labels, ways, shots, queries, seed):
    drawn = np.random.default_rng(seed).choice(len(labels), (ways, shots + queries), replace=False)
    return drawn[:, :shots], drawn[:, shots:]


@episode_exercise.mistake(
    "A class occurs twice in an episode: the classes have to be drawn without replacement too.", _same_class_twice
)
def classes_with_replacement(labels, ways, shots, queries, seed):
    rng = np.random.default_rng(seed)
    classes = rng.choice(np.unique(labels), ways)
    drawn = [rng.choice(np.flatnonzero(labels == c), shots + queries, replace=False) for c in classes]
    return np.array(drawn)[:, :shots], np.array(drawn)[:, shots:]


@episode_exercise.mistake(
    "An image occurs twice among the support images, or twice among the queries: draw without replacement.",
    _repeats,
)
def with_replacement(labels, ways, shots, queries, seed):
    rng = np.random.default_rng(seed)
    classes = rng.choice(np.unique(labels), ways, replace=False)
    drawn = np.array([rng.choice(np.flatnonzero(labels == c), shots + queries) for c in classes])
    return drawn[:, :shots], drawn[:, shots:]


@episode_exercise.mistake(
    "Queries are in the support set: that is leakage, they test memory. Draw once for both, not twice.",
    _leaks,
)
def two_draws(labels, ways, shots, queries, seed):
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == c) for c in rng.choice(np.unique(labels), ways, replace=False)]
    return tuple([rng.choice(c, number, replace=False) for c in classes] for number in (shots, queries))


@episode_exercise.mistake(
    "It always takes the first images of a class: nothing is random, so every episode of a class is the same.",
    _always_the_first,
)
def the_first_ones(labels, ways, shots, queries, seed):
    drawn = np.array([np.flatnonzero(labels == c)[: shots + queries] for c in range(ways)])
    return drawn[:, :shots], drawn[:, shots:]


@episode_exercise.mistake(
    "It takes the same classes in every episode, the first or the last ones: draw the classes at random, too.",
    _the_same_classes,
)
def the_same_classes(labels, ways, shots, queries, seed):
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == c) for c in np.unique(labels)[:ways]]
    drawn = np.array([rng.choice(row, shots + queries, replace=False) for row in rows])
    return drawn[:, :shots], drawn[:, shots:]


@episode_exercise.also_right
def by_shuffling(y, n, k, q, seed):
    import random

    chance = random.Random(seed)
    support, query = [], []
    for c in chance.sample(sorted(set(y.tolist())), n):
        where = [i for i, label in enumerate(y) if label == c]
        chance.shuffle(where)
        support.append(where[:k])
        query.append(where[k : k + q])
    return support, query
