"""How `fit` and `predict` run: as Keras would, and without compiling anything after the first step."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from tests.gradients import regression_tasks


def _fitted(steps_per_execution: int, batches: int, **options) -> ml.MAML:
    keras.utils.set_random_seed(0)
    learner = ml.MAML(ml.networks.mlp(hidden=(8,)), inner_lr=0.05)
    learner.compile(keras.optimizers.Adam(0.01), loss="mse", steps_per_execution=steps_per_execution, metrics=["mae"])
    learner.fit(ml.tasks.sinusoids(meta_batch_size=4).take(batches), verbose=0, **options)
    return learner


@pytest.mark.parametrize("batches", [8, 6])
def test_steps_in_one_program_are_steps_one_by_one(batches):
    """Six meta-batches leave an execution of four that finds only two: none is lost."""
    together, single = _fitted(4, batches), _fitted(1, batches)
    assert int(together.optimizer.iterations) == int(single.optimizer.iterations) == batches
    for one, other in zip(together.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    for name, value in single.history.history.items():
        np.testing.assert_allclose(together.history.history[name], value, rtol=1e-4)


def test_a_stream_goes_on_where_an_execution_ended():
    """Two epochs of four steps are the eight steps of one: what was gathered is what was trained on."""
    twice = _fitted(4, 8, epochs=2, steps_per_epoch=4)
    once = _fitted(4, 8, epochs=1)
    for one, other in zip(twice.get_weights(), once.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_meta_batches_of_unequal_size_are_left_to_keras():
    task, query_y = regression_tasks(tasks=5)
    learner = ml.MAML(ml.networks.mlp(hidden=(8,)))
    learner.compile("adam", loss="mse", steps_per_execution=2)
    learner.fit(task, query_y, batch_size=2, epochs=1, verbose=0)
    assert int(learner.optimizer.iterations) == 3  # two, two and one task


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_batch_is_predicted_as_keras_predicts_many(dtype):
    task, _ = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 6)
    task = {name: array.astype(dtype) for name, array in task.items()}
    learner = ml.MAML(ml.networks.mlp(hidden=(8,)), inner_lr=0.05, inner_steps=2)
    learner.compile("adam", loss="mse")
    at_once, one_by_one = learner.predict(task), learner.predict(task, batch_size=2)
    assert at_once.dtype == one_by_one.dtype == np.float32
    np.testing.assert_allclose(at_once, one_by_one, atol=1e-5)


def test_predictions_follow_the_weights_and_what_is_compiled():
    """The program is kept, not its result; and compiling with another loss gives another inner loop."""
    task, _ = ml.tasks.gather_tasks(ml.tasks.sinusoids(), 3)
    learner = ml.MAML(ml.networks.mlp(hidden=(8,)), inner_lr=0.05)
    learner.compile("adam", loss="mse")
    before = learner.predict(task)
    learner.compile("adam", loss="mae")
    assert not np.allclose(learner.predict(task), before)
    learner.compile("adam", loss="mse")
    np.testing.assert_array_equal(learner.predict(task), before)
    learner.model.layers[-1].bias.assign([1.0])
    assert not np.allclose(learner.predict(task), before)


COUNTING = """
import sys
from pathlib import Path
import numpy as np
import keras
import tensorflow as tf
import metalearn_lib as ml

dump, convolutional = Path(sys.argv[1]), sys.argv[2] == "conv4"
rng, images = np.random.default_rng(0), (8, 8, 1)
shape, y = (images, rng.integers(0, 3, (8, 2, 3)).astype("int32")) if convolutional else ((1,), None)
x = rng.normal(size=(8, 2, 3, *shape)).astype("float32")
y = np.sin(x) if y is None else y
block = ml.networks.conv4(3, images, filters=2).layers[:3]
convolutions = keras.Sequential([keras.Input(images), *block, keras.layers.Flatten(), keras.layers.Dense(3)])
model = convolutions if convolutional else ml.networks.mlp(hidden=(4,))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if convolutional else "mse"
traced = []

class Counting(ml.MAML):
    def train_step(self, data):
        traced.append("train")
        return super().train_step(data)

    def predict_step(self, data):
        traced.append("predict")
        return super().predict_step(data)

learner = Counting(model, inner_lr=0.1)
learner.compile("adam", loss=loss, steps_per_execution=int(sys.argv[3]))
stream = tf.data.Dataset.from_tensor_slices(({"support_x": x, "support_y": y, "query_x": x}, y)).repeat()
task = {"support_x": x[0], "support_y": y[0], "query_x": x[0]}
for _ in range(3):
    learner.fit(stream, steps_per_epoch=8, verbose=0)
    learner.predict(task)
    print(traced.count("train"), traced.count("predict"), len(list(dump.glob("*before_optimizations.txt"))))
"""


@pytest.mark.parametrize(("model", "steps_per_execution"), [("mlp", 1), ("mlp", 4), ("conv4", 4)])
def test_nothing_is_traced_or_compiled_after_the_first_step(tmp_path, model, steps_per_execution):
    """XLA writes a file for each program it compiles; it does so in a process of its own, which it reads flags in."""
    environment = {**os.environ, "XLA_FLAGS": f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"}
    command = [sys.executable, "-c", COUNTING, tmp_path, model, str(steps_per_execution)]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    first, second, third = ([int(number) for number in line.split()] for line in output.splitlines())
    assert first[0] >= 1 and first[1] == 1 and first[2] >= 2  # a program to train and one to predict
    assert first == second == third
