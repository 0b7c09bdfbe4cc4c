"""Bandits: the regret of a trial, and what is known about an arm."""

import numpy as np

from metalearn_course.exercises.engine import Function


def _draw_trial(rng: np.random.Generator) -> tuple:
    """The best arm is not pulled in half of the trials."""
    p = rng.permutation(np.array([0.9, *rng.uniform(0, 0.8, size=3)]))
    arms = np.argsort(p)[: rng.integers(3, 5)]
    return p, rng.choice(arms, size=6)


def _draw_counts(rng: np.random.Generator) -> tuple:
    """At least one arm was tried and one was not."""
    successes, failures = rng.integers(0, 6, size=4), rng.integers(1, 6, size=4)
    successes[0] = failures[0] = 0
    return successes.astype(float), failures.astype(float)


regret_exercise = Function(
    "Regret",
    r"""
    Arm $k$ pays 1 with probability $p_k$. Return the regret after each pull: how much less reward, in expectation, was
    earned so far than by pulling the best arm every time.
    """,
    example=(np.array([0.2, 0.9, 0.5]), np.array([0, 2, 2])),
    draw=_draw_trial,
    hints=("What does one pull of arm k lose against the best arm?", "`np.cumsum(p.max() - p[actions])`."),
)


@regret_exercise.reference(
    "Each pull of arm k loses max p − p_k. It is about probabilities, so luck plays no part in it."
)
def regret(p, actions):
    """Regret [n] after each of the pulls actions [n], for arms that pay with probabilities p [K]."""
    return np.cumsum(p.max() - p[actions])


@regret_exercise.mistake("That is what each pull loses; regret is what has been lost *so far*: sum it up.")
def not_summed(p, actions):
    return p.max() - p[actions]


@regret_exercise.mistake(
    "You compare with the best arm that was pulled. Never having found the best one is what regret is about."
)
def best_pulled(p, actions):
    return np.cumsum(p[actions].max() - p[actions])


@regret_exercise.mistake("You compare with an arm pulled at random. Regret is against the best arm.")
def against_chance(p, actions):
    return np.cumsum(p.mean() - p[actions])


@regret_exercise.mistake("The sign: what is lost is positive.")
def sign_flipped(p, actions):
    return -regret(p, actions)


@regret_exercise.mistake(
    "You divide by the number of pulls. That mean goes to zero for any good player; regret is the sum."
)
def mean_so_far(p, actions):
    return regret(p, actions) / np.arange(1, len(actions) + 1)


@regret_exercise.mistake("That is the expected reward so far, not what was lost.")
def earned(p, actions):
    return np.cumsum(p[actions])


@regret_exercise.mistake(
    "You add up the probabilities of the best arm only: what was pulled earns something too, and is to be subtracted."
)
def nothing_earned(p, actions):
    return np.cumsum(np.full(len(actions), p.max()))


@regret_exercise.also_right
def with_a_loop(probabilities, pulls):
    total, result = 0.0, []
    for arm in pulls.tolist():
        total += max(probabilities) - probabilities[arm]
        result.append(total)
    return result


upper_bound_exercise = Function(
    "An upper bound",
    r"""
    UCB1 pulls the arm with the largest index $\frac{s}{n} + \sqrt{\frac{2 \ln t}{n}}$, with $s$ successes in $n$ pulls
    of the arm, and $t$ pulls of all arms together. Return the index of every arm; each was pulled at least once.
    """,
    example=(np.array([3.0, 0.0, 5.0]), np.array([1.0, 2.0, 5.0])),
    draw=lambda rng: (rng.integers(0, 9, size=5).astype(float), rng.integers(1, 9, size=5).astype(float)),
    hints=(
        "n differs from arm to arm; t is the same for all.",
        "n = s + f and t = n.sum(); then `s / n + np.sqrt(2 * np.log(t) / n)`.",
    ),
)


@upper_bound_exercise.reference(
    "The bonus shrinks for arms that were pulled often, and grows, slowly, for those that were left alone."
)
def upper_bound(successes, failures):
    """The index [K] of arms with successes [K] and failures [K]."""
    n = successes + failures
    return successes / n + np.sqrt(2 * np.log(n.sum()) / n)


