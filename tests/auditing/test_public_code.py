"""Sixteen learners as public code writes them: each gets the verdict that is the truth about it."""

from importlib import import_module

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.auditing import public_code as public
from tests.auditing.subjects import VALUES, least_squares, part

VALUES_30, BLOBS = part(VALUES, 30), public.blobs(200)
SURVIVES = ["same call twice", "transduction"]  # from call to call, and from task to task

# What is audited, and all that fails.
RIGHT_AND_WRONG = {
    "MAML, untrained": (lambda: public.with_keras_step(False), VALUES_30, []),
    "MAML, detached": (lambda: public.with_keras_step(True), VALUES_30, ["order of gradient"]),
    "own train_step": (lambda: public.own_step(False), VALUES_30, []),
    "own train_step, detached": (lambda: public.own_step(True), VALUES_30, ["order of gradient"]),
    "in place": (lambda: public.in_place(resets=True), VALUES_30, []),
    "in place, never set back": (lambda: public.in_place(resets=False), VALUES_30, [*SURVIVES, "interval", "baseline"]),
    "Reptile": (public.reptile, VALUES_30, []),
    "Reptile, one inner step": (lambda: public.reptile(inner_steps=1), VALUES_30, ["interval", "baseline"]),
    "Reptile, no copy": (lambda: public.reptile(copies=False), VALUES_30, SURVIVES),
    "Reptile, no adaptation": (lambda: public.reptile(adapts=False), VALUES_30, ["label permutation", "baseline"]),
    "prototypes": (public.prototypes, BLOBS, []),
    # It also moves the averages that the support set is normalised by.
    "normalised by the queries": (lambda: public.prototypes(normalized_by_batch=True), BLOBS, SURVIVES),
    "by position": (lambda: public.prototypes(by_position=True), BLOBS, ["label permutation", "baseline"]),
    "softmax over queries": (lambda: public.prototypes(over_queries=True), BLOBS, ["transduction"]),
    "square root": (lambda: public.prototypes(root=True), BLOBS, []),  # another distance is no mistake
}


@pytest.mark.parametrize(("make", "tasks", "mistakes"), RIGHT_AND_WRONG.values(), ids=RIGHT_AND_WRONG)
def test_the_truth(make, tasks, mistakes) -> None:
    report = ml.audit(make(), tasks)
    assert report.failed == mistakes, report


def test_the_sixteenth_a_loop_of_ones_own_around_a_detached_model() -> None:
    learner, step = public.custom_loop(keras.optimizers.Adam(0.01), detached=True)
    report = ml.audit(learner, VALUES_30, step=step)
    assert report.failed == ["order of gradient"] and "first-order" in report["order of gradient"].sentence
    assert report["baseline"].verdict == "untrained"
    unseen = ml.audit(learner, VALUES_30)  # differentiated through its predictions instead
    assert "order of gradient" in unseen.failed and "first-order" in unseen["order of gradient"].sentence
    assert "Whether it was trained cannot be seen" in unseen["baseline"].sentence


@pytest.mark.parametrize(("in_loop", "verdict"), [(False, "passed"), (True, "failed")])
def test_a_loop_of_ones_own_around_a_right_model(in_loop: bool, verdict: str) -> None:
    """The step's loss is a sum, five times the mean: only the direction counts. Adam and the weights stay."""
    optimizer = keras.optimizers.Adam(0.01)
    learner, step = public.custom_loop(optimizer, detached_in_loop=in_loop)
    before = learner.get_weights()
    assert ml.audit(learner, VALUES_30, step=step)["order of gradient"].verdict == verdict
    assert ml.audit(learner, VALUES_30)["order of gradient"].verdict == "passed"
    assert all(np.array_equal(a, b) for a, b in zip(learner.get_weights(), before, strict=True))
    assert not any(np.any(v.numpy()) for v in optimizer.variables if "learning_rate" not in v.path)


