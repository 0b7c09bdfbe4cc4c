"""New names for the classes: what should become of the predictions."""

import numpy as np

from metalearn_course.exercises.engine import Function


def _draw(rng: np.random.Generator) -> tuple:
    queries, classes = int(rng.integers(3, 7)), int(rng.integers(4, 7))
    names = np.roll(np.arange(classes), 1)  # longer than a swap, so that its inverse is another
    before, noise = rng.normal(size=(queries, classes)), rng.normal(size=(queries, classes))
    after = np.empty_like(before)
    after[:, names] = before + 0.1 * noise
    return before, after, names


fails_to_follow_exercise = Function(
    "Do the predictions follow the names?",
    """
    The classes of a task get new labels: class `c` is called `names[c]` now, in the support set and everywhere. A
    learner gave scores `before` [queries, classes], and gives `after` with the new labels. Return by how much it
    fails to follow: the largest absolute difference between the score that a class had and the score that it has
    under its new name. A prototypical network gives 0.
    """,
    example=(
        np.array([[3.0, 2.0, 1.0], [0.0, 5.0, 0.0]]),
        np.array([[1.0, 3.0, 2.0], [0.0, 0.0, 4.0]]),
        np.array([1, 2, 0]),
    ),
    draw=_draw,
    hints=(
        "In which column of `after` does class 0 of `before` stand?",
        "`after[:, names]` has the columns in the old order again.",
    ),
)


@fails_to_follow_exercise.reference(
    "Column names[c] of the new scores belongs to column c of the old ones: after[:, names] puts them back."
)
def fails_to_follow(before, after, names):
    """The largest absolute difference between the scores of a class under its old and its new name."""
    return np.abs(after[:, names] - before).max()


@fails_to_follow_exercise.mistake(
    "You compare columns of the same number. After renaming they belong to different classes: use `names`."
)
def same_columns(before, after, names):
    return np.abs(after - before).max()


@fails_to_follow_exercise.mistake(
    "You undo the renaming in the wrong direction: class c is called names[c] now, so its new score is in column "
    "names[c] of `after`. You take the inverse permutation."
)
def inverse(before, after, names):
    return np.abs(after[:, np.argsort(names)] - before).max()


@fails_to_follow_exercise.mistake(
    "That is the mean. One class of one query that does not follow is enough; take the largest difference."
)
def mean_difference(before, after, names):
    return np.abs(after[:, names] - before).mean()


@fails_to_follow_exercise.mistake(
    "You take the largest difference with its sign. A score that fell is as wrong as one that rose: `np.abs`."
)
def signed(before, after, names):
    return (before - after[:, names]).max() if (after[:, names] > before).any() else 0.0


@fails_to_follow_exercise.mistake(
    "You compare the classes that win only. A learner may follow with its winner and not with its scores."
)
def winners(before, after, names):
    return float((names[before.argmax(1)] != after.argmax(1)).mean())


@fails_to_follow_exercise.also_right
def loops(before, after, names):
    return max(
        abs(b[c] - a[n]) for b, a in zip(before.tolist(), after.tolist(), strict=True) for c, n in enumerate(names)
    )


@fails_to_follow_exercise.also_right
def renames_the_old_ones(before, after, names):
    renamed = np.empty_like(before)
    renamed[:, names] = before
    return np.max(np.abs(renamed - after))
