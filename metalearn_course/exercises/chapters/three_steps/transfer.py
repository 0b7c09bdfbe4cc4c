"""What a recall is for: weights to start from. And which weights have a mean."""

import numpy as np

from metalearn_course.exercises.engine import Function, Value


def _memory(rng: np.random.Generator) -> tuple:
    k, alpha = int(rng.integers(3, 6)), float(rng.uniform(0.1, 0.3))
    return rng.normal(size=(7, 2)), rng.uniform(0.2, 2, size=7), k, rng.normal(size=4), rng.normal(size=4), alpha


transferred_exercise = Function(
    "Transfer, then learn",
    r"""
    A memory holds lines $\theta_0 + \theta_1 x$, all learned from one common start, and a new task knows its distance
    to each. Start from the **mean of the k nearest** θ, then take **one** step $\theta - \alpha \nabla L$ on the new
    task's support set, where $L$ is the mean squared error. Return θ after that step.
    """,
    example=(
        np.array([[0.0, 4.0], [1.0, 1.0], [0.0, 2.0], [1.0, 2.0]]),
        np.array([3.0, 0.5, 1.0, 2.0]),
        2,
        np.array([0.0, 1.0, 2.0]),
        np.array([1.0, 2.0, 5.0]),
        0.1,
    ),
    draw=_memory,
    hints=(
        "`np.argsort(distances)[:k]` are the positions of the k nearest.",
        "With residuals r = θ₀ + θ₁x − y at the start, the gradient is `2 * np.array([r.mean(), (r * x).mean()])`.",
    ),
)


def _step(theta, x, y, alpha):
    r = theta[0] + theta[1] * x - y
    return theta - alpha * 2 * np.array([r.mean(), (r * x).mean()])


@transferred_exercise.reference(
    "Transfer changes nothing but the start of the inner loop. (For lines, averaging the k nearest and then stepping "
    "is the same as stepping from each and then averaging: both are linear in θ. For networks it is not.)"
)
def transferred(thetas, distances, k, x, y, alpha):
    """Theta [2] after one step, from thetas [N, 2] and distances [N] of the memory, and the new task's x, y [S]."""
    start = thetas[np.argsort(distances)[:k]].mean(axis=0)
    r = start[0] + start[1] * x - y
    return start - alpha * 2 * np.array([r.mean(), (r * x).mean()])


@transferred_exercise.mistake(
    "You average the k entries that were stored first. Near is what has a small distance: sort by that."
)
def the_first_k(thetas, distances, k, x, y, alpha):
    return _step(thetas[:k].mean(axis=0), x, y, alpha)


@transferred_exercise.mistake("You always average two entries, whatever k is.")
def always_two(thetas, distances, k, x, y, alpha):
    return _step(thetas[np.argsort(distances)[:2]].mean(axis=0), x, y, alpha)


@transferred_exercise.mistake(
    "You take the median of the k nearest θ. With k = 2 it is the mean; with more it is another point."
)
def median(thetas, distances, k, x, y, alpha):
    return _step(np.median(thetas[np.argsort(distances)[:k]], axis=0), x, y, alpha)


@transferred_exercise.mistake(
    "The nearer entries count more in your mean. Exercise 5 of the chapter tries that; here all k count alike."
)
def weighted_by_nearness(thetas, distances, k, x, y, alpha):
    near = np.argsort(distances)[:k]
    weight = 1 / distances[near]
    return _step((weight[:, None] * thetas[near]).sum(axis=0) / weight.sum(), x, y, alpha)


@transferred_exercise.mistake("You average the k farthest: the nearest have the smallest distances.")
def the_farthest(thetas, distances, k, x, y, alpha):
    return _step(thetas[np.argsort(distances)[-k:]].mean(axis=0), x, y, alpha)


@transferred_exercise.mistake(
    "You average the whole memory. That is one start for all tasks, much as joint training gives; recall is lost."
)
def the_whole_memory(thetas, distances, k, x, y, alpha):
    return _step(thetas.mean(axis=0), x, y, alpha)


