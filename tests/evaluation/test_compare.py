"""Classes in the form that a loss takes: an accuracy for each, the same as Keras's own metric."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml

BINARY = keras.losses.BinaryCrossentropy(from_logits=True)
CATEGORICAL = keras.losses.CategoricalCrossentropy(from_logits=True)


def learner(outputs: int, loss: keras.losses.Loss | str, activation: str | None = None) -> ml.FromScratch:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(outputs, activation)])
    made = ml.FromScratch(model, inner_lr=0.5, inner_steps=20)
    made.compile(loss=loss)
    return made


def in_form(form: str) -> tf.data.Dataset:
    """Tasks of two classes, with targets in another form."""
    change = {
        "labels": lambda y: y,
        "column": lambda y: y[..., None],
        "floats": lambda y: tf.cast(y, tf.float32),
        "one-hot": lambda y: tf.one_hot(y, 2),
    }[form]
    tasks = ml.tasks.linear_classification(shots=10, meta_batch_size=20)
    return tasks.map(lambda task, query_y: ({**task, "support_y": change(task["support_y"])}, change(query_y)))


@pytest.mark.parametrize(
    "form, loss, activation, outputs, metric",
    [
        ("labels", BINARY, None, 1, keras.metrics.BinaryAccuracy(threshold=0)),
        ("column", BINARY, None, 1, keras.metrics.BinaryAccuracy(threshold=0)),
        ("floats", BINARY, None, 1, keras.metrics.BinaryAccuracy(threshold=0)),
        ("floats", "binary_crossentropy", "sigmoid", 1, keras.metrics.BinaryAccuracy()),
        ("floats", keras.losses.BinaryFocalCrossentropy(), "sigmoid", 1, keras.metrics.BinaryAccuracy()),
        ("one-hot", BINARY, None, 2, keras.metrics.BinaryAccuracy(threshold=0)),
        ("one-hot", CATEGORICAL, None, 2, keras.metrics.CategoricalAccuracy()),
        ("one-hot", "categorical_crossentropy", "softmax", 2, keras.metrics.CategoricalAccuracy()),
    ],
)
def test_accuracy_is_that_of_keras_in_every_form_of_targets(form, loss, activation, outputs, metric):
    made = learner(outputs, loss, activation)
    task, query_y = ml.tasks.gather_tasks(in_form(form), 20)
    score = ml.score(made, (task, query_y))
    predictions = made.predict(task)
    metric.reset_state()
    metric.update_state(query_y.reshape(len(query_y) * 20, -1), predictions.reshape(-1, outputs))
    assert score.measure == "accuracy" and score.mean > 0.8
    assert score.mean == pytest.approx(float(metric.result()), abs=1e-6)
    curve = ml.adaptation_curve(made, (task, query_y), steps=20)
    np.testing.assert_allclose(curve[20].values, score.values)


@pytest.mark.parametrize(
    "loss, wrong, sentence",
    [
        (BINARY, lambda y: y + 0.5, r"^query_y has numbers 0.5..1.5, expected zeros and ones$"),
        (CATEGORICAL, lambda y: 1 - 0.25 * y, r"^query_y has numbers 0.75..1.0, expected zeros and ones$"),
        (CATEGORICAL, lambda y: 0 * y, r"^query_y has a target with several ones or none, expected one-hot vectors$"),
    ],
)
def test_targets_that_are_no_classes_are_refused(loss, wrong, sentence):
    task, query_y = ml.tasks.gather_tasks(in_form("one-hot"), 20)
    with pytest.raises(ValueError, match=sentence):
        ml.score(learner(2, loss), (task, wrong(query_y)))
