"""What depends on the order of a support set, and recall by softmax attention."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function

another_order = Choice(
    "Predict: another order",
    """
    The eight examples of a support set are listed in another order, and nothing else is changed. Four learners answer
    the same query: (i) a transformer without positions or masks, (ii) an LSTM that reads the examples as they are
    listed, (iii) ten gradient steps on the mean loss of the support set, (iv) ridge regression. Whose answers can
    change?
    """,
    options={
        "a": (
            "Nobody's: a support set is a set.",
            "The support set is a set, but an LSTM does not know: its state after a list depends on the order.",
        ),
        "b": (
            "Only (ii).",
            "Attention, the mean loss and ridge are sums over the examples, and sums have no order. A network that "
            "reads step by step has one, so it is trained with random orders, or given a fixed one.",
        ),
        "c": (
            "(ii) and (iii).",
            "Each of the ten steps takes the gradient of the mean over all eight: no order. Steps on one example after "
            "another would have one.",
        ),
        "d": (
            "All but (iv).",
            "Tokens look like a sequence, but attention sums over them; without positions it cannot know which came "
            "first. And a mean loss has no order either.",
        ),
    },
    right="b",
    hints=(
        "Which of the four are made of sums over all examples?",
        "Who has a state that is changed at every example?",
    ),
)

recall_exercise = Function(
    "Recall by attention",
    r"""
    Pairs (key, value) are stored. Read them softly: for a query $q$ the mean of all values, with weights proportional
    to $e^{-\beta \lVert q - k_i \rVert^2}$ that add up to one.
    """,
    example=(np.array([[0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([3.0, 1.0, -2.0]), 1.0),
    draw=lambda rng: (
        rng.normal(size=(3, 2)),
        rng.normal(size=(5, 2)),
        rng.normal(size=5),
        rng.uniform(0.3, 0.8),
    ),
    hints=(
        "First a table of squared distances, a row for each query and a column for each key.",
        "`((queries[:, None] - keys) ** 2).sum(-1)` is that table; each row of weights is divided by its own sum.",
    ),
)


@recall_exercise.reference(
    "A mean with weights that fall with distance. For a large β only the nearest entry is left: hard recall."
)
def recall(queries, keys, values, beta):
    """What is read [m] for queries [m, d] from keys [n, d] and values [n]; beta says how sharply."""
    distances = ((queries[:, None] - keys) ** 2).sum(axis=-1)
    weights = np.exp(-beta * distances)
    return weights @ values / weights.sum(axis=1)


@recall_exercise.mistake(
    "That is the value of the nearest key: hard recall. Here every entry has a share, and far ones a small one."
)
def nearest(queries, keys, values, beta):
    return values[((queries[:, None] - keys) ** 2).sum(axis=-1).argmin(axis=1)]


@recall_exercise.mistake("The sign is flipped: the farthest entry gets the largest weight.")
def farthest(queries, keys, values, beta):
    return recall(queries, keys, values, -beta)


@recall_exercise.mistake(
    "The weights of a query do not add up to one: divide by their sum, or more entries mean larger answers."
)
def not_normalised(queries, keys, values, beta):
    return np.exp(-beta * ((queries[:, None] - keys) ** 2).sum(axis=-1)) @ values


@recall_exercise.mistake(
    "Your weights add up to one over the queries. Each query distributes its attention over the *keys*."
)
def over_the_queries(queries, keys, values, beta):
    weights = np.exp(-beta * ((queries[:, None] - keys) ** 2).sum(axis=-1))
    return weights / weights.sum(axis=0) @ values


@recall_exercise.mistake("The distance is not squared, so far entries keep too much weight.")
def unsquared(queries, keys, values, beta):
    weights = np.exp(-beta * np.sqrt(((queries[:, None] - keys) ** 2).sum(axis=-1)))
    return weights @ values / weights.sum(axis=1)


@recall_exercise.mistake(
    "You divide by β, as by a temperature. Here β is a sharpness: a large one has to single out the nearest."
)
def as_temperature(queries, keys, values, beta):
    return recall(queries, keys, values, 1 / beta)


@recall_exercise.mistake("β is missing: with it the reader can be as sharp or as soft as training wants.")
def without_beta(queries, keys, values, beta):
    return recall(queries, keys, values, 1.0)


@recall_exercise.mistake(
    "You compare by dot products. Then a long key attracts every query in its direction, near or not: −‖q − k‖² is "
    "2 q·k − ‖k‖² and a part that all keys share."
)
def dot_products(queries, keys, values, beta):
    weights = np.exp(beta * queries @ keys.T)
    return weights @ values / weights.sum(axis=1)


@recall_exercise.mistake("The softmax runs over all queries together. Each query's weights add up to one.")
def over_everything(queries, keys, values, beta):
    weights = np.exp(-beta * ((queries[:, None] - keys) ** 2).sum(axis=-1))
    return weights @ values / weights.sum()


@recall_exercise.mistake("β is taken for a width: exp(−d²/2β²). It multiplies the squared distance.")
def beta_as_width(queries, keys, values, beta):
    return recall(queries, keys, values, 1 / (2 * beta**2))


@recall_exercise.also_right
def with_dot_products(q, k, v, sharpness):
    scores = 2 * sharpness * q @ k.T - sharpness * (k**2).sum(axis=1)  # |q|² is the same for all keys
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (scores / scores.sum(axis=1, keepdims=True)) @ v


@recall_exercise.also_right
def in_loops(queries, keys, values, beta):
    read = []
    for query in queries:
        weights = [float(np.exp(-beta * sum((query - key) ** 2))) for key in keys]
        read.append(sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights))
    return read
