"""What holds for every learner, whatever its paper says: training, saving, precision, what is refused."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.contract import (
    CROSS_ENTROPY,
    EVERY,
    OF_BATCHES,
    TRAINED,
    UNTRAINED,
    compiled,
    fitted,
    made,
    met,
    network,
    tasks,
    weights,
)
from tests.gradients import check_fitted_gradient, regression_tasks


@pytest.mark.parametrize("name", EVERY)
def test_it_trains_without_tracing_again_and_is_saved_with_every_argument(name, tmp_path):
    """An outer tape that crossed the vectorised body would make XLA compile at every step."""
    learner, traced = compiled(name), []
    step = learner.train_step
    learner.train_step = lambda data: traced.append(None) or step(data)
    fitted(learner, name, steps=2)
    before = len(traced)
    fitted(learner, name, steps=4, seed=1)
    assert len(traced) == before and (before >= 1) == (name in TRAINED)
    task, _ = met(name)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    np.testing.assert_array_equal(loaded.predict(task), learner.predict(task))
    config, again = learner.get_config(), loaded.get_config()
    for one in (config, again):
        one.pop("model")
    assert config == again and len(config) >= 2


@pytest.mark.parametrize("name", EVERY)
def test_a_bad_task_gets_one_sentence(name):
    learner = compiled(name)
    task, query_y = met(name)
    for bad, error, sentence in (
        ({"support_x": task["support_x"]}, TypeError, r"^task is \['support_x'\], expected a dictionary with"),
        ({**task, "support_y": task["support_y"][:, 1:]}, ValueError, r"^support_y has \d examples per task but"),
        ({**task, "query_x": task["query_x"] * np.nan}, ValueError, r"^query_x of task 0 has NaN or infinite values$"),
        ({**task, "support_x": task["support_x"][:, :0]}, ValueError, r"^support_x is empty, expected at least"),
        ({**task, "query_x": np.array(task["query_x"], str)}, TypeError, r"^query_x has dtype <U\d+, expected real"),
    ):
        with pytest.raises(error, match=sentence):
            learner.predict(bad)
        if name not in OF_BATCHES and name not in UNTRAINED:
            with pytest.raises(error, match=sentence):
                learner.fit(bad, query_y, verbose=0)


@pytest.mark.parametrize("name", ["MAML", "Meta-SGD", "ANIL", "in context", "matching values"])
def test_the_gradient_that_fit_descends_is_the_slope_of_the_loss(name, float64):
    """Against finite differences in float64. A context of any size is drawn in `fit`: it is switched off here."""
    task, query_y = regression_tasks()
    learner = compiled(name, optimizer=keras.optimizers.SGD(1.0))
    if name == "in context":
        learner._random_context = lambda support: None
    check_fitted_gradient(learner, task, query_y)


@pytest.mark.parametrize("name", TRAINED)
def test_random_layers_draw_fresh_numbers_that_a_seed_fixes(name):
    """Two steps on the same tasks from the same weights differ; the same seed gives the same two again."""
    layer = keras.layers.GaussianNoise if name == "ANIL" else keras.layers.Dropout

    def two_steps() -> list[list[np.ndarray]]:
        learner, ends = compiled(name, layer(0.5, seed=1)), []
        before = weights(learner)
        for _ in range(2):
            for variable, value in zip(learner.trainable_variables, before, strict=True):
                variable.assign(value)
            fitted(learner, name, steps=1)
            ends.append(weights(learner))
        task, _ = met(name)
        np.testing.assert_array_equal(learner.predict(task), learner.predict(task))
        return ends

    first, again = two_steps(), two_steps()
    if name != "sequential":  # it learns no weights
        assert any(not np.allclose(a, b, rtol=1e-4, atol=1e-7) for a, b in zip(*first, strict=True))
    for one, other in zip(first, again, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["MAML", "Reptile", "joint training", "prototypes", "neural process", "probe"])
def test_a_scaled_loss_takes_the_same_step(name):
    plain = fitted(compiled(name), name)
    scaled = fitted(compiled(name, optimizer=keras.optimizers.SGD(0.05, loss_scale_factor=1024.0)), name)
    for a, b in zip(weights(plain), weights(scaled), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize(
    ("name", "policy"),
    [*((name, "mixed_float16") for name in EVERY), ("MAML", "mixed_bfloat16"), ("in context", "mixed_bfloat16")],
)
def test_mixed_precision_takes_nearly_the_same_step(name, policy):
    """Half precision has 11 or 8 binary digits: three steps agree to that. In float16 the loss is scaled by 64."""

    def moved(optimizer: Any = None) -> np.ndarray:
        learner = compiled(name, optimizer=optimizer)
        before = weights(learner)
        fitted(learner, name)
        assert np.isfinite(learner.predict(met(name)[0])).all()
        parts = [(a - b).ravel() for a, b in zip(weights(learner), before, strict=True)]
        return np.concatenate([np.zeros(1), *parts])

    plain = moved()
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        sgd = keras.optimizers.SGD(0.05)
        float16 = policy == "mixed_float16"
        mixed = moved(keras.optimizers.LossScaleOptimizer(sgd, initial_scale=64.0) if float16 else sgd)
    finally:
        keras.config.set_dtype_policy(before)
    if name != "memory-augmented":  # it writes to the rows that are least used, and rounding decides which are
        assert np.linalg.norm(mixed - plain) <= 0.05 * np.linalg.norm(plain)


def test_float16_scales_the_loss_by_itself():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        learner = compiled("MAML")
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(learner.optimizer, keras.optimizers.LossScaleOptimizer)
    assert not isinstance(compiled("MAML").optimizer, keras.optimizers.LossScaleOptimizer)


@pytest.mark.parametrize("name", ["prototypes", "matching", "centroids", "probe", "nearest neighbor of labels"])
def test_labels_with_gaps_and_tasks_of_different_ways(name):
    """Labels 1 and 3 say the same as 0 and 1; and a task's probabilities do not depend on its company."""
    learner = compiled(name)
    task, _ = met(name)
    logits = learner.predict(task)
    renamed = {**task, "support_y": np.array([1, 3])[task["support_y"]]}
    found = learner.predict(renamed)
    assert found.shape[-1] == 4
    probabilities = tf.nn.softmax(found).numpy()
    np.testing.assert_allclose(probabilities[..., [1, 3]], tf.nn.softmax(logits), rtol=1e-4, atol=1e-6)
    assert np.all(probabilities[..., [0, 2]] == 0)
    mixed = {**task, "support_y": np.where(np.arange(6)[:, None] == 0, task["support_y"], renamed["support_y"])}
    alone = tf.nn.softmax(learner.predict({key: array[:1] for key, array in mixed.items()}))
    np.testing.assert_allclose(tf.nn.softmax(learner.predict(mixed))[0, :, :2], alone[0], rtol=1e-4, atol=1e-6)
    if name in ("prototypes", "matching"):
        with pytest.raises(ValueError, match=r"^support_y has labels -1\.\.1, expected labels 0\.\.N-1$"):
            learner.predict({**task, "support_y": 2 * task["support_y"] - 1})
        with pytest.raises(ValueError, match=r"^query_y of task 0 has label 2, expected one of its support set, 0, 1$"):
            learner.fit(task, np.full((6, 4), 2), verbose=0)


