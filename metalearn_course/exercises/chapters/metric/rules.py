"""What is near, and how all examples of a support set vote."""

import numpy as np
from scipy.special import softmax

from metalearn_course.exercises.engine import Function, Value

more_ink = Value(
    "Predict: a pen with more ink",
    r"""
    A query $z = (3, 4)$ and one example of each of two classes: $a = (6, 8)$, written with twice the ink, and
    $b = (4, 3)$. Work out, before you compute anything, which class is nearer by distance and which by cosine. Then
    give the four numbers $[\lVert z - a \rVert^2,\ \lVert z - b \rVert^2,\ \cos(z, a),\ \cos(z, b)]$.
    """,
    answer=[25, 2, 1, 0.96],
    why="By distance b is nearer (2 against 25), by cosine a is (1 against 0.96): a is the same pattern with more ink. "
    "Where lengths vary without meaning, as ink does, the cosine ignores what it should; where length tells classes "
    "apart, it throws that away.",
    hints=(
        "z − a = (−3, −4) and z − b = (−1, 1). A squared distance adds the squares.",
        "cos(z, b) = z·b / (‖z‖ ‖b‖), with z·b = 12 + 12 and both lengths 5.",
    ),
    rtol=1e-3,
)
more_ink.mistake("Your distances are not squared: 5 and √2 are the lengths of z − a and z − b.", [5, 1.4142, 1, 0.96])
more_ink.mistake("Those are products z·a and z·b, not cosines: divide by both lengths.", [25, 2, 50, 24])
more_ink.mistake(
    "1 − cos is a dissimilarity, small where the cosine is large. The question asks for the cosines themselves.",
    [25, 2, 0, 0.04],
)
more_ink.mistake("You divided by one length only: the cosine divides z·a by ‖z‖ and by ‖a‖.", [25, 2, 10, 4.8])
more_ink.mistake("The two classes are exchanged: a = (6, 8) comes first.", [2, 25, 0.96, 1])
more_ink.also_right((25.0, 2.0, 1.0, 24 / 25))


def _draw(rng: np.random.Generator) -> tuple:
    labels = rng.permutation(np.repeat(np.arange(3), (1, 2, 4)))
    return rng.normal(size=(5, 4)), rng.normal(size=(7, 4)), labels, float(rng.uniform(1.5, 4))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _by_class(attention: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([attention[:, labels == k].sum(axis=1) for k in range(labels.max() + 1)], axis=1)


matching_exercise = Function(
    "Attention from scratch",
    r"""
    A matching network's probabilities: example $i$ of the support set gets the attention
    $a_i = \exp(\beta \cos(z, x_i)) \big/ \sum_j \exp(\beta \cos(z, x_j))$ of the query $z$, with β = `scale`, and a
    class gets the attention of all its examples. Classes may have different numbers of examples; labels are 0..N−1.
    """,
    example=(
        np.array([[3.0, 4.0], [1.0, 0.0]]),
        np.array([[6.0, 8.0], [4.0, 3.0], [0.0, 2.0]]),
        np.array([0, 1, 1]),
        2.0,
    ),
    draw=_draw,
    hints=(
        "Divide every query and every example by its length: the matrix of cosines is then one product [Q, S].",
        "Softmax of scale · cosines along the axis of the examples; then add up the columns of each label.",
    ),
)


@matching_exercise.reference(
    "A class with more examples has more votes. That is a prior by the number of shots, which prototypes do not have."
)
def matching(query, support, labels, scale):
    """Probabilities [Q, N] of queries [Q, D], from support [S, D] with labels [S]."""
    query = query / np.linalg.norm(query, axis=1, keepdims=True)
    support = support / np.linalg.norm(support, axis=1, keepdims=True)
    weights = np.exp(scale * query @ support.T)
    attention = weights / weights.sum(axis=1, keepdims=True)
    return np.stack([attention[:, labels == k].sum(axis=1) for k in range(labels.max() + 1)], axis=1)


@matching_exercise.mistake(
    "These are products, not cosines: long examples dominate. Divide queries and examples by their lengths."
)
def products(query, support, labels, scale):
    return _by_class(softmax(scale * query @ support.T, axis=1), labels)


@matching_exercise.mistake("The scale is missing: attention is then that of β = 1, which hardly prefers any example.")
def no_scale(query, support, labels, scale):
    return matching(query, support, labels, 1.0)


@matching_exercise.mistake(
    "You average the attention of a class. It is a sum: the probabilities of a query have to add up to 1."
)
def mean_attention(query, support, labels, scale):
    return matching(query, support, labels, scale) / np.bincount(labels)


@matching_exercise.mistake(
    "Your softmax runs over the queries. Each query spreads its attention over the examples: axis 1 of [Q, S]."
)
def over_queries(query, support, labels, scale):
    return _by_class(softmax(scale * _unit(query) @ _unit(support).T, axis=0), labels)


@matching_exercise.mistake(
    "You average the examples first: that is a prototype with a cosine. Here every example votes for itself."
)
def prototypes_first(query, support, labels, scale):
    means = np.stack([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    return softmax(scale * _unit(query) @ _unit(means).T, axis=1)


@matching_exercise.mistake(
    "Only the best example of each class counts in yours, as in nearest neighbour. In attention all vote."
)
def best_only(query, support, labels, scale):
    cosines = _unit(query) @ _unit(support).T
    best = np.stack([cosines[:, labels == k].max(axis=1) for k in range(labels.max() + 1)], axis=1)
    return softmax(scale * best, axis=1)


@matching_exercise.mistake("You divide by the scale. It multiplies the cosine: a larger scale makes attention sharper.")
def divided_by_the_scale(query, support, labels, scale):
    return matching(query, support, labels, 1 / scale)


@matching_exercise.mistake(
    "The norm is that of the whole matrix. Each row has a length of its own (`axis=1`, `keepdims=True`)."
)
def norm_of_the_matrix(query, support, labels, scale):
    weights = np.exp(scale * (query / np.linalg.norm(query)) @ (support / np.linalg.norm(support)).T)
    attention = weights / weights.sum(axis=1, keepdims=True)
    return np.stack([attention[:, labels == k].sum(axis=1) for k in range(labels.max() + 1)], axis=1)


@matching_exercise.mistake("The cosines themselves are the weights; attention is their softmax.")
def without_exponential(query, support, labels, scale):
    cosines = query @ support.T / np.linalg.norm(query, axis=1)[:, None] / np.linalg.norm(support, axis=1)
    weights = scale * cosines
    attention = weights / weights.sum(axis=1, keepdims=True)
    return np.stack([attention[:, labels == k].sum(axis=1) for k in range(labels.max() + 1)], axis=1)


@matching_exercise.also_right
def one_by_one(queries, examples, y, beta):
    rows = []
    for z in queries:
        similar = [float(z @ x / np.sqrt((z @ z) * (x @ x))) for x in examples]
        weights = [np.exp(beta * (s - 1)) for s in similar]
        rows.append([sum(w for w, c in zip(weights, y, strict=True) if c == k) for k in range(max(y) + 1)])
    return [[value / sum(row) for value in row] for row in rows]