class OwnReptile(public.Maml):
    """Its step descends no gradient of a loss, and is right."""

    def train_step(self, data):
        task, query_y = data
        adapted = self.adapt(task["support_x"][0], task["support_y"][0])
        variables = [self.meta[0], self.biases[0], self.meta[1], self.biases[1]]
        pairs = [(v - a, v) for v, a in zip(variables, adapted, strict=True)]
        self.optimizer.apply_gradients(pairs)
        return {"loss": tf.reduce_mean((self(task) - query_y) ** 2)}


@pytest.mark.parametrize(
    ("attributes", "verdict"),
    [({}, "not applicable"), ({"first_order": True}, "declared"), ({"first_order": False}, "failed")],
)
def test_what_a_learner_says_about_its_order(attributes, verdict) -> None:
    learner = OwnReptile()
    vars(learner).update(attributes)
    learner.compile(keras.optimizers.Adam(0.01), "mse")
    finding = ml.audit(learner, VALUES_30)["order of gradient"]
    assert finding.verdict == verdict
    assert ("Set learner.first_order = False" in finding.sentence) == (attributes == {})


def test_a_gradient_that_cannot_be_seen_says_how_to_show_it() -> None:
    for learner in (least_squares, public.in_place(resets=True)):
        finding = ml.audit(learner, part(VALUES, 3))["order of gradient"]
        assert finding.verdict == "not applicable" and "step=f" in finding.sentence
    finding = ml.audit(least_squares, part(VALUES, 3), step=lambda task, query_y: None)["order of gradient"]
    assert finding.verdict == "not applicable" and "apply_gradients" in finding.sentence


def noisy_keras():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(16), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    return lambda task: least_squares(task) + 1e-2 * np.stack([model(x, training=True) for x in task["query_x"]])


def noisy_graph():
    noise = tf.function(tf.random.normal)
    return lambda task: least_squares(task) + noise((*task["query_x"].shape[:2], 1)).numpy()


def noisy_numpy():
    rng = np.random.default_rng(0)
    return lambda task: least_squares(task) + rng.normal(size=(*task["query_x"].shape[:2], 1))


@pytest.mark.parametrize("make", [noisy_keras, noisy_graph, noisy_numpy])
def test_a_random_learner_is_told_from_one_whose_state_survives(make) -> None:
    learner = make()
    report = ml.audit(learner, VALUES_30)
    assert "same call twice" not in report.failed and "they are random" in report["same call twice"].sentence
    assert report["transduction"].verdict == "not applicable"
    assert not np.array_equal(learner(VALUES_30[0]), learner(VALUES_30[0]))  # its generators go on


def test_a_learner_whose_state_survives_is_left_as_it_was() -> None:
    learner = public.reptile(copies=False)
    before = learner.state["w"].copy()
    ml.audit(learner, VALUES_30)
    assert np.array_equal(learner.state["w"], before)


def test_what_is_behind_is_said_to_be_behind() -> None:
    report = ml.audit(public.reptile(adapts=False), VALUES_30)
    assert "behind nearest neighbour by 1" in report["interval"].sentence and "-" not in report["interval"].sentence
    assert "does not use its support set" in report["label permutation"].sentence
    by_position = ml.audit(public.prototypes(by_position=True), BLOBS)["label permutation"].sentence
    assert "ignores the labels of its support set" in by_position


def test_sixty_tasks_are_not_a_few() -> None:
    tasks = part(VALUES, 60)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=tasks[1].shape)  # as large and as small as the other's: the difference is chance
    learners = [lambda task: tasks[1] + noise, lambda task: tasks[1] + noise[::-1]]
    finding = ml.audit(learners[0], tasks, baselines={"the like": learners[1]})["interval"]
    assert finding.verdict == "failed" and "the like" in finding.sentence
    assert "a few" not in finding.mistake and "holds zero" in finding.mistake


def test_the_progress_of_a_slow_audit_is_shown_and_of_a_quick_one_not(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    ml.audit(least_squares, part(VALUES, 3))
    assert "audit" not in capsys.readouterr().err
    monkeypatch.setattr(import_module("metalearn_lib.auditing.audit"), "SLOW", -1)  # `auditing.audit` is the function
    ml.audit(least_squares, part(VALUES, 3))
    assert "audit" in capsys.readouterr().err