@pytest.mark.parametrize("kind", ["generator", "PyDataset", "arrays", "dataset"])
@pytest.mark.parametrize("name", ["MAML", "prototypes"])
def test_a_nan_undoes_the_step_and_names_it(name, kind):
    """In the second of three meta-batches, task 1."""
    batches = [tf.nest.map_structure(np.array, ml.tasks.gather_tasks(tasks(name, seed), 3)) for seed in range(3)]
    batches[1][0]["query_x"][1] = np.nan

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> tuple:
            return batches[index]

    whole = tf.nest.map_structure(lambda *parts: np.concatenate(parts), *batches)
    x, options = {
        "generator": ((batch for batch in batches), {"steps_per_epoch": 3}),
        "PyDataset": (Batches(), {}),
        "arrays": (None, {}),
        "dataset": (tf.data.Dataset.from_tensor_slices(whole).batch(3), {}),
    }[kind]
    learner = compiled(name)
    if kind == "arrays":
        with pytest.raises(ValueError, match=r"^query_x of task 4 has NaN or infinite values$"):
            learner.fit(*whole, batch_size=3, shuffle=False, verbose=0)
        return
    with pytest.raises(ValueError, match=r"meta-batch 1 is .*: the weights are those before that step") as error:
        learner.fit(x, verbose=0, **options)
    assert kind == "generator" or "task 1 in meta-batch 1 is" in str(error.value)
    expected = compiled(name)
    expected.fit(tf.data.Dataset.from_tensors(batches[0]), verbose=0)
    for a, b in zip(weights(learner), weights(expected), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", TRAINED)
def test_training_that_would_not_end_or_has_weights_gets_one_sentence(name):
    learner, stream = compiled(name), tasks(name)
    for arguments, sentence in (
        ({}, r"^steps_per_epoch is None, expected a number of meta-batches: x is an endless stream$"),
        ({"steps_per_epoch": 0}, r"^steps_per_epoch is 0, expected a whole number of at least 1$"),
        (
            {"steps_per_epoch": 1, "validation_data": stream},
            r"^validation_steps is None, expected a number of meta-batches: validation_data is an endless stream$",
        ),
        (
            {"steps_per_epoch": 1, "callbacks": [keras.callbacks.BackupAndRestore("x")]},
            r"expected ml\.Resume\(folder\)",
        ),
    ):
        with pytest.raises(ValueError, match=sentence):
            learner.fit(stream, verbose=0, **arguments)
    if name in OF_BATCHES:
        return
    with pytest.raises(ValueError, match=r"^class_weight is given, expected none: all tasks"):
        learner.fit(stream, steps_per_epoch=1, class_weight={0: 1.0}, verbose=0)
    with pytest.raises(ValueError, match=r"^steps is None, expected a number of meta-batches: x is an endless stream$"):
        learner.evaluate(stream)
    with pytest.raises(ValueError, match=r"^steps is None, expected a number of meta-batches: x is an endless stream$"):
        learner.predict(stream)
    with pytest.raises(ValueError, match=r"^input_signature is missing, expected "):
        learner.export("somewhere")


@pytest.mark.parametrize("name", EVERY)
def test_options_that_a_learner_has_not_are_refused(name):
    with pytest.raises((TypeError, ValueError), match="adaptation"):
        type(made(name, network(name)))(
            network(name), adaptation="head", **({"num_classes": 3} if name in OF_BATCHES else {})
        )


@pytest.mark.parametrize("kind", [ml.ImplicitMAML, ml.Reptile, ml.FromScratch, ml.LearnedOptimizer])
def test_adapting_the_head_alone_is_refused_where_it_is_not_supported(kind):
    with pytest.raises(ValueError, match=r"\{'adapted': 'head'\}"):
        kind(ml.networks.mlp(), adapted="head")


@pytest.mark.parametrize("name", EVERY)
def test_a_learner_under_a_strategy_is_refused(name):
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope(), pytest.raises(ValueError, match=r"^a strategy of tf\."):
        made(name, network(name))


def test_targets_of_another_shape_or_kind():
    learner = compiled("MAML")
    task, query_y = met("MAML")
    with pytest.raises(
        ValueError, match=r"^support_y has targets of shape \(3,\) but the model gives outputs of \(1,\)$"
    ):
        learner.fit({**task, "support_y": np.zeros((6, 4, 3))}, np.zeros((6, 5, 3)), verbose=0)
    with pytest.raises(ValueError, match=r"^query_y has targets of shape \(3,\) but support_y of \(1,\)$"):
        learner.fit(task, np.zeros((6, 5, 3)), verbose=0)
    with pytest.raises(ValueError, match=r"^query_y holds labels \(int64\) but support_y values \(float32\)$"):
        learner.fit(task, query_y.astype(int), verbose=0)


@pytest.mark.parametrize("distance", [1e3, 1e4, 1e5])
def test_features_far_from_the_origin_are_told_apart(distance):
    """Two classes a distance of 4 apart, moved away together: accuracy stays what it is at the origin."""
    rng = np.random.default_rng(0)
    labels = np.tile([0, 1], (50, 10))
    x = (rng.normal(size=(50, 20, 4)) + 2 * (2 * labels[..., None] - 1)).astype("float32")
    identity = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
    learner = ml.PrototypicalNetwork(identity)
    learner.compile(loss=CROSS_ENTROPY)
    task = {"support_x": x[:, :10], "support_y": labels[:, :10], "query_x": x[:, 10:]}
    near = ml.score_predictions(learner.predict(task), labels[:, 10:]).mean
    far = {key: array + np.float32(distance) if key != "support_y" else array for key, array in task.items()}
    assert near > 0.98
    assert abs(ml.score_predictions(learner.predict(far), labels[:, 10:]).mean - near) < 0.01


@pytest.mark.parametrize("name", ["prototypes", "matching", "centroids", "in context of labels"])
def test_a_loss_of_probabilities_is_refused_for_logits(name):
    model = ml.networks.mlp(2, 3)
    learner = ml.InContextLearner(model, num_outputs=2) if name.startswith("in context") else made(name, model)
    with pytest.raises(ValueError, match=r"^loss has from_logits=False, expected from_logits=True: .* gives logits$"):
        learner.compile("adam", loss="sparse_categorical_crossentropy")
    softmax = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    with pytest.raises(ValueError, match=r"expected from_logits=False: MAML gives probabilities$"):
        ml.MAML(softmax).compile("adam", loss=CROSS_ENTROPY)
    ml.MAML(softmax).compile("adam", loss="sparse_categorical_crossentropy")
