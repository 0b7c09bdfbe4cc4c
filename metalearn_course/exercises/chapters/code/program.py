"""Reading the article's program: the rates it trains with, and the shape of its data."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Value

decayed_rates = Value(
    "Predict: the rates of the article's program",
    """
    The loop of the article's program, without its data:

    ```python
    meta_learner = MetaLearner(num_inputs, num_hiddens, num_classes, learning_rate=0.01)
    for i in range(num_tasks):
        meta_learner.train(data, labels, num_iterations=100)
        meta_learner.update_learning_rate(0.01 * (0.9**i))
    ```

    With which rates are the first, second, third and tenth task trained? Give the four, as a list.
    """,
    answer=[0.01, 0.01, 0.009, 0.0043],
    why="A task is trained with the rate that was set after the one before it: 0.01 from the constructor, then 0.01 · "
    "0.9⁰ = 0.01 once more, 0.01 · 0.9¹, and for the tenth task 0.01 · 0.9⁸.",
    hints=(
        "Is the rate of task i set before it is trained, or after?",
        "The second task (i = 1) is trained with what was set at i = 0; the tenth with what was set at i = 8.",
    ),
)
decayed_rates.mistake(
    "The rate is set after the task, not before it: each task is trained with the one set by its predecessor.",
    [0.01, 0.009, 0.0081, 0.00387],
    "set before training",
)
decayed_rates.mistake(
    "It is `self.learning_rate` that stays at 0.01. What trains is the optimizer, and its rate is the one that is set.",
    [0.01, 0.01, 0.01, 0.01],
    "never changes",
)
decayed_rates.mistake(
    "The rate is set to 0.01 · 0.9ⁱ outright; it is not the old rate that is multiplied by 0.9ⁱ.",
    [0.01, 0.01, 0.009, 0.01 * 0.9**36],
    "compounded",
)
decayed_rates.mistake(
    "It loses a tenth of what is left each time, not a tenth of 0.01: powers of 0.9, not equal steps.",
    [0.01, 0.01, 0.009, 0.002],
    "equal steps",
)
decayed_rates.mistake(
    "The tenth task is i = 9, and the rate it meets was set at i = 8.",
    [0.01, 0.01, 0.009, 0.01 * 0.9**9],
    "one power too many",
)
decayed_rates.also_right((0.01, 0.01, 9e-3, 0.01 * 0.9**8))
decayed_rates.also_right(np.array([0.01, 0.01, 0.009, 0.0043], np.float32))

fixed_shape = Choice(
    "Two ways to fix a shape",
    """
    In a program like the article's, `data` has the shape (2, 100), but this time it is real: `data[0]` holds the
    heights of a hundred people, `data[1]` their weights. The network wants (100, 2). Somebody writes
    `data.reshape(100, 2)`, and the error is gone. What does the network see in its first row?
    """,
    options={
        "a": (
            "Height and weight of the first person.",
            "That is `data.T[0]`. `reshape` does not swap axes: it reads the numbers in the order in which they "
            "lie, row after row, and cuts them into other rows.",
        ),
        "b": (
            "The heights of the first two people.",
            "`reshape` keeps the order of the numbers and cuts it into pairs: 50 rows of two heights, then 50 of "
            "two weights, each with the label of somebody else. `data.T` swaps the axes. No shape is wrong and no "
            "error is raised, so only looking at a row would show it.",
        ),
        "c": (
            "Heights of people 1 and 51.",
            "For that the numbers would have to be read along columns. `reshape` reads row after row, so neighbours in "
            "`data[0]` stay neighbours.",
        ),
        "d": (
            "It does not matter: all numbers are still there.",
            "They are, in the wrong places: a row is no person any more, and `labels` still has one entry per person.",
        ),
    },
    right="b",
    hints=(
        "Try it on a small one: `np.arange(6).reshape(2, 3)`, once with `.reshape(3, 2)` and once with `.T`.",
        "`reshape` never changes the order in which the numbers are read, row after row.",
    ),
)
