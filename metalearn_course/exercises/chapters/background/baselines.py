"""What learning to learn is measured by, the baselines it has to beat, and the control where it must not help."""

import itertools

import numpy as np

from metalearn_course.exercises.engine import Choice, Function

which_measurement = Choice(
    "Predict: which measurement shows it?",
    "Somebody says that their learner has learned to learn a family of tasks. Which measurement would show it?",
    options={
        "a": (
            "Its error on the training tasks falls from epoch to epoch.",
            "Joint training does that too, and so does learning the training tasks by heart. What counts are tasks "
            "that it has never seen.",
        ),
        "b": (
            "On a new task, its error falls with every gradient step on the support set.",
            "That is learning. A network from scratch does it as well, and knows of no other task.",
        ),
        "c": (
            "On a new task, its error on the support set reaches zero.",
            "That is memorising. Ten points are easy to fit; the queries tell whether the curve was found.",
        ),
        "d": (
            "On new tasks, the more tasks it has seen before, the lower is its error after the same few examples.",
            "New tasks, the same examples, and only the number of earlier tasks differs: what falls then was learned "
            "from tasks, about learning. One sees it from the mean over many tasks, with an interval.",
        ),
    },
    right="d",
    hints=("What would a network from scratch, or joint training, show in this measurement?", "What has to be new?"),
)


def _sinusoids(rng: np.random.Generator) -> tuple:
    tasks, support, queries = 4, 4, 4
    x = rng.uniform(-5, 5, size=(tasks, support + queries))
    y = rng.uniform(0.1, 5, size=(tasks, 1)) * np.sin(x - rng.uniform(0, np.pi, size=(tasks, 1)))
    predicted = y[:, support:] + rng.normal(size=(tasks, queries))
    return x[:, :support], y[:, :support], x[:, support:], y[:, support:], predicted


gain_exercise = Function(
    "A gain, against honest baselines",
    """
    A learner has `predicted` the queries of some tasks. Is that good? Compare it with two baselines that know nothing
    of other tasks: for every query (1) the mean of that task's support answers, (2) the answer of that task's nearest
    support point. Return three numbers: the mean squared error of each baseline over all queries, and the learner's
    **gain**, by how much its own error is below that of the better baseline. Arrays have one row per task.
    """,
    example=(
        np.array([[0.0, 2.0], [0.0, 4.0]]),
        np.array([[0.0, 2.0], [1.0, 5.0]]),
        np.array([[0.5, 1.5], [1.0, 3.5]]),
        np.array([[1.0, 1.0], [2.0, 5.0]]),
        np.array([[0.5, 1.0], [1.5, 4.5]]),
    ),
    draw=_sinusoids,
    hints=(
        "A baseline may use the support set of the task and the query's x, nothing else; it is scored on the queries.",
        "`np.abs(query_x[:, :, None] - support_x[:, None]).argmin(axis=-1)` is the nearest support point [T, Q].",
    ),
)


def _error(predicted: np.ndarray, wanted: np.ndarray) -> float:
    return float(((predicted - wanted) ** 2).mean())


def _nearest(support_x, support_y, query_x):
    where = np.abs(query_x[:, :, None] - support_x[:, None]).argmin(axis=-1)
    return np.take_along_axis(support_y, where, axis=1)


@gain_exercise.reference(
    "Baselines get what the learner gets: the same support sets, the same queries. And a gain is over the best of "
    "them; over a bad one, everything gains."
)
def gain(support_x, support_y, query_x, query_y, predicted):
    """Errors of mean and of nearest neighbour, and the gain: from arrays [T, S], [T, S], [T, Q], [T, Q], [T, Q]."""
    constant = support_y.mean(axis=1, keepdims=True)
    where = np.abs(query_x[:, :, None] - support_x[:, None]).argmin(axis=-1)
    nearest = np.take_along_axis(support_y, where, axis=1)
    errors = [((guess - query_y) ** 2).mean() for guess in (constant, nearest, predicted)]
    return errors[0], errors[1], min(errors[:2]) - errors[2]


