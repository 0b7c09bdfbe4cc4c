"""The test that catches a score along the wrong axis: a mistake of published tutorials."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def over_classes(logits, labels):
    """The share of queries whose largest logit, over the classes, is that of the label."""
    return np.mean(logits.argmax(axis=1) == labels)


def one_by_one(logits, labels):
    """It sorts the classes of each query, and counts those queries whose last one is the label."""
    hits = [int(np.argsort(row)[-1]) == int(label) for row, label in zip(logits, labels, strict=True)]
    return sum(hits) / len(hits)


def by_probability(logits, labels):
    """A softmax over the classes first, which changes no winner."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return float((probabilities.argmax(axis=1) == labels).mean())


def over_queries(logits, labels):
    """It takes the argmax over the queries: which query likes class 0 most, which class 1, and so on."""
    return np.mean([best == label for best, label in zip(logits.argmax(axis=0), labels, strict=False)])


def axis_by_length(logits, labels):
    """It takes an axis of another length than `labels` for the classes; with as many queries as classes it is wrong."""
    axis = 1 if logits.shape[1] != len(labels) else 0
    return np.mean(logits.argmax(axis=axis) == labels)


def softmax_over_queries(logits, labels):
    """Its argmax is over the classes, but of a softmax that was taken over the queries."""
    exponentials = np.exp(logits - logits.max(axis=0))
    probabilities = exponentials / exponentials.sum(axis=0)
    return np.mean(probabilities.argmax(axis=1) == labels)


wrong_axis_exercise = Catch(
    "The test that catches the wrong axis",
    """
    A published tutorial took the `argmax` over the examples, not over the classes, and reported the result. Write the
    test: `wrong_axis(accuracy)` is True if `accuracy(logits, labels)` is not the share of right answers, for logits
    [queries, classes] and labels [queries]. In one place or another the faulty ones go along the wrong axis; some only
    do it for certain shapes.
    """,
    right=[over_classes, one_by_one, by_probability],
    faulty=[over_queries, axis_by_length, softmax_over_queries],
    hints=(
        "Make up logits of which you know the accuracy. With the largest ones on the diagonal both axes agree.",
        "Random logits, for example 5 queries and 5 classes, then 10 and 5; count the right answers in a loop of your "
        "own, and compare.",
    ),
)


@wrong_axis_exercise.reference(
    "Random logits have no symmetry in which the two axes could agree, and several shapes leave no shape to hide in: "
    "where ways and queries differ in number the wrong axis may show itself, where they are equal it does not."
)
def wrong_axis(accuracy):
    """Whether `accuracy` is wrong for any of several random logits [queries, classes]."""
    rng = np.random.default_rng(0)
    for queries in (5, 5, 5, 10, 3):
        logits, labels = rng.normal(size=(queries, 5)), rng.integers(5, size=queries)
        right = sum(max(range(5), key=lambda k, row=row: row[k]) == y for row, y in zip(logits, labels, strict=True))
        if abs(accuracy(logits, labels) - right / queries) > 1e-6:
            return True
    return False


@wrong_axis_exercise.mistake(
    "It finds nothing. So does a test whose logits have their maxima on the diagonal, query k with class k: the "
    "largest of a row is then the largest of its column too, and no axis is wrong. Take some without that symmetry."
)
def on_the_diagonal(accuracy):
    return accuracy(5 * np.eye(5), np.arange(5)) != 1


@wrong_axis_exercise.mistake(
    "You compare with a count of your own that goes along the wrong axis too: rows are queries, so a query's answer is "
    "the largest in its row."
)
def wrong_axis_itself(accuracy):
    rng = np.random.default_rng(0)
    for _ in range(10):
        logits, labels = rng.normal(size=(5, 5)), rng.integers(5, size=5)
        if abs(accuracy(logits, labels) - (logits.argmax(axis=0) == labels).mean()) > 1e-6:
            return True
    return False


@wrong_axis_exercise.mistake(
    "You never try as many queries as classes. That is where the wrong axis raises no error and gives no odd shape."
)
def never_square(accuracy):
    rng = np.random.default_rng(0)
    for _ in range(10):
        logits, labels = rng.normal(size=(20, 5)), rng.integers(5, size=20)
        if abs(accuracy(logits, labels) - (logits.argmax(axis=1) == labels).mean()) > 1e-6:
            return True
    return False


@wrong_axis_exercise.mistake(
    "Your logits are too simple. Where one number stands out in each row, and in its column, a sum over the queries "
    "changes no winner, and a softmax over the wrong axis goes unnoticed. Take random ones, several times."
)
def one_hot_only(accuracy):
    labels = np.array([1, 2, 3, 4, 0])
    return abs(accuracy(5 * np.eye(5)[labels], labels) - 1) > 1e-6


@wrong_axis_exercise.also_right
def with_known_answers(score):
    rng = np.random.default_rng(7)
    for trial in range(40):
        queries = 4 + trial % 5
        logits, labels = rng.uniform(size=(queries, 6)), rng.integers(6, size=queries)
        hits = int(rng.integers(queries + 1))
        for number, label in enumerate(labels):  # the first `hits` are right by a hair, the others wrong
            wanted = label if number < hits else (label + 1) % 6
            logits[number, wanted] = logits[number].max() + 0.01
        if round(score(logits, labels) * queries) != hits:
            return True
    return False


@wrong_axis_exercise.also_right
def with_large_logits(score):
    chance = np.random.default_rng(1)
    for queries in 20 * [4, 8]:
        logits, labels = 1000 * chance.normal(size=(queries, 4)), chance.integers(4, size=queries)
        if not np.isclose(score(logits, labels), np.mean(logits.argmax(axis=1) == labels)):
            return True
    return False
