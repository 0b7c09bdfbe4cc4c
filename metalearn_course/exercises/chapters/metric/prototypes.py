"""Prototypes as the last layer of a classifier, and what the scale of an embedding does to its softmax."""

import math

import numpy as np

from metalearn_course.exercises.engine import Function, Value


def _draw(rng: np.random.Generator) -> tuple:
    labels = rng.permutation(np.repeat(np.arange(3), (2, 3, 4)))
    return rng.normal(size=(9, 4)), labels


def _means(support: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])


linear_layer_exercise = Function(
    "Prototypes are a linear layer",
    r"""
    Multiply out $-\lVert z - c_k \rVert^2 = -\lVert z \rVert^2 + w_k \cdot z + b_k$, and return a table with a row
    $[w_k, b_k]$ for each class: the last layer that a prototypical network writes from a support set, without a
    gradient step. ($\lVert z \rVert^2$ is the same for all classes and drops out of the softmax.)
    """,
    example=(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [0.0, 6.0]]), np.array([0, 0, 1, 1])),
    draw=_draw,
    hints=(
        "‖z − c‖² = (z − c)·(z − c): which terms hold z and c, and which c alone? Mind the sign in front.",
        "w_k = 2 c_k, b_k = −‖c_k‖²; `np.concatenate([w, b[:, None]], axis=1)` puts them side by side.",
    ),
)


@linear_layer_exercise.reference(
    "So the border between two classes is a hyperplane, half-way between their prototypes, and a deep embedding has to "
    "make classes separable by such planes (Snell et al. 2017, section 2.4)."
)
def linear_layer(support, labels):
    """Weights and bias of each class, [N, D + 1], from support [S, D] with labels [S]."""
    prototypes = np.stack([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    return np.concatenate([2 * prototypes, -(prototypes**2).sum(axis=1, keepdims=True)], axis=1)


@linear_layer_exercise.mistake(
    "The bias is missing: without it the borders run through the origin, and long prototypes win."
)
def no_bias(support, labels):
    table = linear_layer(support, labels)
    return np.concatenate([table[:, :-1], np.zeros((len(table), 1))], axis=1)


@linear_layer_exercise.mistake(
    "The 2 of the mixed term is missing: the border then is not half-way between the prototypes."
)
def no_factor_2(support, labels):
    table = linear_layer(support, labels)
    return np.concatenate([table[:, :-1] / 2, table[:, -1:]], axis=1)


@linear_layer_exercise.mistake("The bias has the wrong sign: in −‖z − c‖², the term ‖c‖² is subtracted.")
def bias_added(support, labels):
    table = linear_layer(support, labels)
    return np.concatenate([table[:, :-1], -table[:, -1:]], axis=1)


@linear_layer_exercise.mistake("Both signs are flipped: that is +‖z − c‖², and the farthest class would win.")
def all_signs_flipped(support, labels):
    return -linear_layer(support, labels)


@linear_layer_exercise.mistake("Your bias is −‖c‖: the length, not its square.")
def length_not_squared(support, labels):
    c = _means(support, labels)
    return np.concatenate([2 * c, -np.linalg.norm(c, axis=1, keepdims=True)], axis=1)


@linear_layer_exercise.mistake(
    "Your bias is the mean of the examples' ‖x‖². The prototype is the mean first: its own ‖c‖² is smaller, by the "
    "spread of the class."
)
def mean_of_squares(support, labels):
    c = _means(support, labels)
    return np.concatenate([2 * c, -_means((support**2).sum(axis=1, keepdims=True), labels)], axis=1)


@linear_layer_exercise.mistake("Your prototypes are sums of the examples, not their means.")
def sums(support, labels):
    prototypes = np.stack([support[labels == k].sum(axis=0) for k in range(labels.max() + 1)])
    return np.concatenate([2 * prototypes, -(prototypes**2).sum(axis=1, keepdims=True)], axis=1)


@linear_layer_exercise.mistake("The bias stands first. A row is [w, b]: the weights, then the bias.")
def bias_first(support, labels):
    return np.roll(linear_layer(support, labels), 1, axis=1)


@linear_layer_exercise.mistake(
    "Everything is half of what is asked for. It is the same *ranking*, but another softmax: multiply out the squared "
    "distance itself."
)
def halved(support, labels):
    return linear_layer(support, labels) / 2


@linear_layer_exercise.also_right
def by_three_distances(support, labels):
    """The logits at 0 are the biases; the differences to those at ±1 on each axis are the weights."""
    c = np.array([np.average(support, axis=0, weights=labels == k) for k in sorted(set(labels.tolist()))])
    bias = -np.square(c).sum(-1)
    axes = np.eye(support.shape[1])
    slope = [(np.square(c + e).sum(-1) - np.square(c - e).sum(-1)) / 2 for e in axes]
    return np.stack([*slope, bias], axis=1)


def _sure(difference: float) -> float:
    return 1 / (1 + math.exp(-difference))


embedding_scale = Value(
    "Predict: the scale of an embedding",
    r"""
    A query has the squared distances 1 and 2 to two prototypes. The network's last layer now multiplies every
    embedding by 3. Give the probability of the nearer class (the softmax of the negative squared distances) before
    and after, $[p_1, p_3]$, to three digits. Does any decision change?
    """,
    answer=[0.7311, 0.99988],
    why="Squared distances grow by 3² = 9, so the difference of the logits is 1 before and 9 after: 1/(1 + e⁻¹) and "
    "1/(1 + e⁻⁹). No decision changes, hence no accuracy; but the loss, its gradient and every probability do. 1/s² is "
    "a temperature.",
    hints=(
        "By what factor does ‖z − c‖² grow if z and c are both multiplied by 3?",
        "For two classes the softmax is 1 / (1 + exp(−difference of the logits)).",
    ),
)
embedding_scale.mistake(
    "You multiplied squared distances by 3. Both points move, so distances grow by 3 and their squares by 9.",
    [0.7311, round(_sure(3), 4)],
)
embedding_scale.mistake(
    "No decision changes, but probabilities do: the softmax sees differences, and they grow.", [0.7311, 0.7311]
)
embedding_scale.mistake(
    "That is a *softer* softmax: you divided by 9. Larger distances make it sharper.", [0.7311, round(_sure(1 / 9), 4)]
)
embedding_scale.mistake(
    "That is the farther class. The nearer one has the larger logit, −1 against −2.", [0.2689, 0.00012]
)
embedding_scale.mistake(
    "You used distances in place of their squares: 1 and √2, before and after.",
    [round(_sure(2**0.5 - 1), 4), round(_sure(3 * (2**0.5 - 1)), 4)],
)
embedding_scale.also_right([_sure(1), _sure(9)])
embedding_scale.also_right((0.731, 1.0))