@upper_bound_exercise.mistake("The bonus is missing: the mean alone never goes back to an arm that began badly.")
def mean_only(successes, failures):
    return successes / (successes + failures)


@upper_bound_exercise.mistake(
    "The logarithm is that of all pulls together: an arm left alone has to become more attractive with time."
)
def logarithm_of_its_own(successes, failures):
    n = successes + failures
    return successes / n + np.sqrt(2 * np.log(n) / n)


@upper_bound_exercise.mistake("The root is missing: uncertainty shrinks like 1/√n, not like 1/n.")
def no_root(successes, failures):
    n = successes + failures
    return successes / n + 2 * np.log(n.sum()) / n


@upper_bound_exercise.mistake("You divide the successes by all pulls together, and not by those of the arm.")
def share_of_all(successes, failures):
    n = successes + failures
    return successes / n.sum() + np.sqrt(2 * np.log(n.sum()) / n)


@upper_bound_exercise.mistake(
    "You subtract the bonus: that is the lower end. To be optimistic about what is unknown is the idea."
)
def lower_bound(successes, failures):
    return 2 * mean_only(successes, failures) - upper_bound(successes, failures)


@upper_bound_exercise.mistake("The 2 under the root is missing.")
def no_factor(successes, failures):
    n = successes + failures
    return successes / n + np.sqrt(np.log(n.sum()) / n)


@upper_bound_exercise.mistake("You divide by the failures: n counts all pulls of the arm, successes too.")
def failures_for_pulls(successes, failures):
    return successes / failures + np.sqrt(2 * np.log((successes + failures).sum()) / failures)


@upper_bound_exercise.also_right
def arm_by_arm(s, f):
    from math import log, sqrt

    t = sum(s) + sum(f)
    return [a / (a + b) + sqrt(2 * log(t) / (a + b)) for a, b in zip(s, f, strict=True)]


belief_exercise = Function(
    "What to believe about an arm",
    r"""
    Before the first pull an arm's probability is uniform in $[0, 1]$. After $s$ successes and $f$ failures it has the
    distribution Beta$(1 + s, 1 + f)$, which Thompson sampling draws from. Return its mean and its standard deviation, a
    row for each arm. (Beta$(a, b)$ has the mean $\frac{a}{a + b}$ and the variance $\frac{ab}{(a + b)^2 (a + b + 1)}$.)
    """,
    example=(np.array([0.0, 3.0]), np.array([0.0, 1.0])),
    draw=_draw_counts,
    hints=("An arm never pulled has the mean ½: check yours.", "a = 1 + s, b = 1 + f; the root of the variance."),
)


@belief_exercise.reference(
    "The prior counts as one success and one failure, so an arm never pulled has the mean ½, with a wide distribution."
)
def belief(successes, failures):
    """Mean and standard deviation [K, 2] of the probability of arms with successes [K] and failures [K]."""
    a, b = 1 + successes, 1 + failures
    return np.stack([a / (a + b), np.sqrt(a * b / (a + b + 1)) / (a + b)], axis=1)


@belief_exercise.mistake("That is the variance; the question asks for the standard deviation, its root.")
def variance(successes, failures):
    return belief(successes, failures) ** np.array([1, 2])


@belief_exercise.mistake("Successes and failures are swapped.")
def swapped(successes, failures):
    return belief(failures, successes)


@belief_exercise.mistake("The prior is missing: an arm that failed once would then be certain never to pay.")
def no_prior(successes, failures):
    n = np.maximum(successes + failures, 1)
    p = successes / n
    return np.stack([p, np.sqrt(p * (1 - p) / (n + 1))], axis=1)


@belief_exercise.mistake(
    "That is the deviation of a single pull, √(p(1 − p)). The question is how sure we are about p."
)
def of_a_pull(successes, failures):
    p = belief(successes, failures)[:, 0]
    return np.stack([p, np.sqrt(p * (1 - p))], axis=1)


@belief_exercise.mistake("You return two rows; the question asks for one row per arm, [K, 2].")
def wrong_axis(successes, failures):
    return belief(successes, failures).T


@belief_exercise.also_right
def from_scipy(s, f):
    from scipy.stats import beta

    return [[beta(1 + a, 1 + b).mean(), beta(1 + a, 1 + b).std()] for a, b in zip(s, f, strict=True)]
