"""A task that breaks training: it is named, and the weights are those before it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml

STEP, TASK, TASKS = 5, 2, 3


def broken(stream: tf.data.Dataset, key: str) -> tf.data.Dataset:
    """The stream with one value of one task at 1e38: finite, as `check_task` wants it, but its square is not."""

    def spoil(index, batch):
        task, query_y = batch
        at = tf.reshape(tf.one_hot(TASK, TASKS) * 1e38, [TASKS, 1, 1])
        return {**task, key: tf.where(index == STEP, task[key] + at, task[key])}, query_y

    return stream.enumerate().map(spoil)


def learner_of(name: str, at_once: int) -> tuple[keras.Model, tf.data.Dataset]:
    keras.utils.set_random_seed(0)
    if name == "PrototypicalNetwork":
        # Batch normalisation would spread the broken value over the meta-batch, and into its running averages.
        layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
        learner = ml.PrototypicalNetwork(keras.Sequential([keras.Input((2,)), *layers]), batch_norm="running")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        stream = broken(ml.tasks.linear_classification(2, 2, meta_batch_size=TASKS), "query_x")
    else:
        kind = {"MAML": ml.MAML, "Reptile": ml.Reptile, "JointTraining": ml.JointTraining}[name]
        learner, loss, stream = (
            kind(ml.networks.mlp(1, 1, (8,))),
            "mse",
            broken(ml.tasks.sinusoids(3, 3, TASKS), "support_y"),
        )
    compiled = name == "MAML" and at_once > 1  # elsewhere compiling would only take time
    learner.compile("adam", loss=loss, steps_per_execution=at_once, jit_compile=compiled)
    return learner, stream


@pytest.mark.parametrize(
    ("name", "at_once"), [("MAML", 1), ("MAML", 4), ("Reptile", 4), ("JointTraining", 1), ("PrototypicalNetwork", 4)]
)
def test_the_task_is_named_and_nothing_is_lost(name, at_once):
    """With four steps an execution, meta-batches 6 and 7 come after the broken one and may not be learned either.

    The reference trains on meta-batches 0..4 alone, one at a time, without XLA, which rounds differently. A step of
    Adam moves a weight by up to its rate, 1e-3, a hundred times the tolerance.
    """
    learner, stream = learner_of(name, at_once)
    with pytest.raises(ValueError, match=rf"(loss|gradient) of task {TASK} in meta-batch {STEP} is"):
        learner.fit(stream, steps_per_epoch=12, verbose=0)
    reference, stream = learner_of(name, 1)
    reference.fit(stream, steps_per_epoch=STEP, verbose=0)
    for ours, theirs in zip(state(learner), state(reference), strict=True):
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_training_goes_on_after_it():
    """The learner is as usable as before: `fit` on a sound stream changes its weights again, to finite ones."""
    learner, stream = learner_of("Reptile", 4)
    with pytest.raises(ValueError, match="meta-batch"):
        learner.fit(stream, steps_per_epoch=8, verbose=0)
    before = state(learner)
    learner.fit(ml.tasks.sinusoids(3, 3, TASKS), steps_per_epoch=8, verbose=0)
    after = state(learner)
    assert all(np.isfinite(value).all() for value in after)
    assert any((a != b).any() for a, b in zip(after, before, strict=True))


def test_arrays_and_single_batches():
    learner, _ = learner_of("MAML", 1)
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(3, 3), 6)
    task["support_y"][4] = 1e38
    before = state(learner)
    with pytest.raises(ValueError, match="task 4 in x is"):
        learner.fit(task, query_y, batch_size=3, verbose=0)
    with pytest.raises(ValueError, match="this meta-batch"):
        learner.train_on_batch({name: part[3:] for name, part in task.items()}, query_y[3:])
    assert all(np.isfinite(value).all() for value in state(learner))
    assert len(before) == len(state(learner))


def test_a_gradient_that_is_not_finite():
    """√|x| is 0 at 0, and its slope is not a number: the loss of task 2, whose targets it fits, stays finite."""

    def root(y_true, y_pred):
        return keras.ops.mean(keras.ops.sqrt(keras.ops.abs(y_pred - y_true)))

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    learner = ml.JointTraining(model)
    learner.compile("sgd", loss=root, jit_compile=False)
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(3, 3), TASKS)
    task["support_y"][TASK] = 0
    with pytest.raises(ValueError, match=f"gradient of task {TASK} in x is not finite"):
        learner.fit(task, query_y, batch_size=TASKS, verbose=0)
    assert all((value == 0).all() for value in learner.get_weights())


def state(learner: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in [*learner.variables, *learner.optimizer.variables]]
