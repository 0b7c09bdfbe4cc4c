"""Every mistake is caught by its own check, whoever makes it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.auditing import Finding, Report
from metalearn_lib.auditing.labels import chance
from tests.auditing.subjects import LABELS, REGRESSION, VALUES, compiled, least_squares, nearest_mean, net, part


class SilentlyFirstOrder(ml.MAML):
    """Claims first_order=False."""

    def adapt(self, *arguments, first_order: bool = False, **others):
        return super().adapt(*arguments, first_order=True, **others)


class OwnModel(keras.Model):
    """A visitor's learner, trained by Keras's own step: one gradient step on a linear model, detached or not."""

    def __init__(self, detached: bool) -> None:
        super().__init__()
        self.w = self.add_weight(shape=(4, 1), initializer="random_normal")
        self.detached = detached

    def call(self, task):
        x, y = task["support_x"], task["support_y"]
        gradient = 2 * tf.matmul(x, tf.matmul(x, self.w) - y, transpose_a=True) / x.shape[1]
        if self.detached:
            gradient = tf.stop_gradient(gradient)
        return tf.matmul(task["query_x"], self.w - 0.1 * gradient)


def test_a_detached_inner_gradient_is_caught() -> None:
    report = ml.audit(compiled(SilentlyFirstOrder(net(), inner_lr=0.05, inner_steps=2)), VALUES)
    assert report["order of gradient"].verdict == "failed"
    assert "first order" in report["order of gradient"].mistake


def test_a_declared_first_order_gets_a_note() -> None:
    finding = ml.audit(compiled(ml.MAML(net(), inner_lr=0.02, first_order=True)), part(VALUES, 8))["order of gradient"]
    assert finding.verdict == "declared" and "first_order=True" in finding.sentence


@pytest.mark.parametrize(("detached", "verdict"), [(True, "failed"), (False, "passed")])
def test_a_model_of_ones_own_without_any_declaration(detached: bool, verdict: str) -> None:
    assert ml.audit(compiled(OwnModel(detached)), VALUES)["order of gradient"].verdict == verdict


class OwnStep(OwnModel):
    """Claims an order, but its training step shows no gradient to the optimiser."""

    first_order = False

    def train_step(self, data):
        self.w.assign_sub(0.01 * tf.ones((4, 1)))
        return {}


def test_a_training_step_without_the_optimiser_cannot_be_compared() -> None:
    learner = compiled(OwnStep(detached=False))
    before = learner.w.numpy()
    finding = ml.audit(learner, part(VALUES, 8))["order of gradient"]
    assert finding.verdict == "not applicable" and "optimiser" in finding.sentence
    assert np.array_equal(learner.w.numpy(), before)


def test_the_share_of_leaked_queries() -> None:
    """One query of two in task 0 is its first support example, none in task 1: a quarter in all."""
    task, query_y = part(VALUES, 2, queries=2)
    task["query_x"][0, 1] = task["support_x"][0, 0]
    leakage = ml.audit(least_squares, (task, query_y))["leakage"]
    assert leakage.verdict == "failed" and leakage.sentence.startswith("25.0 %")
    task["query_x"][0, 1] = task["support_x"][1, 0]  # of another task: no leak
    assert ml.audit(least_squares, (task, query_y))["leakage"].verdict == "passed"


def test_before_adaptation_scored_on_the_support_set() -> None:
    task, _ = part(VALUES, 20)
    on_support = {**task, "query_x": task["support_x"]}, task["support_y"]
    assert ml.audit(least_squares, on_support)["leakage"].sentence.startswith("100.0 %")


def test_tasks_that_were_trained_on() -> None:
    report = ml.audit(least_squares, part(VALUES, 20), training=part(VALUES, 10))
    assert report["held out"].sentence.startswith("50.0 %") and "held out" in report.failed
    assert ml.audit(least_squares, part(VALUES, 20), training=REGRESSION)["held out"].verdict == "passed"


def test_statistics_of_the_queries() -> None:
    def centred(task):
        return least_squares({**task, "query_x": task["query_x"] - task["query_x"].mean(axis=1, keepdims=True)})

    finding = ml.audit(centred, VALUES)["transduction"]
    assert finding.verdict == "failed" and "the other queries" in finding.sentence


def test_statistics_of_the_whole_meta_batch() -> None:
    def centred(task):
        return least_squares({**task, "query_x": task["query_x"] - task["query_x"][:, :1].mean()})

    assert ml.audit(centred, VALUES)["transduction"].verdict == "failed"


def test_an_answer_by_place_in_the_list_of_queries() -> None:
    """Queries that stand class by class give their classes away."""
    task, query_y = LABELS
    order = np.argsort(query_y, axis=1, kind="stable")
    ordered = {**task, "query_x": np.take_along_axis(task["query_x"], order[..., None], 1)}
    places = np.tile(np.repeat([0, 1], 5), (300, 1))
    report = ml.audit(lambda task: places, (ordered, np.sort(query_y, axis=1)))
    assert "label permutation" in report.failed
    finding = ml.audit(lambda task: least_squares(task) + np.arange(5)[:, None], VALUES)["transduction"]
    assert finding.verdict == "failed" and "the order of the queries" in finding.sentence


@pytest.mark.parametrize(("batch_norm", "verdict"), [("transductive", "declared"), ("support", "passed")])
def test_declared_transduction_gets_a_note(batch_norm: str, verdict: str) -> None:
    layers = [keras.Input((2,)), keras.layers.Dense(8), keras.layers.BatchNormalization()]
    learner = compiled(ml.PrototypicalNetwork(keras.Sequential(layers), batch_norm=batch_norm), LABELS)
    finding = ml.audit(learner, part(LABELS, 32))["transduction"]
    assert finding.verdict == verdict
    assert ("predictions move" in finding.sentence) == (verdict == "declared")


def test_predictions_by_chance_cannot_be_compared() -> None:
    rng = np.random.default_rng(0)
    finding = ml.audit(lambda task: rng.normal(size=VALUES[1].shape), VALUES)["transduction"]
    assert finding.verdict == "not applicable" and "call to call" in finding.sentence


def test_no_use_of_the_support_set() -> None:
    """What training on a sequence of tasks leaves behind: one model for all of them."""
    report = ml.audit(lambda task: task["query_x"] @ np.array([[1.0], [0.5], [0.0], [-0.5]]), VALUES)
    assert {"label permutation", "baseline"} <= set(report.failed)


def test_classes_with_a_fixed_meaning() -> None:
    """Class 1 is to the right in every task, and a learner that knows it needs no support set."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(300, 20, 2)).astype(np.float32)
    y = (x[..., 0] > 0).astype(np.int32)
    tasks = {"support_x": x[:, :10], "support_y": y[:, :10], "query_x": x[:, 10:]}, y[:, 10:]

    def memorised(task):
        place = 10 * task["query_x"][..., 0] + 1e-2 * task["support_y"][:, :1]
        return np.stack([-place, place], axis=-1)

    finding = ml.audit(memorised, tasks)["label permutation"]
    assert finding.verdict == "failed" and "by chance" in finding.sentence


