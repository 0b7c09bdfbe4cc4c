"""Where in a network the inner loop moves."""

import numpy as np

from metalearn_course.exercises.engine import Function


def _layers(rng: np.random.Generator) -> tuple:
    before = rng.normal(size=(3, 4))
    return before, before + rng.normal(size=(5, 3, 4)) * rng.uniform(0.2, 1.0, size=(1, 3, 1))


moved_exercise = Function(
    "Which layer moves?",
    """
    The same start has adapted to T tasks. Return for each of the L layers how far it moves: the length of its step as a
    share of the layer's length before it, averaged over the tasks. A layer's weights are a row of D numbers.
    """,
    example=(
        np.array([[3.0, 4.0], [0.0, 1.0]]),
        np.array([[[3.0, 5.0], [0.0, 2.0]], [[3.0, 3.0], [0.0, 1.0]]]),
    ),
    draw=_layers,
    hints=(
        "First a length for each task and layer [T, L], then the mean over the tasks.",
        "`np.linalg.norm(after - before, axis=-1)` are the lengths of the steps.",
    ),
)


@moved_exercise.reference("Length first, then the mean: tasks that pull a layer in opposite directions both move it.")
def moved(before, after):
    """The mean relative step [L] of each layer, from weights before [L, D] and after [T, L, D]."""
    return (np.linalg.norm(after - before, axis=-1) / np.linalg.norm(before, axis=-1)).mean(axis=0)


@moved_exercise.mistake(
    "You average the weights over the tasks first: tasks that move a layer in opposite directions cancel, and a layer "
    "that adapts to each of them seems to rest."
)
def mean_first(before, after):
    return np.linalg.norm(after.mean(axis=0) - before, axis=-1) / np.linalg.norm(before, axis=-1)


@moved_exercise.mistake(
    "Your steps are not relative: large weights move far without changing much. Divide by the layer's length."
)
def absolute(before, after):
    return np.linalg.norm(after - before, axis=-1).mean(axis=0)


@moved_exercise.mistake(
    "You compare lengths. A layer can turn without getting longer: take the length of the difference."
)
def difference_of_lengths(before, after):
    lengths = np.linalg.norm(before, axis=-1)
    return (np.abs(np.linalg.norm(after, axis=-1) - lengths) / lengths).mean(axis=0)


@moved_exercise.mistake("That is one number for the whole network. Keep the layers apart: they are what is compared.")
def whole_network(before, after):
    return (np.sqrt(((after - before) ** 2).sum(axis=(1, 2))) / np.linalg.norm(before)).mean()


@moved_exercise.mistake(
    "You average over the layers, and keep the tasks. The mean is over the tasks, the first axis of `after`."
)
def over_layers(before, after):
    return (np.linalg.norm(after - before, axis=-1) / np.linalg.norm(before, axis=-1)).mean(axis=1)


@moved_exercise.mistake(
    "You divide by the length after the step; the share is of the layer before it, the same for all tasks."
)
def relative_to_the_end(before, after):
    return (np.linalg.norm(after - before, axis=-1) / np.linalg.norm(after, axis=-1)).mean(axis=0)


@moved_exercise.mistake("Your lengths are squared: the root is missing.")
def squared(before, after):
    return (((after - before) ** 2).sum(axis=-1) / (before**2).sum(axis=-1)).mean(axis=0)


@moved_exercise.also_right
def with_loops(start, ends):
    shares = []
    for layer in range(len(start)):
        length = sum(w**2 for w in start[layer]) ** 0.5
        steps = [sum((b - a) ** 2 for a, b in zip(start[layer], end[layer], strict=True)) ** 0.5 for end in ends]
        shares.append(sum(steps) / len(steps) / length)
    return shares
