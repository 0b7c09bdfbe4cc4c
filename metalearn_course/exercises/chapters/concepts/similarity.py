"""Prototypes: the mean of a class's examples, and how far a query is from it."""

import numpy as np

from metalearn_course.exercises.engine import Function


def _draw(rng: np.random.Generator) -> tuple:
    labels = rng.permutation(np.repeat(np.arange(3), rng.permutation([3, 4, 5])))
    return rng.normal(size=(12, 4)), labels, rng.normal(size=(5, 4))


logits_exercise = Function(
    "Prototypes from scratch",
    r"""
    A prototypical network's logits: the prototype $c_k$ of a class is the mean of its support examples (here already
    embedded), and the logit of class $k$ is $-\lVert z - c_k \rVert^2$ for the query $z$. Labels are 0..N−1.
    """,
    example=(
        np.array([[0.0, 0.0], [0.0, 4.0], [0.0, 6.0], [2.0, 0.0]]),
        np.array([0, 1, 1, 0]),
        np.array([[1.0, 1.0], [0.0, 1.0], [4.0, 5.0]]),
    ),
    draw=_draw,
    hints=(
        "First the prototypes [N, D], a mean for each label.",
        "`((query[:, None] - prototypes[None]) ** 2).sum(-1)` are the squared distances [Q, N].",
    ),
)


@logits_exercise.reference(
    "With squared distances the softmax is the posterior of a mixture of Gaussians, and the classifier is linear in "
    "the embedding (Snell et al. 2017, sections 2.3 and 2.4)."
)
def logits(support, labels, query):
    """Logits [Q, N] of query [Q, D], from support [S, D] with labels [S]."""
    prototypes = np.array([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    return -((query[:, None] - prototypes[None]) ** 2).sum(axis=-1)


@logits_exercise.mistake(
    "Your distance is not squared. The nearest class stays the same, but the probabilities do not: for the softmax a "
    "squared distance is a Gaussian around each prototype."
)
def unsquared(support, labels, query):
    return -np.sqrt(-logits(support, labels, query))


@logits_exercise.mistake("The sign is missing: the nearest prototype has to get the largest logit, not the smallest.")
def sign_flipped(support, labels, query):
    return -logits(support, labels, query)


@logits_exercise.mistake(
    "You take the mean of the distances to the examples. A prototype is the mean first, then one distance."
)
def mean_of_distances(support, labels, query):
    distances = ((query[:, None] - support[None]) ** 2).sum(axis=-1)
    return -np.stack([distances[:, labels == k].mean(axis=1) for k in range(labels.max() + 1)], axis=1)


@logits_exercise.mistake(
    "That is the nearest example of a class, as in nearest neighbour; a prototype is the mean of them all."
)
def nearest_example(support, labels, query):
    distances = ((query[:, None] - support[None]) ** 2).sum(axis=-1)
    return -np.stack([distances[:, labels == k].min(axis=1) for k in range(labels.max() + 1)], axis=1)


@logits_exercise.mistake(
    "Your prototypes are sums. Divide by the number of examples, or a class with more shots moves away."
)
def sum_of_examples(support, labels, query):
    prototypes = np.array([support[labels == k].sum(axis=0) for k in range(labels.max() + 1)])
    return -((query[:, None] - prototypes[None]) ** 2).sum(axis=-1)


@logits_exercise.mistake(
    "The labels are not used: your classes are equal parts of the support set, in its order. Here the examples come in "
    "any order, and classes have different numbers of them."
)
def by_place(support, labels, query):
    ways = labels.max() + 1
    return -((query[:, None] - support.reshape(ways, -1, support.shape[1]).mean(axis=1)) ** 2).sum(axis=-1)


@logits_exercise.mistake(
    "Each prototype is divided by the same number of examples. Divide each sum by how many examples *its* class has."
)
def equal_shots(support, labels, query):
    ways = labels.max() + 1
    prototypes = np.array([support[labels == k].sum(axis=0) for k in range(ways)]) / (len(labels) / ways)
    return -((query[:, None] - prototypes[None]) ** 2).sum(axis=-1)


@logits_exercise.mistake(
    "That is the *mean* of the squared differences over features, not their sum: the logits are smaller by the number "
    "of features."
)
def mean_over_features(support, labels, query):
    return logits(support, labels, query) / support.shape[1]


@logits_exercise.mistake("Those are probabilities. The logits come before the softmax.")
def probabilities(support, labels, query):
    found = np.exp(logits(support, labels, query) - logits(support, labels, query).max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


@logits_exercise.mistake("The axes are swapped: a row for each query, a column for each class.")
def wrong_axis(support, labels, query):
    return logits(support, labels, query).T


@logits_exercise.also_right
def expanded(a, y, b):
    members = np.eye(y.max() + 1)[y]
    c = members.T @ a / members.sum(axis=0)[:, None]
    return 2 * b @ c.T - (b * b).sum(1)[:, None] - (c * c).sum(1)
