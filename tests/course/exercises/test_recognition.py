"""Mistakes as somebody else would write them, with other tools than the exercise's own wrong answers."""

import math
import random
import statistics

import numpy as np
import pytest

from metalearn_course.exercises.chapters import (
    concepts,
    initialisation,
    mathematics,
    memory,
    metric,
    museum,
)
from metalearn_course.exercises.engine import running


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 60.0)


def numeric_gradient(f, at):
    return [(f(at + 1e-5 * e) - f(at - 1e-5 * e)) / 2e-5 for e in np.eye(len(at))]


def coordinate_by_coordinate(t, xs, ys, rate):
    t = list(t)
    for i in range(2):
        t[i] = t[i] - rate * numeric_gradient(lambda p: np.mean((p[0] + p[1] * xs - ys) ** 2), np.array(t))[i]
    return t


def loss_summed(t, xs, ys, rate):
    return np.array(t) - rate * np.array(numeric_gradient(lambda p: np.sum((p[0] + p[1] * xs - ys) ** 2), t))


def at_the_end_of_the_step(w, x, z, alpha):
    end = w - alpha * np.array(numeric_gradient(lambda v: (v @ x) ** 2 / 2, w))
    return numeric_gradient(lambda v: (v @ z) ** 2 / 2, end)


def at_its_start(w, x, z, alpha):
    return numeric_gradient(lambda v: (v @ z) ** 2 / 2, w)


def support_loss_after_the_step(w, x, z, alpha):
    return numeric_gradient(lambda v: ((v - alpha * (v @ x) * x) @ x) ** 2 / 2, w)


def mean_of_exact_ones(w, x, z, alpha):
    def outer(v):
        return np.mean([((v - alpha * (v @ a) * a) @ b) ** 2 / 2 for a, b in zip(x, z, strict=True)])

    return numeric_gradient(outer, w)


def euclidean(a, y, b):
    return [[-math.dist(q, np.mean(a[y == k], axis=0)) for k in sorted(set(y.tolist()))] for q in b]


def one_neighbour(a, y, b):
    classes = sorted(set(y.tolist()))
    return [[-min(math.dist(q, s) ** 2 for s, c in zip(a, y, strict=True) if c == k) for k in classes] for q in b]


def students(values, deviation, factor):
    half = factor * deviation / math.sqrt(len(values))
    return statistics.mean(values) - half, statistics.mean(values) + half


def pstdev_and_z(table):
    means = table.mean(axis=1).tolist()
    return students(means, statistics.pstdev(means), statistics.NormalDist().inv_cdf(0.975))


def stdev_and_z(table):
    means = table.mean(axis=1).tolist()
    return students(means, statistics.stdev(means), statistics.NormalDist().inv_cdf(0.975))


def all_scores(table):
    from scipy import stats

    scores = table.flatten().tolist()
    return stats.t.interval(0.95, len(scores) - 1, np.mean(scores), stats.sem(scores))


def sampler(draw_support, draw_queries):
    def episode(labels, ways, shots, queries, seed):
        chance = random.Random(seed)
        classes = chance.sample(sorted(set(labels.tolist())), ways)
        pools = [[i for i, label in enumerate(labels) if label == c] for c in classes]
        support = [draw_support(chance, pool, shots) for pool in pools]
        return support, [draw_queries(chance, pool, queries) for pool in pools]

    return episode


def sample(chance, pool, number):
    return chance.sample(pool, number)


def choices(chance, pool, number):
    return chance.choices(pool, k=number)


def by_voting(similarity, share):
    def probabilities(queries, examples, labels, scale):
        rows = []
        for z in queries:
            weights = [math.exp(scale * similarity(z, x)) for x in examples]
            votes = [[w for w, c in zip(weights, labels, strict=True) if c == k] for k in sorted(set(labels.tolist()))]
            rows.append([share(own) / sum(weights) for own in votes])
        return rows

    return probabilities


def cosine(z, x):
    return sum(z * x) / math.hypot(*z) / math.hypot(*x)


