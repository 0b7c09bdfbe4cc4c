"""Scores of several trainings: what holds for a new training, on new tasks."""

from collections.abc import Sequence

import numpy as np

from metalearn_lib.core.checks import instances
from metalearn_lib.evaluation.score import LEAST_TRAININGS, Score


def over_trainings(scores: Sequence[Score]) -> Score:
    """One score of several trainings of a learner that were tested on the same tasks.

    Its interval is over trainings and tasks, see `Score`. An interval over tasks alone says nothing about the next
    training: of 500 tasks, where trainings differ half as much as tasks do, it holds the mean in 3 of 10 cases.

    Args:
        scores: one for each of R trainings, R of at least 3, with values [T] of the same T tasks.

    Returns:
        A `Score` with values [R, T].

    Raises:
        TypeError: if `scores` is no list of scores.
        ValueError: if there are fewer than 3, or one is of other tasks, of another measure, or of several trainings.
    """
    if not isinstance(scores, list | tuple):
        raise TypeError(f"scores is a {type(scores).__name__}, expected a list of scores, one for each training")
    if len(scores) < LEAST_TRAININGS:
        raise ValueError(f"scores has {len(scores)} trainings, expected at least {LEAST_TRAININGS}")
    for i, score in enumerate(scores):
        instances(Score, "a Score", **{f"scores[{i}]": score})
        if score.trainings is not None:
            raise ValueError(f"scores[{i}] is of {score.trainings} trainings, expected the score of one")
        if not score.is_of_same(scores[0]):
            raise ValueError(f"scores[{i}] is a {score.measure} of other tasks, expected all of the same tasks")
    return Score(np.stack([score.values for score in scores]), scores[0].measure, scores[0].tasks)