def test_labels_without_meaning() -> None:
    """Labels that do not follow from the inputs: nothing to learn, so nobody is ahead of chance."""
    task, query_y = part(LABELS, 300)
    rng = np.random.default_rng(1)
    random = {**task, "support_y": rng.permuted(task["support_y"], axis=1)}, rng.permuted(query_y, axis=1)
    report = ml.audit(nearest_mean, random)
    assert report.failed == ["baseline"] and "chance" in report["baseline"].sentence
    assert "chance" not in ml.audit(nearest_mean, LABELS)["baseline"].sentence  # lost to the nearest neighbour alone


def test_chance_is_what_the_commonest_label_of_the_support_set_reaches() -> None:
    """Task 0: both labels are as common, half of the queries each way. Task 1: label 1, that of one query in four."""
    support_y, query_y = np.array([[0, 1, 0, 1], [1, 1, 0, 1]]), np.array([[0, 1, 1, 1], [0, 0, 1, 0]])
    assert chance(support_y, query_y).values.tolist() == [0.5, 0.25]


def test_argmax_over_examples() -> None:
    """With as many queries as classes the shape is right by accident."""
    task, query_y = part(LABELS, 300, queries=2)
    report = ml.audit(lambda task: nearest_mean(task).argmax(axis=1), (task, query_y))
    assert {"transduction", "baseline"} <= set(report.failed)
    with pytest.raises(ValueError, match=r"shape \(300, 2\), expected \(300, 10, 2\) scores or \(300, 10\)"):
        ml.audit(lambda task: nearest_mean(task).argmax(axis=1), LABELS)
    right = ml.audit(lambda task: nearest_mean(task).argmax(axis=2), LABELS)
    assert not {"transduction", "label permutation"} & set(right.failed)


def test_one_task_and_few_tasks() -> None:
    one = ml.audit(least_squares, part(VALUES, 1))
    assert one.failed == ["interval"] and "One task" in one["interval"].sentence
    few = ml.audit(lambda task: nearest_mean(task, 0.999), part(LABELS, 6), baselines={"plain": nearest_mean})
    assert few["interval"].verdict == "failed" and "may be nothing" in few["interval"].sentence
    assert ml.audit(least_squares, part(VALUES, 32))["interval"].verdict == "passed"  # the difference is large


def test_a_baseline_of_ones_own_is_to_be_beaten() -> None:
    report = ml.audit(ml.NearestNeighbor(), VALUES, baselines={"least squares": least_squares})
    assert "least squares" in report["interval"].sentence
    report = ml.audit(
        least_squares, VALUES, baselines={"least squares with a ridge": lambda task: least_squares(task, 1.0)}
    )
    assert report.failed == []


def test_the_learner_is_left_as_it_was() -> None:
    learner = compiled(OwnModel(detached=False))
    learner.fit(REGRESSION, steps_per_epoch=2, shuffle=False, verbose=0)
    optimizer, variables = learner.optimizer, [*learner.variables, *learner.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    ml.audit(learner, part(VALUES, 8))
    assert learner.optimizer is optimizer
    assert all(np.array_equal(v.numpy(), value) for v, value in zip(variables, before, strict=True))


def test_a_report_shows_itself() -> None:
    report = Report("Audit of a < b", (Finding("leakage", "failed", "25 % leak.", "drawn with replacement"),))
    assert repr(report) == (
        "Audit of a < b\nleakage           failed          25 % leak. Mistake: drawn with replacement."
    )
    assert "a &lt; b" in report._repr_html_() and "drawn with replacement" in report._repr_html_()
    with pytest.raises(KeyError):
        report["unknown"]


def test_what_cannot_be_audited() -> None:
    with pytest.raises(TypeError, match="learner is a str, expected a Keras model or a function of a task"):
        ml.audit("MAML", VALUES)
    with pytest.raises(ValueError, match="query_x has 2 tasks but support_x has 300"):
        ml.audit(least_squares, ({**VALUES[0], "query_x": VALUES[0]["query_x"][:2]}, VALUES[1]))
