"""What is refused, in one sentence, where it enters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml

X, Y = np.zeros((2, 4, 3), np.float32), np.zeros((2, 4), np.int32)
TASK = {"support_x": X, "support_y": Y, "query_x": X}
NAN = X.copy()
NAN[1, 2, 0] = np.nan


@pytest.mark.parametrize(
    ("change", "query_y", "sentence"),
    [
        (
            {"support_x": X[:, :0], "support_y": Y[:, :0]},
            Y,
            "support_x is empty, expected at least one task, and one example per task",
        ),
        ({"support_x": X[:, :3]}, Y, "support_y has 4 examples per task but support_x has 3"),
        ({"query_x": X[:1]}, Y, "query_x has 1 tasks but support_x has 2"),
        ({"query_x": X[..., :2]}, Y, "query_x has examples of shape (2,) but support_x of (3,)"),
        ({"support_x": NAN}, Y, "support_x of task 1 has NaN or infinite values"),
        ({"query_x": -np.inf + X}, Y, "query_x of task 0 has NaN or infinite values"),
        ({"support_y": Y + 6}, Y, "support_y has labels 6..6 but the model has 5 outputs"),
        ({}, Y - 1, "query_y has labels -1..-1 but the model has 5 outputs"),
        ({}, Y[:, :2], "query_y has 2 examples per task but query_x has 4"),
        ({"support_y": np.zeros(2)}, Y, "support_y has shape (2,), expected [tasks, examples, ...]"),
    ],
)
def test_a_task_that_cannot_be_learned_from(change, query_y, sentence):
    learner = ml.MAML(ml.networks.mlp(3, 5))
    learner.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError) as caught:
        learner.fit({**TASK, **change}, query_y)
    assert str(caught.value) == sentence


def test_examples_that_the_model_does_not_take():
    learner = ml.JointTraining(ml.networks.mlp(2, 5))
    learner.compile("adam", loss="mse")
    for call in (learner.fit, learner.evaluate, learner.predict):
        with pytest.raises(ValueError, match=r"^support_x has examples of shape \(3,\) but the model takes \(2,\)$"):
            call(TASK)


def test_the_first_meta_batch_of_a_stream_is_checked():
    learner = ml.MAML(ml.networks.mlp(2, 1))
    learner.compile("adam", loss="mse")
    with pytest.raises(ValueError, match=r"^support_x has examples of shape \(1,\) but the model takes \(2,\)$"):
        learner.fit(ml.tasks.sinusoids(), steps_per_epoch=1)
    with pytest.raises(ValueError, match=r"^x is empty, expected"):
        learner.fit(ml.tasks.sinusoids().take(0))


def test_something_that_is_no_task():
    with pytest.raises(TypeError, match=r"^task is \['support_x'\], expected a dictionary with support_x, support_y"):
        ml.tasks.check_task({"support_x": X})
    with pytest.raises(TypeError, match=r"^task is ndarray"):
        ml.tasks.check_task(X)


def test_models_that_cannot_be_inside():
    with pytest.raises(TypeError, match=r"^model is a Dense, expected a keras\.Model$"):
        ml.MAML(keras.layers.Dense(3))
    with pytest.raises(ValueError, match=r"^model is not built, expected one that starts with keras\.Input\("):
        ml.MAML(keras.Sequential([keras.layers.Dense(3)]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"inner_lr": 0.0}, "inner_lr is 0.0, expected a positive number"),
        ({"inner_lr": float("nan")}, "inner_lr is nan, expected a positive number"),
        ({"inner_steps": -1}, "inner_steps is -1, expected a whole number of at least 0"),
        ({"inner_steps": 1.5}, "inner_steps is 1.5, expected a whole number of at least 0"),
        ({"adapted": "body"}, "adapted is 'body', expected one of all, head"),
        ({"batch_norm": "query"}, "batch_norm is 'query', expected one of support, transductive, running"),
    ],
)
def test_settings_that_make_no_sense(arguments, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        ml.MAML(ml.networks.mlp(), **arguments)


def test_a_learner_without_a_loss_says_so():
    x = np.zeros((2, 4, 1), np.float32)
    task = {"support_x": x, "support_y": x, "query_x": x}
    for call in (
        lambda learner: learner.predict(task),
        lambda learner: learner.loss_of(tf.zeros((2, 1)), tf.zeros((2, 1))),
    ):
        with pytest.raises(ValueError, match=r"^MAML has no loss yet"):
            call(ml.MAML(ml.networks.mlp()))


def test_it_is_keras(tmp_path):
    """Callbacks, validation, CSV logs, early stopping and weight files work as on any model."""
    learner = ml.MAML(ml.networks.mlp())
    learner.compile("adam", loss="mse", metrics=["mae"])
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    keep = keras.callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_weights_only=True)
    stop = keras.callbacks.EarlyStopping(min_delta=1e9, patience=1)
    history = learner.fit(
        ml.tasks.sinusoids(),
        epochs=9,
        steps_per_epoch=3,
        validation_data=ml.tasks.sinusoids(seed=1),
        validation_steps=2,
        callbacks=[log, keep, stop],
        verbose=0,
    )
    assert len(history.history["val_mae"]) == 2  # stopped after the second epoch
    assert (tmp_path / "log.csv").read_text().startswith("epoch,loss,mae,val_loss,val_mae\n0,")
    again = ml.MAML(ml.networks.mlp())
    again.load_weights(tmp_path / "best.weights.h5")
    for ours, theirs in zip(again.get_weights(), learner.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_one_meta_batch_at_a_time():
    """`train_on_batch` takes the step that `fit` takes; weights of examples are refused, not ignored."""
    task, query_y = next(iter(ml.tasks.sinusoids(meta_batch_size=2)))
    learners = [ml.MAML(ml.networks.mlp()), ml.MAML(ml.networks.mlp())]
    learners[1].set_weights(learners[0].get_weights())
    for learner in learners:
        learner.compile(keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
    learners[0].train_on_batch(task, query_y)
    learners[1].fit(task, query_y, batch_size=2, shuffle=False, verbose=0)
    for ours, theirs in zip(*(learner.get_weights() for learner in learners), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    with pytest.raises(ValueError, match="sample_weight is given, expected none"):
        learners[0].train_on_batch(task, query_y, sample_weight=np.ones(2))


def test_the_progress_bar_counts_steps(capsys):
    learner = ml.MAML(ml.networks.mlp(), name="a_learner")
    learner.compile("adam", loss="mse", steps_per_execution=4)
    learner.fit(ml.tasks.sinusoids(), epochs=2, steps_per_epoch=8)
    shown = capsys.readouterr().err
    assert "a_learner: 100%" in shown and "16/16" in shown and "loss=" in shown