@transferred_exercise.mistake("You start from the nearest one alone: k of them are asked for.")
def the_nearest_alone(thetas, distances, k, x, y, alpha):
    return _step(thetas[np.argmin(distances)], x, y, alpha)


@transferred_exercise.mistake("You start from the sum of the k nearest, not from their mean.")
def the_sum(thetas, distances, k, x, y, alpha):
    return _step(thetas[np.argsort(distances)[:k]].sum(axis=0), x, y, alpha)


@transferred_exercise.mistake(
    "Your weights are the distances: entries that are farther count more. The question asks for the plain mean."
)
def weighted_by_distance(thetas, distances, k, x, y, alpha):
    near = np.argsort(distances)[:k]
    return _step(np.average(thetas[near], axis=0, weights=distances[near]), x, y, alpha)


@transferred_exercise.mistake(
    "That is the start. The step on the new task's own support set is missing: without it nothing is learned."
)
def no_step(thetas, distances, k, x, y, alpha):
    return thetas[np.argsort(distances)[:k]].mean(axis=0)


@transferred_exercise.mistake("You went up the gradient: the step subtracts α∇L.")
def uphill(thetas, distances, k, x, y, alpha):
    return transferred(thetas, distances, k, x, y, -alpha)


@transferred_exercise.mistake("Your loss is the sum over the examples; it is their mean.")
def summed_loss(thetas, distances, k, x, y, alpha):
    return transferred(thetas, distances, k, x, y, alpha * len(x))


@transferred_exercise.mistake("The 2 of the square is missing: the derivative of r² is 2r.")
def no_factor_2(thetas, distances, k, x, y, alpha):
    return transferred(thetas, distances, k, x, y, alpha / 2)


@transferred_exercise.also_right
def steps_then_mean(memory, apart, number, inputs, targets, rate):
    near = sorted(range(len(apart)), key=lambda i: apart[i])[:number]
    return sum(_step(memory[i], inputs, targets, rate) for i in near) / number


@transferred_exercise.also_right
def with_a_matrix(thetas, distances, k, x, y, alpha):
    near = distances <= np.sort(distances)[k - 1]
    features = np.stack([np.ones_like(x), x], axis=1)
    start = np.array([thetas[near, 0].mean(), thetas[near, 1].mean()])
    return start - 2 * alpha / len(x) * features.T @ (features @ start - y)


mean_of_two_networks = Value(
    "Predict: the mean of two networks",
    r"""
    A network has two hidden units, $f(x) = v_1 \,\mathrm{relu}(u_1 x) + v_2 \,\mathrm{relu}(u_2 x)$. The first, with u
    = (1, 3) and v = (2, 0), learned a task. The second started from other random weights and learned the same with its
    two units exchanged: u = (3, 1), v = (0, 2). The third is made of the mean of their weights. What do the three give
    at x = 3? Three numbers.
    """,
    answer=[6, 6, 12],
    why="Unit 1 of the first network does what unit 2 of the second does: both give 2 · relu(3) = 6. The mean has u = "
    "(2, 2) and v = (1, 1): it gives 6 + 6 = 12, though the two that it is made of agree. A mean of weights makes "
    "sense where units keep their roles, as they do with one common start.",
    hints=("First the four mean weights.", "u = (2, 2), v = (1, 1): each unit gives 1 · relu(2 · 3)."),
)
mean_of_two_networks.mistake(
    "The mean of two equal *predictions* is 6. The prediction of mean *weights* is something else: f is not "
    "linear in them, u and v are multiplied.",
    [6, 6, 6],
    "mean of predictions",
)
mean_of_two_networks.mistake(
    "You exchanged u but not v. A unit takes its outgoing weight along: the second network has v = (0, 2).",
    [6, 18, 12],
    "v stayed",
)
mean_of_two_networks.mistake("Those are the weights' sums; divide them by two.", [6, 6, 48], "sum of weights")
mean_of_two_networks.mistake(
    "Your u is the mean, your v the sum: the mean of (2, 0) and (0, 2) is (1, 1).", [6, 6, 24], "sum of v"
)
mean_of_two_networks.also_right((6.0, 6.0, 12.0))
mean_of_two_networks.also_right(np.array([6, 6, 12]))
