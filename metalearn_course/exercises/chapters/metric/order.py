"""The test that catches a rule that silently relies on the order of the support set."""

import itertools

import numpy as np

from metalearn_course.exercises.engine import Catch


def by_label(query, support, labels):
    """The mean of each label's examples, wherever they stand."""
    means = np.stack([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    return -((query[:, None] - means) ** 2).sum(axis=-1)


def nearest_example(query, support, labels):
    """The nearest example of each label."""
    distances = ((query[:, None] - support) ** 2).sum(axis=-1)
    return -np.stack([distances[:, labels == k].min(axis=1) for k in range(labels.max() + 1)], axis=1)


def by_matrix(query, support, labels):
    """Means by a product with one-hot labels: sums in another order, equal up to rounding."""
    members = np.eye(labels.max() + 1)[labels]
    means = members.T @ support / members.sum(axis=0)[:, None]
    return 2 * query @ means.T - (means**2).sum(axis=1) - (query**2).sum(axis=1, keepdims=True)


def blocks(query, support, labels):
    """It takes the first K examples for class 0, the next K for class 1, and never reads the labels."""
    ways = labels.max() + 1
    means = support.reshape(ways, -1, support.shape[1]).mean(axis=1)
    return -((query[:, None] - means) ** 2).sum(axis=-1)


def running_mean(query, support, labels):
    """Each new example moves its prototype a third of the way, so it matters which one comes first."""
    means = {}
    for x, label in zip(support, labels.tolist(), strict=True):
        means[label] = x if label not in means else (2 * means[label] + x) / 3
    means = np.stack([means[k] for k in range(labels.max() + 1)])
    return -((query[:, None] - means) ** 2).sum(axis=-1)


def first_seen(query, support, labels):
    """Columns stand in the order in which labels are first seen, not in the order of the labels."""
    seen = list(dict.fromkeys(labels.tolist()))
    means = np.stack([support[labels == k].mean(axis=0) for k in seen])
    return -((query[:, None] - means) ** 2).sum(axis=-1)


depends_on_order_exercise = Catch(
    "The test that catches a hidden order",
    """
    A support set is a *set*. Write the test: `depends_on_order(rule)` is True if the logits that
    `rule(query, support, labels)` gives for some task change when support [S, D] and labels [S] are put into another
    order, and False if they do not. Query [Q, D]; logits [Q, N]; labels 0..N−1, of each the same number K of examples.
    """,
    right=[by_label, nearest_example, by_matrix],
    faulty=[blocks, running_mean, first_seen],
    hints=(
        "Make up a task with K > 1, and draw a permutation. What has to be permuted with the same one?",
        "Compare `rule(query, support[p], labels[p])` with `rule(query, support, labels)` by `np.allclose`: sums in "
        "another order differ in their last bits.",
    ),
)


@depends_on_order_exercise.reference(
    "Examples and labels move together, and nothing may change but the last bits. A test that only tries data "
    "sorted by class finds none of the three mistakes."
)
def depends_on_order(rule):
    """Whether another order of the support set changes the logits."""
    rng = np.random.default_rng(0)
    query, support, labels = rng.normal(size=(5, 3)), rng.normal(size=(12, 3)), np.repeat(np.arange(3), 4)
    before = rule(query, support, labels)
    orders = [rng.permutation(12) for _ in range(5)]
    return not all(np.allclose(rule(query, support[p], labels[p]), before) for p in orders)


@depends_on_order_exercise.mistake(
    "It finds fault with every rule. So does a test that permutes the examples without their labels: that is "
    "another task, to which every rule gives another answer."
)
def labels_left_behind(rule):
    rng = np.random.default_rng(0)
    query, support, labels = rng.normal(size=(5, 3)), rng.normal(size=(12, 3)), np.repeat(np.arange(3), 4)
    return not np.allclose(rule(query, support[rng.permutation(12)], labels), rule(query, support, labels))


@depends_on_order_exercise.mistake("It finds nothing, whatever the rule does: a test that cannot fail is no test.")
def never(rule):
    return False


@depends_on_order_exercise.mistake(
    "You ask for equality to the last bit. A sum in another order is rounded differently, which is no fault of "
    "the rule: compare with `np.allclose`."
)
def to_the_last_bit(rule):
    rng = np.random.default_rng(0)
    query, support, labels = rng.normal(size=(50, 3)), rng.normal(size=(12, 3)), np.repeat(np.arange(3), 4)
    p = np.random.default_rng(1).permutation(12)
    return not np.array_equal(rule(query, support[p], labels[p]), rule(query, support, labels))


@depends_on_order_exercise.mistake(
    "You exchange examples within a class only: it still stands class by class, as some rules expect."
)
def within_classes(rule):
    rng = np.random.default_rng(0)
    query, support, labels = rng.normal(size=(5, 3)), rng.normal(size=(12, 3)), np.repeat(np.arange(3), 4)
    p = np.concatenate([4 * k + rng.permutation(4) for k in range(3)])
    return not np.allclose(rule(query, support[p], labels[p]), rule(query, support, labels))


@depends_on_order_exercise.mistake("With one example per class there is no mean to get wrong: take K of 2 or more.")
def one_shot(rule):
    rng = np.random.default_rng(0)
    query, support, labels = rng.normal(size=(5, 3)), rng.normal(size=(3, 3)), np.arange(3)
    p = np.array([2, 0, 1])
    return not np.allclose(rule(query, support[p], labels[p]), rule(query, support, labels))


@depends_on_order_exercise.also_right
def turned_round(rule):
    z, x, y = np.arange(6.0).reshape(2, 3), np.random.default_rng(3).uniform(size=(20, 3)), np.arange(20) // 5
    return bool(np.abs(np.asarray(rule(z, x[::-1], y[::-1])) - rule(z, x, y)).max() > 1e-9)


@depends_on_order_exercise.also_right
def two_of_each_in_every_order(rule):
    chance, y = np.random.default_rng(5), np.array([0, 1, 0, 1])
    z, x = chance.normal(size=(2, 2)), chance.normal(size=(4, 2))
    orders = [list(order) for order in itertools.permutations(range(4))]
    return any(np.abs(rule(z, x[order], y[order]) - rule(z, x, y)).max() > 1e-9 for order in orders)
