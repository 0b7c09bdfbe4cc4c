"""How a policy learns from whole trials, and how to show what learns within one."""

import numpy as np

from metalearn_course.exercises.engine import Choice, Function

returns_exercise = Function(
    "What a step is worth",
    r"""
    The policy gradient weighs the choice at step $t$ with the return, the rewards from this step on:
    $G_t = r_t + \gamma r_{t+1} + \gamma^2 r_{t+2} + \dots$ Return $G_t$ for every step of a trial.
    """,
    example=(np.array([1.0, 0.0, 4.0]), 0.5),
    draw=lambda rng: (rng.uniform(size=6), float(rng.uniform(0.3, 0.95))),
    hints=("From the end: what is the last G? And the one before it, from the last?", "G_t = r_t + γ G_{t+1}."),
)


@returns_exercise.reference(
    "G_t = r_t + γ G_{t+1}, from the end. Rewards before step t are not due to the choice made there."
)
def returns(rewards, gamma):
    """The return G_t of each step, for the rewards [n] of a trial and a discount gamma."""
    result, following = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        result[t] = following
    return result


@returns_exercise.mistake("You sum what came before. A choice is judged by what follows it.")
def backwards(rewards, gamma):
    return returns(rewards[::-1], gamma)[::-1]


@returns_exercise.mistake("There is no discount in it.")
def undiscounted(rewards, gamma):
    return returns(rewards, 1.0)


@returns_exercise.mistake("You discount from the start of the trial, γᵗ rₜ: late choices would count next to nothing.")
def from_the_start(rewards, gamma):
    return returns(rewards * gamma ** np.arange(len(rewards)), 1.0)


@returns_exercise.mistake("The reward of the step itself is missing: it is the first that the choice leads to.")
def without_its_own(rewards, gamma):
    return returns(rewards, gamma) - rewards


@returns_exercise.mistake(
    "Every step gets the return of the whole trial: correct on average, but with needless noise from the past."
)
def whole_trial(rewards, gamma):
    return np.full(len(rewards), returns(rewards, gamma)[0])


@returns_exercise.mistake("The reward of the step itself is discounted too: it comes at once, γ⁰ = 1.")
def discounted_at_once(rewards, gamma):
    return gamma * returns(rewards, gamma)


@returns_exercise.mistake(
    "Only one step ahead is looked at: r_t + γ r_{t+1}. All later rewards count, with γ², γ³, ..."
)
def one_step_ahead(rewards, gamma):
    following = np.append(rewards[1:], 0.0)
    return rewards + gamma * following


@returns_exercise.also_right
def as_a_matrix(r, g):
    t = np.arange(len(r))
    return np.where(t >= t[:, None], g ** np.abs(t - t[:, None]), 0) @ r


advantages_exercise = Function(
    "Compared with what?",
    r"""
    Each task is played $M$ times; `totals` holds the total reward of every trial. What a trial is compared with must
    not depend on its own actions: take the mean of the *other* trials in the same task. Return the advantages, each
    total minus that mean.
    """,
    example=(np.array([[1.0, 2.0, 6.0], [10.0, 10.0, 13.0]]),),
    draw=lambda rng: (rng.uniform(0, 20, size=(4, 1)) + rng.normal(size=(4, 5)),),
    hints=(
        "How does the sum of the others follow from the sum of all?",
        "The others' mean is (sum − own) / (M − 1), with the sum over axis 1.",
    ),
)


@advantages_exercise.reference(
    "How generous a task is cancels out, as in a paired difference, and the gradient keeps its mean."
)
def advantages(totals):
    """Advantages [T, M] for the total rewards [T, M] of M trials in each of T tasks."""
    others = (totals.sum(axis=1, keepdims=True) - totals) / (totals.shape[1] - 1)
    return totals - others


@advantages_exercise.mistake(
    "You compare trials of different tasks: in a generous task everything looks good, whatever was done."
)
def across_tasks(totals):
    return advantages(totals.T).T


@advantages_exercise.mistake(
    "Its own total is in the mean it is compared with. That makes every advantage smaller by the factor (M − 1)/M, and "
    "the comparison depends on its own actions."
)
def including_itself(totals):
    return totals - totals.mean(axis=1, keepdims=True)


@advantages_exercise.mistake("One mean for all tasks: how generous a task is stays in the advantage, as noise.")
def one_mean(totals):
    return totals - totals.mean()


@advantages_exercise.mistake("The sum of the others is divided by M, but there are M − 1 of them.")
def divided_by_all(totals):
    return totals - (totals.sum(axis=1, keepdims=True) - totals) / totals.shape[1]


@advantages_exercise.mistake("The sign: more than the others is an advantage above zero.")
def sign_flipped(totals):
    return -advantages(totals)


@advantages_exercise.also_right
def trial_by_trial(table):
    return [[a - np.mean([*row[:i], *row[i + 1 :]]) for i, a in enumerate(row)] for row in table.tolist()]


within_a_trial = Choice(
    "What learns within a trial?",
    "A recurrent policy with fixed weights has little regret in a new bandit. Which experiment shows best that it "
    "learns *within* the trial?",
    options={
        "a": (
            "Train it for longer, and see its regret fall.",
            "That is learning between trials, in the weights. Within a trial they do not change.",
        ),
        "b": (
            "Test it on ten times as many new bandits, and see the same little regret.",
            "Then it is certain that it plays well on this family, but not why: a fixed rule may do so, too. Change "
            "one thing instead: what it is told.",
        ),
        "c": (
            "Show it zeros in place of the rewards, and see its regret become like that of chance.",
            "Everything else is as before, weights and state; so its skill comes from what it does with the rewards it "
            "sees while playing.",
        ),
        "d": (
            "Compare it with a random player.",
            "That shows that it plays well on this family. A fixed rule might do so without learning anything.",
        ),
    },
    right="c",
    hints=("What carries information about the task into the network?", "Cut just that off."),
)
