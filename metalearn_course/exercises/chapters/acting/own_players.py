"""Trainings: how much optimism pays, and a prior that is learned from old machines."""

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training

ARMS, STEPS, TASKS = 5, 30, 600


def _tables(rng, tasks, means):
    """What each arm would pay at each step [tasks, STEPS, arms], 0 or 1."""
    return (rng.random((tasks, STEPS, means.shape[1])) < means[:, None]).astype(float)


def _regret(actions, means):
    """The expected reward that was missed, for each task."""
    if actions.shape != (len(means), STEPS) or not np.isin(actions, np.arange(means.shape[1])).all():
        wanted = f"{(len(means), STEPS)} whole numbers from 0 to {means.shape[1] - 1}"
        raise ValueError(f"expected {wanted}, an arm for each pull")
    chosen = np.take_along_axis(means, actions.astype(int), axis=1)
    return ml.Score((means.max(axis=1, keepdims=True) - chosen).sum(axis=1), "regret")


def played(rewards, index):
    """The actions of a player who pulls the arm with the largest index(successes, failures)."""
    tasks, steps, arms = rewards.shape
    successes, failures = np.zeros((tasks, arms)), np.zeros((tasks, arms))
    each, actions = np.arange(tasks), np.zeros((tasks, steps), int)
    for step in range(steps):
        actions[:, step] = arm = index(successes, failures).argmax(axis=1)
        reward = rewards[each, step, arm]
        successes[each, arm] += reward
        failures[each, arm] += 1 - reward
    return actions


def _draw(rng):
    means, old_means = rng.random((TASKS, ARMS)), rng.random((TASKS, ARMS))
    return (_tables(rng, TASKS, means), _tables(rng, TASKS, old_means), old_means), means


tuned_optimist_exercise = Training(
    "How much optimism pays",
    r"""
    Five arms pay 1 with a probability of their own, uniform in 0..1, else 0; a task has 30 pulls. `rewards` [T, 30, 5]
    holds what each arm *would* pay at each pull: you may look at entry [t, step, arm] only for the arm that you pull at
    that step. Play the arm with the largest index $m + k\,s$, mean and standard deviation of the Beta posterior after
    the successes and failures so far, and choose k by the regret on the old tasks `old_rewards`, whose probabilities
    `old_means` [T, 5] you know. Return the arms that you pull, [T, 30]. Wanted: a regret below 3.3 in all 30 pulls; the
    posterior mean alone (k = 0) has about 3.6, pulling at random about 10.
    """,
    draw=_draw,
    bar=3.3,
    trained=False,
    measure=_regret,
    hints=(
        "After a successes and b failures the posterior is Beta(a + 1, b + 1): mean m = (a + 1)/(a + b + 2), variance "
        "m(1 − m)/(a + b + 3).",
        "One function `play(rewards, k)`, vectorised over tasks; the regret of a pull is the largest probability minus "
        "that of the pulled arm. Try k from 0 to 3.",
    ),
)


@tuned_optimist_exercise.reference(
    "A little optimism is worth more than none and more than much, and old tasks tell how much. That is meta-learning "
    "with one parameter, and a rival for every larger one."
)
def tuned_optimist(rewards, old_rewards, old_means):
    """The arm that is pulled at each step of each task [T, 30]."""

    def play(rewards, k):
        tasks, steps, arms = rewards.shape
        wins, losses = np.zeros((tasks, arms)), np.zeros((tasks, arms))
        each, pulled = np.arange(tasks), np.zeros((tasks, steps), int)
        for step in range(steps):
            mean = (wins + 1) / (wins + losses + 2)
            index = mean + k * np.sqrt(mean * (1 - mean) / (wins + losses + 3))
            pulled[:, step] = arm = index.argmax(axis=1)
            reward = rewards[each, step, arm]
            wins[each, arm] += reward
            losses[each, arm] += 1 - reward
        return pulled

    def regret(k):
        pulled = play(old_rewards, k)
        return (old_means.max(axis=1, keepdims=True) - np.take_along_axis(old_means, pulled, axis=1)).sum(axis=1).mean()

    return play(rewards, min(np.linspace(0, 3, 13), key=regret))


@tuned_optimist_exercise.also_right
def task_by_task(table, old, probabilities):
    from scipy.stats import beta

    return played(table, lambda wins, losses: beta.ppf(0.8, wins + 1, losses + 1))


@tuned_optimist_exercise.mistake(
    "So small a regret cannot be had from what was pulled: rewards of arms that were *not* pulled, or of later pulls, "
    "have been looked at.",
    shows=lambda case, got: _regret(got, case.hidden).mean < 2.2,
)
def peeks(rewards, old_rewards, old_means):
    seen = np.cumsum(rewards, axis=1) - rewards
    return seen.argmax(axis=2)


@tuned_optimist_exercise.mistake(
    "Nothing is learned within a task: the regret is that of pulling at random, or always the same arm.",
    shows=lambda case, got: _regret(got, case.hidden).mean > 8.0,
)
def always_the_first(rewards, old_rewards, old_means):
    return np.zeros(rewards.shape[:2], int)


