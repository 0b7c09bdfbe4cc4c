"""The article's learner: initialise, learn, transfer, and what its memory holds."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml


def test_the_first_task_starts_from_the_initialisation_and_is_stored():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 1)
    learner = ml.SequentialLearner(ml.networks.mlp(), inner_lr=0.02, inner_steps=15)
    scratch = ml.FromScratch(learner.model, inner_lr=0.02, inner_steps=15)
    for one in (learner, scratch):
        one.compile(loss="mse")
    expected = scratch.predict(task)
    np.testing.assert_allclose(learner.predict(task), expected, rtol=1e-5, atol=1e-5)
    assert len(learner.memory) == 0  # predictions store nothing
    learner.fit(task, query_y, verbose=0)
    (entry,) = learner.memory
    np.testing.assert_array_equal(entry.support_x, task["support_x"][0])
    learner.model.set_weights(entry.weights)
    np.testing.assert_allclose(learner.model(task["query_x"][0]), expected[0], rtol=1e-5, atol=1e-5)


def test_a_task_that_it_knows_starts_where_it_ended():
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 20)
    learner = ml.SequentialLearner(ml.networks.mlp(), inner_lr=0.02, inner_steps=5)
    learner.compile(loss="mse")
    learner.fit(task, query_y, batch_size=20, shuffle=False, verbose=0)
    start = learner._start(task["support_x"], task["support_y"])
    for index, entry in enumerate(learner.memory):
        for weights, stored in zip(start, entry.weights, strict=True):
            np.testing.assert_array_equal(weights[index], stored)


def test_it_learns_from_its_memory():
    """500 remembered tasks make a few steps on new ones better than the same steps from scratch."""
    keras.utils.set_random_seed(0)
    model = ml.networks.article_network()
    learner = ml.SequentialLearner(model, inner_lr=0.5, inner_steps=30)
    scratch = ml.FromScratch(keras.models.clone_model(model), inner_lr=0.5, inner_steps=5)
    for one in (learner, scratch):
        one.compile(loss="sparse_categorical_crossentropy")
        one.fit(ml.tasks.linear_classification(shots=10), steps_per_epoch=20, verbose=0)
    learner.inner_steps = 5
    learner.compile(loss="sparse_categorical_crossentropy")
    scores = ml.compare(
        {"memory": learner, "scratch": scratch}, ml.tasks.linear_classification(seed=1, meta_batch_size=100), 600
    )
    assert (scores["memory"] - scores["scratch"]).low > 0


def test_the_memory_is_saved_with_the_learner(tmp_path):
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 30)
    learner = ml.SequentialLearner(ml.networks.mlp(), inner_steps=2, neighbors=3)
    learner.compile(loss="mse")
    learner.fit(task, query_y, batch_size=10, verbose=0)
    learner.save(tmp_path / "sequential.keras")
    loaded = keras.saving.load_model(tmp_path / "sequential.keras")
    assert len(loaded.memory) == 30 and loaded.neighbors == 3
    np.testing.assert_array_equal(loaded.predict(task), learner.predict(task))


def test_a_learner_without_entries_is_saved_too(tmp_path):
    learner = ml.SequentialLearner(ml.networks.mlp(), inner_steps=2)
    learner.compile(loss="mse")
    learner.save(tmp_path / "new.keras")
    assert len(keras.saving.load_model(tmp_path / "new.keras").memory) == 0


def test_its_memory_may_be_on_disk(tmp_path):
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 8)
    learner = ml.SequentialLearner(ml.networks.mlp(), memory=ml.Memory(tmp_path / "memory"), inner_steps=2)
    learner.compile(loss="mse")
    learner.fit(task, query_y, batch_size=4, verbose=0)
    assert len(ml.Memory(tmp_path / "memory")) == 8


def test_neighbours_must_be_positive():
    with pytest.raises(ValueError, match="neighbors is 0, expected a whole number of at least 1"):
        ml.SequentialLearner(ml.networks.mlp(), neighbors=0)


def test_a_task_on_which_it_diverges_is_named_and_not_stored():
    learner = ml.SequentialLearner(ml.networks.mlp(), inner_lr=0.01, inner_steps=200)
    learner.compile(loss="mse")
    task, query_y = ml.tasks.gather_tasks(ml.tasks.sinusoids(shots=10, queries=5, meta_batch_size=1, seed=0), 3)
    task["support_y"][2] *= 1e6  # its steps are as much larger
    stream = tf.data.Dataset.from_tensor_slices((task, query_y)).batch(1)
    with pytest.raises(ml.DivergedError, match="task 0 in meta-batch 2"):
        learner.fit(stream, verbose=0)
    assert len(learner.memory) == 2


def test_weights_bring_along_a_memory_in_the_process(tmp_path):
    learner = trained_on_three_tasks()
    learner.save_weights(tmp_path / "all.weights.h5")
    other = trained_on_three_tasks()
    other.memory.truncate(1)
    other.load_weights(tmp_path / "all.weights.h5")
    assert len(other.memory) == 3
    support = learner.memory[1].support_x, learner.memory[1].support_y
    ours, theirs = learner.memory.recall(*support, k=3), other.memory.recall(*support, k=3)
    assert [(r.index, r.distance) for r in ours] == [(r.index, r.distance) for r in theirs]
    other.memory.store(learner.memory[0].weights, *support)
    assert len(other.memory) == 4


def test_loading_weights_leaves_a_memory_on_disk_as_it_is(tmp_path):
    """Only `Resume` takes back what came after its backup."""
    learner = trained_on_three_tasks(ml.Memory(tmp_path / "memory"))
    learner.save_weights(tmp_path / "all.weights.h5")
    learner.memory.store(learner.memory[0].weights, learner.memory[0].support_x, learner.memory[0].support_y)
    learner.load_weights(tmp_path / "all.weights.h5")
    assert len(learner.memory) == 4
    learner.resumed()
    assert len(ml.Memory(tmp_path / "memory")) == 3
    learner.memory.truncate(2)
    with pytest.raises(ValueError, match="memory has 2 entries, expected at least 3, as when the backup was made"):
        learner.resumed()


def trained_on_three_tasks(memory: ml.Memory | None = None) -> ml.SequentialLearner:
    keras.utils.set_random_seed(0)
    learner = ml.SequentialLearner(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), memory=memory)
    learner.compile(loss="mse")
    learner.fit(ml.tasks.sinusoids(meta_batch_size=3), steps_per_epoch=1, verbose=0)
    return learner