@gain_exercise.mistake(
    "Your baselines are scored on the support set, where the nearest neighbour has every answer by heart. Score all "
    "three on the queries."
)
def on_the_support(support_x, support_y, query_x, query_y, predicted):
    constant = _error(support_y.mean(axis=1, keepdims=True), support_y)
    return constant, 0.0, min(constant, 0.0) - _error(predicted, query_y)


@gain_exercise.mistake(
    "Your constant is the mean of the query answers: a baseline that looks at what it has to predict. It gets the "
    "support answers only."
)
def peeking(support_x, support_y, query_x, query_y, predicted):
    constant = _error(query_y.mean(axis=1, keepdims=True), query_y)
    nearest = _error(_nearest(support_x, support_y, query_x), query_y)
    return constant, nearest, min(constant, nearest) - _error(predicted, query_y)


@gain_exercise.mistake(
    "Your constant is one for all tasks: that is joint training. Take the mean of each task's own answers."
)
def one_for_all(support_x, support_y, query_x, query_y, predicted):
    constant = _error(support_y.mean(), query_y)
    nearest = _error(_nearest(support_x, support_y, query_x), query_y)
    return constant, nearest, min(constant, nearest) - _error(predicted, query_y)


@gain_exercise.mistake("Your gain is over the worse baseline. Against a bad one everything gains: take the better.")
def over_the_worse(support_x, support_y, query_x, query_y, predicted):
    constant, nearest, _ = gain(support_x, support_y, query_x, query_y, predicted)
    return constant, nearest, max(constant, nearest) - _error(predicted, query_y)


@gain_exercise.mistake(
    "You choose the better baseline for every task separately, by its error on the queries. Nobody knows that "
    "beforehand: the better one is that with the lower mean over all tasks."
)
def better_in_each_task(support_x, support_y, query_x, query_y, predicted):
    guesses = support_y.mean(axis=1, keepdims=True), _nearest(support_x, support_y, query_x)
    by_task = [((guess - query_y) ** 2).mean(axis=1) for guess in guesses]
    return by_task[0].mean(), by_task[1].mean(), np.min(by_task, axis=0).mean() - _error(predicted, query_y)


@gain_exercise.mistake("The sign of the gain is flipped: it is positive where the learner's error is the lower one.")
def sign_flipped(support_x, support_y, query_x, query_y, predicted):
    constant, nearest, gained = gain(support_x, support_y, query_x, query_y, predicted)
    return constant, nearest, -gained


@gain_exercise.mistake("You took roots. The question asks for the mean squared error itself, as in the chapter.")
def roots(support_x, support_y, query_x, query_y, predicted):
    constant, nearest, _ = gain(support_x, support_y, query_x, query_y, predicted)
    return constant**0.5, nearest**0.5, min(constant, nearest) ** 0.5 - _error(predicted, query_y) ** 0.5


@gain_exercise.mistake(
    "The gain is given as a *share* of the better baseline's error. The exercise asks for the difference."
)
def as_a_share(support_x, support_y, query_x, query_y, predicted):
    one, other, lead = gain(support_x, support_y, query_x, query_y, predicted)
    return one, other, lead / min(one, other)


@gain_exercise.mistake(
    "The nearest neighbour is looked for among the support points of *all* tasks. A task knows its own only."
)
def neighbours_of_all_tasks(support_x, support_y, query_x, query_y, predicted):
    one, _, _ = gain(support_x, support_y, query_x, query_y, predicted)
    where = np.abs(query_x.ravel()[:, None] - support_x.ravel()).argmin(axis=-1)
    nearest = ((support_y.ravel()[where] - query_y.ravel()) ** 2).mean()
    return one, nearest, min(one, nearest) - ((predicted - query_y) ** 2).mean()


@gain_exercise.also_right
def with_loops(xs, ys, new_xs, new_ys, guessed):
    totals, count = [0.0, 0.0, 0.0], 0
    for x, y, new_x, new_y, guess in zip(xs, ys, new_xs, new_ys, guessed, strict=True):
        for a, b, c in zip(new_x, new_y, guess, strict=True):
            nearest = min(zip(x, y, strict=True), key=lambda point: abs(point[0] - a))[1]
            for i, prediction in enumerate((sum(y) / len(y), nearest, c)):
                totals[i] += (prediction - b) ** 2
            count += 1
    return [totals[0] / count, totals[1] / count, min(totals[0], totals[1]) / count - totals[2] / count]