@tuned_optimist_exercise.mistake(
    "It is too curious: the regret is that of an index with much too large a k, or of an upper bound with the "
    "textbook's factor.",
    shows=lambda case, got: 4.5 < _regret(got, case.hidden).mean <= 8.0,
)
def textbook_bound(rewards, old_rewards, old_means):
    def index(wins, losses):
        pulls = wins + losses
        width = np.sqrt(2 * np.log(pulls.sum(axis=1, keepdims=True) + 1) / np.maximum(pulls, 1))
        return np.where(pulls == 0, np.inf, wins / np.maximum(pulls, 1) + width)

    return played(rewards, index)


POOR_ARMS = 8


def _draw_poor(rng):
    means, old_means = rng.beta(0.3, 2.7, (3000, POOR_ARMS)), rng.beta(0.3, 2.7, (200, POOR_ARMS))
    pulls = rng.integers(5, 15, old_means.shape)
    return (_tables(rng, len(means), means), rng.binomial(pulls, old_means).astype(float), pulls.astype(float)), means


learned_prior_exercise = Training(
    "A prior learned from old machines",
    """
    Eight arms, most of which pay seldom. A player who believes that every probability is as likely tries arms too long.
    Learn what is usual from 200 old machines, `old_wins` and `old_pulls` [200, 8], and play 30 pulls on each new one:
    `rewards` [T, 30, 8] holds what each arm *would* pay; look at the entries of pulled arms only. Return the arms
    pulled, [T, 30]. Wanted: a regret below 4.28. The uniform prior does not get there.
    """,
    draw=_draw_poor,
    bar=4.28,
    trained=False,
    measure=_regret,
    hints=(
        "A Beta(α, β) as prior: its posterior after a wins and b losses is Beta(α + a, β + b). The mean α/(α + β) is "
        "that of all old pulls.",
        "α + β says how alike arms are. Take it from the variance of the old shares (minus that of their sampling), "
        "from the likelihood, or try values by playing on machines that you draw from the prior.",
    ),
)


@learned_prior_exercise.reference(
    "What is usual on other machines is knowledge before the first pull: how much a failure says depends on it. The "
    "recurrent network of chapter 12 learns the same, from rewards alone."
)
def learned_prior(rewards, old_wins, old_pulls):
    """The arm that is pulled at each step of each task [T, 30], with a prior that the old machines tell."""
    share = old_wins.sum() / old_pulls.sum()
    observed = ((old_wins / old_pulls - share) ** 2).mean()
    sampling = (share * (1 - share) / old_pulls).mean()
    between = max(observed - sampling, 1e-4) / (1 - (1 / old_pulls).mean())
    strength = share * (1 - share) / between - 1
    alpha, beta = share * strength, (1 - share) * strength
    tasks, steps, arms = rewards.shape
    wins, losses = np.zeros((tasks, arms)), np.zeros((tasks, arms))
    each, pulled = np.arange(tasks), np.zeros((tasks, steps), int)
    for step in range(steps):
        total = wins + losses + alpha + beta
        mean = (wins + alpha) / total
        index = mean + 0.8 * np.sqrt(mean * (1 - mean) / (total + 1))
        pulled[:, step] = arm = index.argmax(axis=1)
        reward = rewards[each, step, arm]
        wins[each, arm] += reward
        losses[each, arm] += 1 - reward
    return pulled


@learned_prior_exercise.also_right
def by_likelihood(table, wins, pulls):
    from scipy.optimize import minimize
    from scipy.stats import betabinom

    def surprise(logs):
        return -betabinom.logpmf(wins, pulls, *np.exp(logs)).sum()

    alpha, beta = np.exp(minimize(surprise, [0.0, 1.0], method="Nelder-Mead").x)
    return played(table, lambda won, lost: (won + alpha) / (won + lost + alpha + beta))


@learned_prior_exercise.mistake(
    "So small a regret cannot be had from what was pulled: rewards of arms that were not pulled have been looked at.",
    shows=lambda case, got: _regret(got, case.hidden).mean < 2.0,
)
def sees_all_arms(rewards, old_wins, old_pulls):
    return (np.cumsum(rewards, axis=1) - rewards).argmax(axis=2)


@learned_prior_exercise.mistake(
    "The regret is that of the uniform prior: one failure leaves its mean at a third, and a fresh arm is always worth "
    "a try. What do the old machines say?",
    shows=lambda case, got: 4.22 < _regret(got, case.hidden).mean < 6.5,
)
def uniform_prior(rewards, old_wins, old_pulls):
    return played(rewards, lambda wins, losses: (wins + 1) / (wins + losses + 2))


@learned_prior_exercise.mistake(
    "Nothing is learned within a task: the regret is that of always the same arm.",
    shows=lambda case, got: _regret(got, case.hidden).mean >= 6.5,
)
def always_one_arm(rewards, old_wins, old_pulls):
    return np.full(rewards.shape[:2], int((old_wins / old_pulls).mean(axis=0).argmax()))
