"""Figures that lie, to be read. Their numbers are made up."""

import numpy as np

from metalearn_course.exercises.engine import Order, Value

_BLUE, _RED, _GREY = "#0072B2", "#D55E00", "#777777"

how_much_it_lies = Value(
    "A figure that lies: how much?",
    """
    A report shows the figure below and says that the new learner has "a fraction of the error". Read it off: how many
    times as **long** is the left bar as the right one, as drawn? And how many times as large is the **error** it stands
    for? Give both numbers, as a list.
    """,
    answer=[4, 2.9 / 2.6],
    why="The axis starts at 2.5: the bars are 0.4 and 0.1 long, four to one, where the errors are 2.9 and 2.6, about a "
    "tenth apart. The length of a bar is read as the number, so a bar has to start at zero. And without intervals "
    "nothing says whether that tenth is more than chance.",
    hints=(
        "Where does the vertical axis start?",
        "The bars are 2.9 − 2.5 and 2.6 − 2.5 long; the errors are 2.9 and 2.6.",
    ),
    rtol=0.01,
)
how_much_it_lies.mistake("The other way round: first the lengths as drawn, then the errors.", [2.9 / 2.6, 4], "swapped")
how_much_it_lies.mistake("The bars are four to one, the errors are not: read both off the axis.", [4, 4], "believed")
how_much_it_lies.mistake(
    "You read the axis for both. The eye compares lengths, and the bars start at 2.5, not at 0.",
    [2.9 / 2.6, 2.9 / 2.6],
    "axis only",
)
how_much_it_lies.mistake(
    "You divide right by left. The question asks for how many times as long, or large, the left one is.",
    [0.25, 2.6 / 2.9],
    "inverse",
)
how_much_it_lies.mistake(
    "Those are differences; asked are ratios, how many *times* as long and as large.", [0.3, 0.3], "differences"
)
how_much_it_lies.mistake(
    "The 0.4 and 0.1 are the lengths of the two bars. The question asks for the two ratios.", [0.4, 0.1], "lengths"
)
how_much_it_lies.also_right((0.4 / 0.1, 1.115))
how_much_it_lies.also_right(np.array([4.0, 1.12]))


@how_much_it_lies.with_figure
def truncated() -> None:
    """Two bars on an axis that does not start at zero."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(3.6, 3.2), layout="constrained")
    ax.bar(["joint training", "new learner"], [2.9, 2.6], color=[_BLUE, _RED], width=0.5)
    ax.set(ylim=(2.5, 3.0), yticks=[2.5, 2.6, 2.7, 2.8, 2.9, 3.0], ylabel="mean squared error on queries")
    ax.grid(axis="y", alpha=0.4)
    ax.set_axisbelow(True)


five_figures = Order(
    "Five figures that lie",
    """
    Each of the five figures below hides something, and each something different. What is it? Give the letters of figure
    1, 2, 3, 4 and 5, in this order: a word such as "abcde".
    """,
    lines={
        "a": "the two learners did not get the same",
        "b": "what is reported was chosen on the same tasks that it is reported for",
        "c": "one task was picked after all had been seen",
        "d": "the difference may be chance: too few tasks, and no interval",
        "e": "before and after are not scored on the same examples",
    },
    right="dbeac",
    why="1 has a mean over four tasks and no interval. 2 takes the best epoch on the test tasks: even noise has a best "
    "epoch; choose on validation tasks. 3 scores step 0 on queries and the steps on the support set, to which they are "
    "fitted. 4 gives one learner four times the support points. 5 shows the best of 600 tasks.",
    hints=(
        "Read the small print first: legends, labels of axes, titles.",
        "1 is about the number of tasks, 3 about hollow and full dots, 4 about the labels below the bars.",
    ),
)
five_figures.mistake(
    "b and c are swapped. Both pick after looking: figure 2 an epoch, by its mean over the tasks; figure 5 a task.",
    "dceab",
    "b and c swapped",
)
five_figures.mistake(
    "c and d are swapped. Figure 1 shows a mean, over too few tasks; figure 5 no mean at all, but one task of 600.",
    "cbead",
    "c and d swapped",
)
five_figures.mistake(
    "a and e are swapped. In figure 3 it is one learner, scored here on queries and there on the support set; in "
    "figure 4 it is two learners, and one has more examples.",
    "dbaec",
    "a and e swapped",
)
five_figures.mistake(
    "b and d are swapped. Figure 2 has 600 tasks and a band; what is wrong is who chose the epoch.",
    "bdeac",
    "b and d swapped",
)
five_figures.mistake(
    "a and d are swapped. The bars of figure 4 have intervals, so chance is accounted for; look below them.",
    "abedc",
    "a and d swapped",
)


@five_figures.with_figure
def five() -> None:
    """Five figures, each with a different fault."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(2, 3, figsize=(10.5, 6), layout="constrained")
    for ax, draw in zip(axes.flat, (_few_tasks, _best_epoch, _two_sets, _unequal, _lucky_task), strict=False):
        draw(ax)
        ax.spines[["top", "right"]].set_visible(False)
    axes.flat[-1].axis("off")