def layer_of_half_squares(support, labels):
    """Weights as numeric gradients of ‖c‖²/2, beside the right bias."""
    means = [support[labels == k].mean(axis=0) for k in range(max(labels) + 1)]
    return [[*numeric_gradient(lambda v: np.sum(v**2) / 2, c), -(math.hypot(*c) ** 2)] for c in means]


def rival_by_rival(ranks, others, ways):
    return statistics.mean(math.prod([(others - rank) / others] * (ways - 1)) for rank in ranks.tolist())


def shuffled_examples(rule):
    query, support, labels = np.eye(3), np.arange(18.0).reshape(6, 3) ** 1.5, np.array([0, 0, 1, 1, 2, 2])
    return not np.allclose(rule(query, support[::-1], labels), rule(query, support, labels))


def few_seeds(sampler):
    parts = [sampler(np.array([0] * 30 + [1] * 30), 2, 3, 3, s) for s in (0, 1, 2, 4, 5, 6, 7, 9)]
    return any(i in np.ravel(q) for s, q in parts for i in np.ravel(s))


def softmax_down_the_columns(queries, keys, values, beta):
    from scipy.spatial.distance import cdist
    from scipy.special import softmax

    return softmax(-beta * cdist(queries, keys, "sqeuclidean"), axis=0) @ values


def by_nearest_key(queries, keys, values, beta):
    return [values[min(range(len(keys)), key=lambda i: math.dist(q, keys[i]))] for q in queries]


def fitted_by_descent(penalty):
    """Ridge as the end of many gradient steps on |Xw − y|² + λ |w|²."""

    def predict(x, y, queries, noise, spread):
        w, strength = np.zeros(x.shape[1]), penalty(len(x), noise, spread)
        rate = 1 / (np.linalg.norm(x, 2) ** 2 + strength)
        for _ in range(20_000):
            w = w - rate * (x.T @ (x @ w - y) + strength * w)
        return queries @ w

    return predict


def numeric_step(sign, mean):
    """Residuals after a step along a numeric gradient."""

    def layer(tokens, context, alpha):
        gradient = numeric_gradient(
            lambda w: mean((context[:, :-1] @ w - context[:, -1]) ** 2) / 2, np.zeros(context.shape[1] - 1)
        )
        w = -alpha * np.array(gradient)
        return [[*row[:-1], row[-1] + sign * row[:-1] @ w] for row in tokens]

    return layer


def one_label_after_the_other(learner):
    x, y = [0.3, -1.2, 0.8, 2.0], [1.0, 2.0, -1.0, 0.5]
    before = list(learner(np.array(x), np.array(y)))
    for i in range(4):
        other = [*y[:i], y[i] + 40, *y[i + 1 :]]
        if abs(list(learner(np.array(x), np.array(other)))[i] - before[i]) > 1e-6:
            return True
    return False


def where_the_slope_at_the_end_vanishes(h, c, alpha, n):
    def slope(start):
        end = c + (start - c) * (1 - alpha * h) ** n
        return np.mean(h * (end - c))

    return -slope(0.0) / (slope(1.0) - slope(0.0))


def steps_of_the_rates_alone(w, a, x, y, query_x, query_y):
    def outer(r):
        return np.mean(
            (query_x @ (w - r * numeric_gradient(lambda v: np.mean((x @ v - y) ** 2) / 2, w)) - query_y) ** 2
        )

    return -np.array(numeric_gradient(outer, a)) / 2


def chain_in_the_order_of_the_steps(hessians, g, alpha):
    jacobian = np.eye(len(g))
    for hessian in hessians:
        jacobian = jacobian @ (np.eye(len(g)) - alpha * hessian)
    return jacobian.T @ g


def damped_newton(hessian, g, pull):
    return np.linalg.inv(hessian + np.diag([pull] * len(g))) @ g


def of_the_mean_task(before, after):
    mean = sum(after) / len(after)
    return [math.dist(m, b) / math.hypot(*b) for m, b in zip(mean, before, strict=True)]


def ratio_of_widths(a, b):
    d = [x - y for x, y in zip(a, b, strict=True)]
    return len(d) * 1.96**2 * statistics.variance(d) / len(d) / statistics.mean(d) ** 2


