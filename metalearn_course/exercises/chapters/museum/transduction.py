"""The test that catches queries that inform each other: a mistake of published figures."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def nearest_mean(support_x, support_y, query_x):
    """The nearest class mean, each query for itself."""
    means = np.array([support_x[support_y == c].mean(axis=0) for c in range(support_y.max() + 1)])
    return -((query_x[:, None] - means) ** 2).sum(axis=-1)


def by_the_support_set(support_x, support_y, query_x):
    """Support set and queries normalised by the support set alone: every query for itself."""
    mean, deviation = support_x.mean(axis=0), support_x.std(axis=0) + 1e-3
    support, query = (support_x - mean) / deviation, (query_x - mean) / deviation
    means = np.array([support[support_y == c].mean(axis=0) for c in range(support_y.max() + 1)])
    return -((query[:, None] - means) ** 2).sum(axis=-1)


def by_the_queries(support_x, support_y, query_x):
    """The queries are normalised by their own mean and deviation, as batch normalisation in training mode does."""
    support = (support_x - support_x.mean(axis=0)) / (support_x.std(axis=0) + 1e-3)
    query = (query_x - query_x.mean(axis=0)) / (query_x.std(axis=0) + 1e-3)
    means = np.array([support[support_y == c].mean(axis=0) for c in range(support_y.max() + 1)])
    return -((query[:, None] - means) ** 2).sum(axis=-1)


def over_examples(support_x, support_y, query_x):
    """The softmax runs over the queries, the wrong axis: the scores of a query depend on those of the others."""
    means = np.array([support_x[support_y == c].mean(axis=0) for c in range(support_y.max() + 1)])
    logits = -((query_x[:, None] - means) ** 2).sum(axis=-1)
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def by_place(support_x, support_y, query_x):
    """It knows that queries stand class by class: the place of a query in the list raises the score of a class."""
    means = np.array([support_x[support_y == c].mean(axis=0) for c in range(support_y.max() + 1)])
    logits = -((query_x[:, None] - means) ** 2).sum(axis=-1)
    guess = np.arange(len(query_x)) * len(means) // len(query_x)
    return logits + 5 * np.eye(len(means))[guess]


def _task(queries: int = 6):
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 3)), np.repeat([0, 1], 3), rng.normal(size=(queries, 3))


informed_exercise = Catch(
    "The test that catches transduction",
    """
    A query's prediction may depend on the support set, and on that query. Write the test: `informed(predict)` is True
    if anything else about the queries matters, the other queries or the order that they stand in.
    `predict(support_x, support_y, query_x)` takes arrays [S, D], [S], [Q, D] with labels 0, 1, ... and returns scores
    [Q, classes].
    """,
    right=[nearest_mean, by_the_support_set],
    faulty=[by_the_queries, over_examples, by_place],
    hints=(
        "Make up a task, predict all queries; then change something that should not matter, and compare.",
        "Change every query but the first. And turn the list around: `predict(x, y, query_x[::-1])[::-1]`.",
    ),
)


@informed_exercise.reference(
    "Change what should not matter, the other queries and their order, and see whether anything moves."
)
def informed(predict):
    """Whether a query's scores depend on the other queries, or on the order of the queries."""
    rng = np.random.default_rng(0)
    x, y, query = rng.normal(size=(6, 3)), np.repeat([0, 1], 3), rng.normal(size=(6, 3))
    scores = predict(x, y, query)
    others = np.concatenate([query[:1], rng.normal(size=(5, 3))])
    moved = not np.allclose(predict(x, y, others)[0], scores[0])
    return bool(moved or not np.allclose(predict(x, y, query[::-1])[::-1], scores))


@informed_exercise.mistake(
    "You change the order only. The mean of the queries does not depend on their order: change the others too."
)
def order_only(predict):
    x, y, query = _task()
    return not np.allclose(predict(x, y, query[::-1])[::-1], predict(x, y, query))


@informed_exercise.mistake(
    "You change the other queries, but leave each in its place. A learner may use the place: reorder them too."
)
def others_only(predict):
    x, y, query = _task()
    others = np.concatenate([query[:1], query[1:] + 1])
    return not np.allclose(predict(x, y, others)[0], predict(x, y, query)[0])


@informed_exercise.mistake(
    "It finds fault with every learner. Scores of queries that you changed yourself may move: compare the ones that "
    "stayed. And if you change the order, put the scores back into the old one before you compare."
)
def changed_ones_too(predict):
    x, y, query = _task()
    others = np.concatenate([query[:1], query[1:] + 1])
    return not np.allclose(predict(x, y, others), predict(x, y, query))


@informed_exercise.mistake(
    "It finds nothing. So does a test that compares two predictions of the same thing: it has to change something."
)
def twice_the_same(predict):
    x, y, query = _task()
    return not np.allclose(predict(x, y, query), predict(x, y, query))


@informed_exercise.also_right
def one_at_a_time(predict):
    x, y, query = _task(5)
    alone = [predict(x, y, query[[i]])[0] for i in range(5)]
    return not np.allclose(alone, predict(x, y, query)) or not np.allclose(alone[::-1], predict(x, y, query[::-1]))