def _few_tasks(ax) -> None:
    ax.bar(["joint training", "new learner"], [70.8, 72.1], color=[_BLUE, _RED], width=0.5)
    ax.set(title="1 · The new learner wins", ylabel="accuracy on queries (%)", xlabel="mean of 4 new tasks")


def _best_epoch(ax) -> None:
    epochs = np.arange(1, 31)
    accuracy = 70 + 4 * np.sin(7.3 * epochs) + 3 * np.cos(3.1 * epochs)
    best = accuracy.argmax()
    ax.plot(epochs, accuracy, color=_RED)
    ax.fill_between(epochs, accuracy - 2, accuracy + 2, color=_RED, alpha=0.2, linewidth=0)
    ax.plot(epochs[best], accuracy[best], "*", color="black", markersize=13, label="reported")
    ax.set(title="2 · What it can do", xlabel="epoch", ylabel="accuracy, 600 test tasks (%)", ylim=(0, 100))
    ax.legend(loc="lower right")


def _two_sets(ax) -> None:
    steps = np.arange(11)
    error = 0.05 + 3.1 * 0.45**steps
    ax.errorbar(steps, error, 0.02 + 0.06 * error, color=_RED, capsize=2, zorder=1)
    ax.plot(steps[1:], error[1:], "o", color=_RED, label="support set")
    ax.plot(steps[:1], error[:1], "o", color=_RED, markerfacecolor="white", label="queries")
    ax.set(title="3 · How it learns", xlabel="steps", ylabel="mean squared error, 600 tasks", ylim=(0, None))
    ax.legend()


def _unequal(ax) -> None:
    names = ["from scratch\n5 support points", "new learner\n20 support points"]
    ax.bar(names, [2.8, 0.4], yerr=[0.2, 0.05], color=[_BLUE, _RED], width=0.5, capsize=4)
    ax.set(title="4 · Seven times better", ylabel="mean squared error, 600 tasks")


def _lucky_task(ax) -> None:
    x = np.linspace(-5, 5, 101)
    points = np.array([-4.2, -2.6, -1.1, 0.7, 2.9, 4.4])
    ax.plot(x, 2 * np.sin(x - 1), color=_GREY, linewidth=5, alpha=0.4, label="truth")
    ax.plot(x, 2.03 * np.sin(x - 0.99), color=_RED, label="new learner")
    ax.plot(points, 2 * np.sin(points - 1), "o", color="black", label="support set")
    ax.set(title="5 · Task 413, lowest error of 600", xlabel="x", ylabel="y", ylim=(-2.5, 3.8))
    ax.legend(ncols=3, fontsize="small", loc="upper center", frameon=False, columnspacing=1)