def _labelled(rng: np.random.Generator) -> tuple:
    support_y = rng.permutation([0, 0, 0, 1, 2])
    query_y = rng.permutation([0, 0, 1, 1, 1, 2])
    centres = rng.normal(size=(3, 2))
    support_x, query_x = (centres[y] + rng.normal(size=(len(y), 2)) for y in (support_y, query_y))
    return support_x, support_y, query_x, query_y


control_exercise = Function(
    "The control: labels permuted",
    """
    Where labels have nothing to do with inputs, no learner can learn, and none can learn to learn. That makes a control
    for every claim: permute the labels of the support set, leave the queries as they are, and score again. Return the
    accuracy on the queries of the nearest neighbour (the label of the nearest support point, Euclidean), averaged over
    **all** orders that the support labels can be put in.
    """,
    example=(
        np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 4.0]]),
        np.array([0, 0, 1]),
        np.array([[0.0, 1.0], [4.0, 5.0], [5.0, 4.0], [5.0, 5.0]]),
        np.array([0, 1, 1, 1]),
    ),
    draw=_labelled,
    hints=(
        "The nearest support point of a query stays the same; only the label that lies there changes.",
        "`itertools.permutations(support_y)` gives all orders; `np.mean` over them, of the accuracy in each.",
    ),
)


def _where(support_x, query_x):
    return ((query_x[:, None] - support_x[None]) ** 2).sum(axis=-1).argmin(axis=1)


@control_exercise.reference(
    "On average a query finds each support label equally often at its nearest point, so all that is left is how "
    "often its own label occurs. A learner that scores more than that in the control gets its knowledge from "
    "elsewhere: a leak, or classes that it knew before."
)
def control(support_x, support_y, query_x, query_y):
    """Mean accuracy, from support_x [S, D], support_y [S], query_x [Q, D] and query_y [Q]."""
    from itertools import permutations

    nearest = ((query_x[:, None] - support_x[None]) ** 2).sum(axis=-1).argmin(axis=1)
    return np.mean([np.array(labels)[nearest] == query_y for labels in permutations(support_y)])


@control_exercise.mistake(
    "Nothing is permuted: that is the plain accuracy. You also get it if points and labels move together, or if "
    "classes get new names in support set and queries alike. Move the labels, and leave the points where they are."
)
def nothing_permuted(support_x, support_y, query_x, query_y):
    return (support_y[_where(support_x, query_x)] == query_y).mean()


@control_exercise.mistake(
    "1/N holds where all classes are equally frequent. You also get it if you permute the *names* of the classes. "
    "Permute which example has which label: a frequent label then stays frequent."
)
def one_over_n(support_x, support_y, query_x, query_y):
    return 1 / len(np.unique(support_y))


@control_exercise.mistake(
    "You permute the labels of the queries. They are the truth that answers are compared with; permute the support's."
)
def queries_permuted(support_x, support_y, query_x, query_y):
    predicted = support_y[_where(support_x, query_x)]
    return np.mean([predicted == labels for labels in itertools.permutations(query_y)])


@control_exercise.mistake(
    "That is what answering with the most frequent support label scores. The nearest neighbour does not do so."
)
def most_frequent(support_x, support_y, query_x, query_y):
    return (np.bincount(support_y).argmax() == query_y).mean()


@control_exercise.mistake(
    "You take the best of the orders. The best of many meaningless scores is always a good one: average over all "
    "of them."
)
def best_of_all(support_x, support_y, query_x, query_y):
    where = _where(support_x, query_x)
    return max((np.array(labels)[where] == query_y).mean() for labels in itertools.permutations(support_y))


@control_exercise.also_right
def in_closed_form(x, y, new_x, new_y):
    return sum(list(y).count(label) for label in new_y) / len(y) / len(new_y)


@control_exercise.also_right
def by_rotation(x, y, new_x, new_y):
    nearest = [int(np.linalg.norm(x - point, axis=1).argmin()) for point in new_x]
    turned = [[y[(i + shift) % len(y)] for i in nearest] for shift in range(len(y))]
    return np.mean(np.array(turned) == new_y)