def back_to_the_old_names(before, after, names):
    old = {int(name): c for c, name in enumerate(names)}
    return max(abs(a[old[c]] - b[c]) for a, b in zip(after, before, strict=True) for c in range(len(names)))


def queries_reversed(predict):
    x, y, q = np.eye(4), np.array([0, 1, 0, 1]), np.arange(12.0).reshape(3, 4) / 7
    return any(abs(np.array(predict(x, y, q))[::-1] - predict(x, y, q[::-1])).ravel() > 1e-9)


FOREIGN = [
    (initialisation.chapter.best_start, where_the_slope_at_the_end_vanishes, "first_order"),
    (initialisation.chapter.rate_gradient, steps_of_the_rates_alone, "no_sign"),
    (initialisation.chapter.walk_back, chain_in_the_order_of_the_steps, "forwards"),
    (initialisation.chapter.implicit_gradient, damped_newton, "scaled"),
    (initialisation.chapter.moved, of_the_mean_task, "mean_first"),
    (mathematics.chapter.one_update, (-2, -4.67), "gradient only"),
    (mathematics.chapter.one_update, [0.4, -1.4], "uphill"),
    (mathematics.chapter.update, coordinate_by_coordinate, "one_after_the_other"),
    (mathematics.chapter.update, loss_summed, "sum_for_mean"),
    (mathematics.chapter.meta_gradient, at_the_end_of_the_step, "detached"),
    (mathematics.chapter.meta_gradient, at_its_start, "before_the_update"),
    (mathematics.chapter.meta_gradient, support_loss_after_the_step, "support_as_query"),
    (mathematics.chapter.fomaml_gradient, mean_of_exact_ones, "second_order"),
    (mathematics.chapter.two_tapes, ["a", "d", "c", "e", "b"], "outer tape too late"),
    (metric.chapter.matching, by_voting(np.dot, sum), "products"),
    (metric.chapter.matching, by_voting(cosine, statistics.mean), "mean_attention"),
    (metric.chapter.linear_layer, layer_of_half_squares, "no_factor_2"),
    (metric.chapter.embedding_scale, (0.731, 0.953), "[0.7311, 0.9526]"),
    (metric.chapter.expected_accuracy, rival_by_rival, "with_replacement"),
    (metric.chapter.depends_on_order, shuffled_examples, "labels_left_behind"),
    (memory.chapter.recall, softmax_down_the_columns, "over_the_queries"),
    (memory.chapter.recall, by_nearest_key, "nearest"),
    (memory.chapter.predict, fitted_by_descent(lambda n, noise, spread: noise**2), "without_the_prior"),
    (
        memory.chapter.predict,
        fitted_by_descent(lambda n, noise, spread: n * noise**2 / spread**2),
        "times_the_examples",
    ),
    (memory.chapter.layer, numeric_step(1, np.mean), "added"),
    (memory.chapter.layer, numeric_step(-1, np.sum), "summed"),
    (memory.chapter.peeks, one_label_after_the_other, "own_label_only"),
    (museum.chapter.fails_to_follow, back_to_the_old_names, "inverse"),
    (museum.chapter.tasks_needed, ratio_of_widths, "normal_for_student"),
    (museum.chapter.informed, queries_reversed, "order_only"),
    (concepts.chapter.how_much_leaks, 1 - 0.2262, "0.7738"),
    (concepts.chapter.episode, sampler(sample, sample), "two_draws"),
    (concepts.chapter.episode, sampler(choices, choices), "with_replacement"),
    (concepts.chapter.logits, euclidean, "unsquared"),
    (concepts.chapter.logits, one_neighbour, "nearest_example"),
    (concepts.chapter.leaks, few_seeds, "one_episode"),
    (concepts.chapter.interval, pstdev_and_z, "population_and_normal"),
    (concepts.chapter.interval, stdev_and_z, "normal_for_student"),
    (concepts.chapter.interval, all_scores, "over_queries"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), FOREIGN)
def test_it_is_recognised(exercise, answer, mistake: str) -> None:
    verdict = exercise.check(answer)
    assert verdict.mistake == mistake, verdict
