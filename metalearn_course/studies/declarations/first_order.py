"""MAML and FOMAML at the same inner rate, from small to large, with curvature × rate at the starts that they find."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from metalearn_course.studies.declarations import initialisations as common
from metalearn_course.studies.study import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

RATES = (0.0025, 0.005, 0.01, 0.02, 0.04)
OF_JOINT = 0.02


@dataclass
class Found:
    """A start, and the inner rate α at which it is looked at."""

    start: common.Start
    alpha: float


def at_rate(alpha, **options):
    """MAML or FOMAML with this inner rate, looked at with the same."""

    def train(seed, outer_lr):
        return Found(common.maml("MAML", **options)(seed, alpha, outer_lr), alpha)

    return train


def joint(seed, outer_lr):
    """Joint training, looked at with `OF_JOINT`."""
    return Found(common.joint(seed, outer_lr), OF_JOINT)


def dot(a, b):
    """The scalar product of each task [T]."""
    return tf.add_n([tf.reduce_sum(p * q, axis=range(1, len(p.shape))) for p, q in zip(a, b, strict=True)])


@tf.function(autograph=False)
def kappa(weights, alpha, x, y, query_x, query_y):
    """κ = α gᵀHg / gᵀg of each task, g the gradient of the query loss after a step, H the Hessian before it."""
    after = [w - alpha * a for w, a in zip(weights, common.gradients(weights, x, y), strict=True)]
    g = common.gradients(after, query_x, query_y)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        along = tf.reduce_sum(dot(common.gradients(weights, x, y), [tf.stop_gradient(a) for a in g]))
    return alpha * dot(g, tape.gradient(along, weights)) / dot(g, g)


def validate(found):
    """The error after one step on validation tasks."""
    start = found.start
    if start.name == "joint training":
        return common.at_best_rate(start.weights, start.rates, 1, common.VALIDATION)
    query_y = common.gathered(common.VALIDATION)[1]
    return common.score(common.after(start.weights, start.rates, 1, common.VALIDATION), query_y)


def measure(found):
    """κ of each test task, and the error after one step."""
    start = found.start
    inputs, query_y = common.gathered(common.TEST)
    x, y, query_x = inputs
    weights = common.for_each_task(start.weights)
    values = kappa(weights, tf.constant(found.alpha), x, y, query_x, tf.constant(query_y)).numpy()
    above = (values > 1).astype(float)
    tasks = fingerprint(query_y)
    scores = {
        "κ": ml.Score(values.astype(float), "curvature times rate", tasks),
        "κ above 1": ml.Score(above, "share of tasks", tasks),
    }
    if start.name != "joint training":
        error = common.after(start.weights, start.rates, 1, common.TEST)
        scores["after 1 step"] = common.score(np.asarray(error), query_y)
    return scores


OUTER = {"outer_lr": [0.001, 0.003, 0.01, 0.03]}
STUDY = Study(
    name="first_order",
    chapter="07",
    question="How does the loss by leaving out the second order depend on the inner rate?",
    budget="4,000 outer steps of 25 tasks each",
    rivals={f"MAML, α = {alpha}": Rival(at_rate(alpha), OUTER) for alpha in RATES}
    | {f"FOMAML, α = {alpha}": Rival(at_rate(alpha, first_order=True), OUTER) for alpha in RATES}
    | {"joint training": Rival(joint, {"outer_lr": [0.001, 0.003, 0.01, 0.03, 0.1]})},
    validate=validate,
    measure=measure,
)
