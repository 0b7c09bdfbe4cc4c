"""The test that catches statistics of the queries: a mistake of published tutorials."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def from_support(support_x, support_y, query_x):
    """Mean and deviation of the features come from the support set."""
    mean, deviation = support_x.mean(axis=0), support_x.std(axis=0) + 1e-3
    support, query = (support_x - mean) / deviation, (query_x - mean) / deviation
    prototypes = np.array([support[support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    return -((query[:, None] - prototypes) ** 2).sum(axis=-1)


def without_statistics(support_x, support_y, query_x):
    """It normalises nothing."""
    prototypes = np.array([support_x[support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    return -((query_x[:, None] - prototypes) ** 2).sum(axis=-1)


def over_features(support_x, support_y, query_x):
    """Layer normalisation: each example by the mean and deviation of its own features."""
    parts = [(x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, keepdims=True) + 1e-3) for x in (support_x, query_x)]
    prototypes = np.array([parts[0][support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    return -((parts[1][:, None] - prototypes) ** 2).sum(axis=-1)


def from_queries(support_x, support_y, query_x):
    """The queries are normalised by their own mean and deviation, as batch norm in training mode does."""
    parts = [(x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3) for x in (support_x, query_x)]
    prototypes = np.array([parts[0][support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    return -((parts[1][:, None] - prototypes) ** 2).sum(axis=-1)


def from_both(support_x, support_y, query_x):
    """Mean and deviation come from support set and queries together."""
    everything = np.concatenate([support_x, query_x])
    mean, deviation = everything.mean(axis=0), everything.std(axis=0) + 1e-3
    support, query = (support_x - mean) / deviation, (query_x - mean) / deviation
    prototypes = np.array([support[support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    return -((query[:, None] - prototypes) ** 2).sum(axis=-1)


def running_mean(support_x, support_y, query_x):
    """The queries move a running mean a little, so their influence is small: logits change, hardly ever an answer."""
    mean, deviation = 0.999 * support_x.mean(axis=0) + 0.001 * query_x.mean(axis=0), support_x.std(axis=0) + 1e-3
    support, query = (support_x - support_x.mean(axis=0)) / deviation, (query_x - mean) / deviation
    prototypes = np.array([support[support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    return -((query[:, None] - prototypes) ** 2).sum(axis=-1)


def one_after_the_other(support_x, support_y, query_x):
    """Each query is normalised by the support set and all queries before it; the first one sees no other."""
    prototypes = np.array([support_x[support_y == k].mean(axis=0) for k in range(support_y.max() + 1)])
    seen = [np.concatenate([support_x, query_x[:i]]) for i in range(len(query_x))]
    return np.array(
        [-(((q - prototypes) / (s.std(axis=0) + 1e-3)) ** 2).sum(axis=-1) for q, s in zip(query_x, seen, strict=True)]
    )


transductive_exercise = Catch(
    "The test that catches batch norm's look at the queries",
    """
    Batch normalisation in training mode takes its mean and deviation from the batch. Where that is the query set, the
    answer to a query depends on the other queries: transduction, worth several points, and often not mentioned. Write
    the test: `transductive(classify)` is True if, in `classify(support_x, support_y, query_x)`, the logits of any query
    depend on other queries. Features are [examples, D], logits [queries, N], labels 0..N−1. Normalising in other ways
    is allowed.
    """,
    right=[from_support, without_statistics, over_features],
    faulty=[from_queries, from_both, running_mean, one_after_the_other],
    hints=(
        "If no query looks at the others, it gets the same answer alone as together with them.",
        "Compare `classify(x, y, queries)[i]` with `classify(x, y, queries[i : i + 1])[0]`: logits, for each i.",
    ),
)


@transductive_exercise.reference(
    "Every query must get the same logits alone as together with others. How it normalises does not matter, so "
    "every honest way passes; and logits show what is too small to change an answer in these few."
)
def transductive(classify):
    """Whether any query gets other logits alone than together with others."""
    rng = np.random.default_rng(0)
    support, labels, queries = rng.normal(size=(10, 4)), np.arange(10) % 5, rng.normal(1.0, 2.0, size=(8, 4))
    together = np.array(classify(support, labels, queries))
    alone = np.array([classify(support, labels, query[None])[0] for query in queries])
    return bool(np.abs(together - alone).max() > 1e-6)


def _case():
    rng = np.random.default_rng(1)
    return rng.normal(size=(10, 4)), np.arange(10) % 5, rng.normal(1.0, 2.0, size=(40, 4))


@transductive_exercise.mistake(
    "You only change the order of the queries. Mean and deviation of a batch do not depend on the order: change who is "
    "in it."
)
def other_order(classify):
    support, labels, queries = _case()
    return bool(
        np.abs(classify(support, labels, queries)[::-1] - classify(support, labels, queries[::-1])).max() > 1e-6
    )


@transductive_exercise.mistake(
    "You compare the winners, or logits too roughly. A small influence moves the logits a little and the winner "
    "seldom, until it counts: compare the logits, to many digits."
)
def winners_only(classify):
    support, labels, queries = _case()
    together = classify(support, labels, queries).argmax(axis=1)
    return any(classify(support, labels, q[None]).argmax() != k for q, k in zip(queries, together, strict=True))


@transductive_exercise.mistake(
    "You look at the first query only. Where statistics are updated as queries come, it is the later ones that depend "
    "on those before."
)
def first_query_only(classify):
    support, labels, queries = _case()
    return bool(np.abs(classify(support, labels, queries)[0] - classify(support, labels, queries[:1])[0]).max() > 1e-6)


@transductive_exercise.mistake(
    "You require one way of normalising. Others are honest too, each example by its own features for one, or none: ask "
    "whether a query's logits depend on the other queries."
)
def one_way_required(classify):
    return bool(np.abs(classify(*_case()) - from_support(*_case())).max() > 1e-6)


@transductive_exercise.also_right
def with_a_crowd(model):
    x, y = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.5]]), np.array([0, 1, 2])
    asked, crowd = np.array([[0.3, 0.9], [1.2, -0.4]]), np.array([[50.0, -20.0], [-3.0, 7.0], [9.0, 9.5]])
    quiet = np.array(model(x, y, asked))
    around = np.array(model(x, y, np.concatenate([crowd, asked, crowd])))[3:5]
    return not np.allclose(quiet, around, rtol=1e-9, atol=1e-9)
