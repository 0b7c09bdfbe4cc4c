"""What adapting can gain: a claim to be read, and two variances that decide."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Order, Value

reading_a_claim = Choice(
    "Reading a claim",
    """
    "Our recommender is meta-trained on 50,000 users. On 2,000 **new** users its error falls from 1.10 to 0.95 stars
    after their first ten ratings; both are measured on the same later ratings, each interval is ± 0.01. So
    meta-learning has learned to understand a user from ten ratings." What is the first number to ask for?
    """,
    options={
        "a": (
            "The same on 20,000 new users.",
            "The intervals are narrow already: nobody doubts that the error falls. The question is what made it fall.",
        ),
        "b": (
            "The error on the ten ratings themselves.",
            "Those were given to it with their answers. How well it fits them says nothing about other ratings.",
        ),
        "c": (
            "The error of the item's mean, moved by how generous the user was in the same ten ratings.",
            "The fall from 1.10 to 0.95 is against no adaptation at all. Some users give more stars than others, and "
            "one number learned from ten ratings corrects that. Only what goes beyond such a baseline, with the same "
            "support set, is a gain of meta-learning.",
        ),
        "d": (
            "The error after a hundred ratings.",
            "That is interesting, but is no evidence on ten. And anything that learns at all gets better with more.",
        ),
        "e": (
            "The error on the users that it was trained on.",
            "New users are the right ones to measure on: those of the training may be known by heart.",
        ),
    },
    right="c",
    hints=(
        "What else could have made use of these ten ratings?",
        "The claim compares with *no* adaptation. Which is the simplest adaptation you can think of?",
    ),
)

pooled_or_alone = Value(
    "Predict: pooled, alone, or both",
    r"""
    The means of patients vary with the variance $\tau^2 = 1$ around a mean that is known from many. A patient's
    measurements vary with the variance $\sigma^2 = 4$ around the patient's own mean. Of a new patient there are
    $n = 4$. What is the expected squared error for the **next measurement**, if it is predicted

    1. by the mean of all patients,
    2. by the mean of the patient's four,
    3. by the best mixture of both?

    Give the three numbers, as a list.
    """,
    answer=[5, 5, 4.5],
    why="Nobody predicts the measurement's own noise: σ² = 4 is in all three. The mean of all misses the patient by "
    "τ² = 1; the patient's own mean by σ²/n = 1: a tie. The best mixture has the weight τ²/(τ² + σ²/n) = ½ and misses "
    "by half of that, 0.5. What looks like 10 % is half of all that can be gained.",
    hints=(
        "The error has two parts: how far the prediction is from the patient's mean, and the next measurement's noise.",
        "The best mixture misses the patient's mean by τ² · (σ²/n) / (τ² + σ²/n).",
    ),
)
pooled_or_alone.mistake(
    "These are errors of the patient's mean. A measurement has its own noise on top, σ² = 4, whatever the "
    "prediction is.",
    [1, 1, 0.5],
    "noise forgotten",
)
pooled_or_alone.mistake(
    "You forgot n: the mean of four measurements has the variance σ²/4, not σ².", [5, 8, 4.8], "n forgotten"
)
pooled_or_alone.mistake(
    "Variances add up, standard deviations do not: σ² = 4 goes in, not σ = 2.",
    [3, 2.5, 2 + 1 * 0.5 / 1.5],
    "deviation for variance",
)
pooled_or_alone.mistake(
    "Two predictions that miss by 1 each, by different causes, partly cancel in a mixture: it is better than either.",
    [5, 5, 5],
    "mixture gains nothing",
)
pooled_or_alone.mistake(
    "The mean of all is known, but it is not this patient's: it misses by τ² on average.",
    [4, 5, 4.5],
    "pooled is exact",
)
pooled_or_alone.mistake(
    "Four measurements do not tell the patient's mean exactly: their mean misses it by σ²/n.", [5, 4, 4], "own is exact"
)
pooled_or_alone.mistake(
    "The best mixture does not know the patient's mean either: it misses it by a half, and comes with the noise.",
    [5, 5, 4],
    "mixture is exact",
)
pooled_or_alone.also_right((1 + 4, 4 + 4 / 4, 4 + 1 * 1 / (1 + 1)))
pooled_or_alone.also_right(np.array([5.0, 5.0, 4.5]))

where_it_pays = Order(
    "Where does adapting pay?",
    r"""
    Between tasks the means have the variance $\tau^2$, within a task the values have $\sigma^2$, and a new task comes
    with n examples. A pooled model knows the mean of all tasks; an adapting one mixes it with the task's own examples
    in the best way. By how much does adapting lower the squared error? Order the fields from the most to the least: a
    word such as "abcd".
    """,
    lines={
        "a": "patients: τ² = 4, σ² = 16, n = 16",
        "b": "assets: τ² = 0.1, σ² = 9, n = 100",
        "c": "users: τ² = 3, σ² = 6, n = 1",
        "d": "roads, in gentle driving: τ² = 9, σ² = 180, n = 2",
    },
    right="acdb",
    why="Pooling misses by τ², the best mixture by τ² (1 − w) with w = τ²/(τ² + σ²/n). The gain is τ² w: 3.2, 1, 0.82 "
    "and 0.053 in the right order. Tasks must differ *and* the examples must show it: assets hardly differ, and gentle "
    "driving hardly shows.",
    hints=(
        "There are two questions: how much is there to gain, and which share of it do the examples give?",
        "The gain is τ² · w, with the weight w = τ²/(τ² + σ²/n).",
    ),
)
where_it_pays.mistake(
    "That is the order of τ², of what there is to gain. Which share of it n noisy examples give is w = τ²/(τ² + σ²/n).",
    "dacb",
    "by what there is",
)
where_it_pays.mistake(
    "That is the order of w, how well the examples show the task. Assets are known precisely, and hardly differ: the "
    "gain is τ² w.",
    "abcd",
    "by what is shown",
)
where_it_pays.mistake(
    "That is the order of τ²/σ². The noise is averaged over the examples: what counts is σ²/n.", "cadb", "n forgotten"
)
where_it_pays.mistake(
    "That is the order of n. Many examples of tasks that are all alike gain nothing.", "badc", "by examples"
)
