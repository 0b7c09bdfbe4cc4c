"""What holds for every learner, whatever its paper says."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, fitted_gradient, regression_tasks

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
VALUES = {
    "MAML": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2),
    "first-order MAML": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2, first_order=True),
    "Meta-SGD": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2, learn_inner_lr=True),
    "ANIL": lambda model: ml.MAML(model, inner_lr=0.02, inner_steps=2, adapted="head"),
    "implicit MAML": lambda model: ml.ImplicitMAML(
        model, inner_lr=0.02, inner_steps=3, regularization=1.5, conjugate_steps=2
    ),
    "Reptile": lambda model: ml.Reptile(model, inner_lr=0.03, inner_steps=3),
    "joint training": lambda model: ml.JointTraining(model, inner_lr=0.02, inner_steps=1, adapted="head"),
    "from scratch": lambda model: ml.FromScratch(model, inner_lr=0.02, inner_steps=3),
    "learned optimizer": lambda model: ml.LearnedOptimizer(model, inner_lr=0.05, inner_steps=2, units=3),
    "sequential": lambda model: ml.SequentialLearner(model, inner_lr=0.02, inner_steps=2, neighbors=2),
    "in context": lambda model: ml.InContextLearner(model, num_outputs=1, width=8, depth=1, heads=2),
    "memory-augmented": lambda model: ml.MemoryAugmentedNetwork(
        model, num_outputs=1, units=4, slots=6, width=5, reads=2, decay=0.9
    ),
    "neural process": lambda model: ml.NeuralProcess(model, num_outputs=1, aggregation="attention", width=8),
    "matching values": lambda model: ml.MatchingNetwork(model, scale=3.0, context=1),
    "nearest neighbor": lambda model: ml.NearestNeighbor(model),
}
LABELS = {
    "prototypes": lambda model: ml.PrototypicalNetwork(model),
    "matching": lambda model: ml.MatchingNetwork(model, scale=3.0),
    "probe": lambda model: ml.PretrainedFeatures(model, num_classes=4, classifier="probe"),
    "centroids": lambda model: ml.PretrainedFeatures(model, num_classes=4),
    "neural process of classes": lambda model: ml.NeuralProcess(model, num_outputs=2, aggregation="classes", width=8),
    "nearest neighbor of labels": lambda model: ml.NearestNeighbor(model),
}
EVERY = VALUES | LABELS
BY_GRADIENT = ("MAML", "first-order MAML", "Meta-SGD", "ANIL", "implicit MAML", "Reptile")
UNTRAINED = ("from scratch", "nearest neighbor", "nearest neighbor of labels")
TRAINED = [name for name in EVERY if name not in UNTRAINED]
OF_BATCHES = ("probe", "centroids")  # `fit` takes labelled batches


def network(name: str, *layers: keras.layers.Layer) -> keras.Model:
    """A small network for a learner: with one output where it predicts by it, else with three features."""
    outputs = 1 if name in VALUES and isinstance(made(name, ml.networks.mlp()), ml.GradientLearner) else 3
    inputs = 1 if name in VALUES else 2
    return keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(5, "tanh"), *layers, keras.layers.Dense(outputs)]
    )


def made(name: str, model: keras.Model) -> ml.Learner:
    return EVERY[name](model)


def compiled(name: str, *layers: keras.layers.Layer, optimizer: Any = None, **options: Any) -> ml.Learner:
    """A learner with a small network, the same at every call."""
    keras.utils.set_random_seed(0)
    learner = made(name, network(name, *layers))
    loss = None if isinstance(learner, ml.NeuralProcess) else "mse" if name in VALUES else CROSS_ENTROPY
    learner.compile(optimizer or keras.optimizers.SGD(0.05), loss, jit_compile=False, **options)
    return learner


def tasks(name: str, seed: int = 0, meta_batch_size: int = 3) -> tf.data.Dataset:
    if name in OF_BATCHES:
        x = np.random.default_rng(seed).normal(size=(32, 2)).astype("float32")
        batches = tf.data.Dataset.from_tensor_slices((x, np.arange(32) % 4))
        return batches.batch(8, drop_remainder=True).repeat()
    if name in VALUES:
        return ml.tasks.sinusoids(4, 5, meta_batch_size, seed)
    return ml.tasks.linear_classification(3, 2, meta_batch_size, seed)


def met(name: str, num_tasks: int = 6) -> tuple:
    """Tasks to predict."""
    stream = ml.tasks.sinusoids(4, 5) if name in VALUES else ml.tasks.linear_classification(3, 2)
    return ml.tasks.gather_tasks(stream, num_tasks)


def fitted(learner: ml.Learner, name: str, steps: int = 3, seed: int = 0) -> ml.Learner:
    learner.fit(tasks(name, seed), steps_per_epoch=steps, verbose=0)
    return learner


def weights(learner: ml.Learner) -> list[np.ndarray]:
    return [variable.numpy() for variable in learner.trainable_variables]


@pytest.mark.parametrize("name", EVERY)
def test_it_is_saved_with_every_argument_and_goes_on(name, tmp_path):
    learner = fitted(compiled(name), name)
    task, _ = met(name)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    np.testing.assert_array_equal(loaded.predict(task), learner.predict(task))
    config, again = learner.get_config(), loaded.get_config()
    for config_of_one in (config, again):
        for value in ("model", "memory"):
            config_of_one.pop(value, None)
    assert config == again and len(config) >= 2
    fitted(loaded, name)


@pytest.mark.parametrize("name", TRAINED)
def test_nothing_is_traced_after_the_first_step(name):
    """An outer tape that crossed the vectorised body would make XLA compile at every step."""
    learner, traced = compiled(name), []
    step = learner.train_step
    learner.train_step = lambda data: traced.append(None) or step(data)
    fitted(learner, name, steps=2)
    before = len(traced)
    fitted(learner, name, steps=4, seed=1)
    assert before >= 1 and len(traced) == before


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


@pytest.mark.parametrize("name", ["MAML", "Meta-SGD", "ANIL", "in context", "memory-augmented", "matching values"])
def test_the_gradient_that_fit_descends_is_the_slope_of_the_loss(name, float64):
    """Against finite differences in float64. A context of any size is drawn in `fit`: it is switched off here."""
    task, query_y = regression_tasks()
    learner = compiled(name, optimizer=keras.optimizers.SGD(1.0))
    if name == "in context":
        learner._random_context = lambda support: None
    if name == "memory-augmented":
        order = learner._order
        learner._order = lambda support_x, training: order(support_x, False)
    check_fitted_gradient(learner, task, query_y)


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("layer", [keras.layers.Dropout, keras.layers.GaussianNoise])
def test_random_layers_draw_fresh_numbers_that_a_seed_fixes(name, layer):
    """The same task twice: another step. The same seed: the same steps, and predictions draw nothing after them."""

    def steps() -> list[list[np.ndarray]]:
        learner = compiled(name, layer(0.5, seed=1))
        seen = []
        for _ in range(2):
            before = weights(learner)
            fitted(learner, name, steps=1)
            moves = [a - b for a, b in zip(weights(learner), before, strict=True)]
            for variable, value in zip(learner.trainable_variables, before, strict=True):
                variable.assign(value)
            seen.append(moves)
        task, _ = met(name)
        np.testing.assert_array_equal(learner.predict(task), learner.predict(task))
        return seen

    first, again = steps(), steps()
    if name != "sequential":  # it learns no weights
        assert any(not np.allclose(a, b, rtol=1e-3, atol=1e-7) for a, b in zip(*first, strict=True))
    for one, other in zip(first, again, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_each_task_and_each_inner_step_draws_its_own_numbers():
    """The loss is the mean output, so a step's gradient for the kernel is the input as dropout left it."""
    layers = [keras.layers.Dropout(0.5, seed=3), keras.layers.Dense(1, use_bias=False)]
    learner = ml.MAML(keras.Sequential([keras.Input((64,)), *layers]), inner_lr=1.0, inner_steps=2)
    learner.compile("adam", loss=lambda y, predictions: tf.reduce_mean(predictions))
    x, y = tf.ones([3, 1, 64]), tf.zeros([3, 1, 1])

    def path(x: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        start = learner.initialization()
        return [learner.adapt(start, x, y, steps=steps)[0] for steps in (0, 1, 2)]

    start, one, two = ml.over_tasks(path, x, y)
    masks = np.stack([start - one, one - two])[..., 0].round()
    assert set(np.unique(masks)) == {0.0, 2.0}
    flat = masks.reshape(6, 64)
    assert len(np.unique(flat, axis=0)) == 6


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("kind", ["loss_scale_factor", "LossScaleOptimizer"])
def test_a_scaled_loss_takes_the_same_step(name, kind):
    plain = fitted(compiled(name), name)
    sgd = keras.optimizers.SGD(0.05, loss_scale_factor=1024.0 if kind == "loss_scale_factor" else None)
    optimizer = keras.optimizers.LossScaleOptimizer(sgd) if kind == "LossScaleOptimizer" else sgd
    scaled = fitted(compiled(name, optimizer=optimizer), name)
    for a, b in zip(weights(plain), weights(scaled), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", EVERY)
def test_mixed_precision_takes_nearly_the_same_step(name, policy):
    """Half precision has 11 or 8 binary digits: the move of three steps agrees to that."""

    def moved() -> np.ndarray:
        learner = compiled(name)
        before = weights(learner)
        fitted(learner, name)
        predictions = learner.predict(met(name)[0])
        assert np.isfinite(predictions).all()
        parts = [(a - b).ravel() for a, b in zip(weights(learner), before, strict=True)]
        return np.concatenate([np.zeros(1), *parts])

    plain = moved()
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        mixed = moved()
    finally:
        keras.config.set_dtype_policy(before)
    assert np.linalg.norm(mixed - plain) <= 0.15 * np.linalg.norm(plain)


def half_square(y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean((predictions - tf.cast(y, predictions.dtype)) ** 2)


class AddedLoss(keras.layers.Layer):
    """Asks for outputs near zero, by `add_loss`."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        self.add_loss(0.1 * tf.reduce_sum(x**2))
        return x


PENALTIES: dict[str, Callable[[], list]] = {
    "kernel": lambda: [keras.layers.Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.1))],
    "activity": lambda: [keras.layers.Dense(1, use_bias=False, activity_regularizer=keras.regularizers.L2(0.1))],
    "add_loss": lambda: [keras.layers.Dense(1, use_bias=False), AddedLoss()],
}


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize(
    ("first_order", "moved"), [(False, -1.33848), (True, -1.716)], ids=["second order", "first order"]
)
def test_penalties_count_in_both_loops(penalty, first_order, moved):
    """One weight w = 1, one example x = 1, y = 0 in support set and query: L = w² + 0.1w², however it is asked for.

    The inner step with rate 0.1 leads to w' = 1 − 0.1 · 2.2 = 0.78; the outer gradient is 2.2 w' · dw'/dw with
    dw'/dw = 0.78, and 1 to first order: 1.33848 and 1.716.
    """
    model = keras.Sequential([keras.Input((1,)), *PENALTIES[penalty]()])
    model.layers[0].kernel.assign([[1.0]])
    learner = ml.MAML(model, inner_lr=0.1, first_order=first_order)
    learner.compile(keras.optimizers.SGD(1.0), loss=half_square)
    one = np.ones((1, 1, 1), "float32")
    learner.fit({"support_x": one, "support_y": 0 * one, "query_x": one}, 0 * one, verbose=0)
    np.testing.assert_allclose(model.layers[0].kernel, [[1 + moved]], rtol=1e-5)


@pytest.mark.parametrize("policy", ["support", "transductive", "running"])
def test_penalties_of_an_embedding_count_once(policy):
    """For outputs z = Wx Keras's activity penalty is ‖z‖² over the examples of a call: its gradient is 2xxᵀW / n.

    Support set and queries are one call of 10 examples, but for "support" one of 6 and one of 4.
    """
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(3, use_bias=False, activity_regularizer=keras.regularizers.L2(1.0)),
        keras.layers.BatchNormalization(),
    ]
    learner = ml.PrototypicalNetwork(keras.Sequential([keras.Input((2,)), *layers]), batch_norm=policy)
    learner.compile(keras.optimizers.SGD(1.0), CROSS_ENTROPY)
    task, query_y = ml.tasks.gather_tasks(ml.tasks.linear_classification(3, 2), 1)
    before = layers[0].kernel.numpy()
    (gradient, *_) = fitted_gradient(learner, task, query_y)
    layers[0].activity_regularizer = None
    learner.compile(keras.optimizers.SGD(1.0), CROSS_ENTROPY)
    (without, *_) = fitted_gradient(learner, task, query_y)
    support, query = task["support_x"][0], task["query_x"][0]
    calls = [support, query] if policy == "support" else [np.concatenate([support, query])]
    expected = sum(2 * x.T @ (x @ before) / len(x) for x in calls)
    np.testing.assert_allclose(gradient - without, expected, rtol=1e-3, atol=1e-5)


def test_frozen_batch_normalisation_is_in_inference_mode():
    """As in Keras, under every policy: a pretrained backbone keeps the statistics it came with."""
    for policy in ("support", "transductive", "running"):
        normal = keras.layers.BatchNormalization()
        model = keras.Sequential([keras.Input((1,)), normal, keras.layers.Dense(1)])
        normal.moving_mean.assign([3.0])
        normal.moving_variance.assign([4.0])
        normal.trainable = False
        learner = ml.MAML(model, inner_lr=0.01, inner_steps=0, batch_norm=policy)
        learner.compile("adam", loss="mse")
        task, _ = met("MAML")
        expected = model.predict(task["query_x"].reshape(-1, 1), verbose=0).reshape(task["query_x"].shape)
        np.testing.assert_allclose(learner.predict(task), expected, rtol=1e-5, atol=1e-6)
        embedding = ml.PrototypicalNetwork(model, batch_norm=policy)
        embedding.compile("adam", loss=CROSS_ENTROPY)
        labels = {**task, "support_y": np.tile([0, 1, 0, 1], (6, 1))}
        support = model.predict(task["support_x"].reshape(-1, 1), verbose=0).reshape(6, 2, 2)
        means = support.mean(axis=1)[:, None]
        np.testing.assert_allclose(embedding.predict(labels), -((expected - means) ** 2), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", BY_GRADIENT)
def test_layers_that_are_frozen_or_thawed_later(name):
    learner = fitted(compiled(name), name)
    learner.model.layers[0].trainable = False
    with pytest.raises(ValueError, match=r"expected the same ones: call compile\(\) after freezing or thawing layers$"):
        fitted(learner, name)
    if name == "Meta-SGD":
        learner.compile("adam", loss="mse", jit_compile=False)
        with pytest.raises(ValueError, match=r"freeze or thaw layers before the learner is made$"):
            fitted(learner, name)
        return
    learner.compile(keras.optimizers.SGD(0.05), loss="mse", jit_compile=False)
    before = [variable.numpy() for variable in learner.model.weights]
    fitted(learner, name)
    moved = [not np.array_equal(a, b) for a, b in zip(before, learner.model.weights, strict=True)]
    assert moved == [False, False, True, True]


def test_anil_with_a_frozen_head_adapts_the_last_layer_that_trains():
    model = ml.networks.mlp(hidden=(4,))
    model.layers[-1].trainable = False
    learner = ml.MAML(model, inner_lr=0.1, adapted="head")
    learner.compile("adam", loss="mse")
    task, _ = met("MAML", 1)
    start = learner.initialization()
    adapted = learner.adapt(start, task["support_x"][0], task["support_y"][0])
    assert len(start) == 2 and not np.allclose(start[0], adapted[0])


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
    with pytest.raises(ValueError, match=r"meta-batch 1 .*: the weights are those before that step") as error:
        learner.fit(x, verbose=0, **options)
    assert kind == "generator" or "task 1 in meta-batch 1 of x" in str(error.value)
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


class Subclassed(keras.Model):
    """A model without symbolic inputs."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.hidden, self.out = keras.layers.Dense(4, "tanh"), keras.layers.Dense(outputs)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.out(self.hidden(x))


@pytest.mark.parametrize("name", TRAINED)
def test_a_subclassed_model_is_as_good_as_any(name):
    """Its step is that of a sequential model with the same weights."""
    symbolic = network(name)
    model = Subclassed(symbolic.output_shape[-1])
    x = np.zeros((1, symbolic.input_shape[-1]), "float32")
    model(x)
    plain = keras.Sequential(
        [keras.Input(x.shape[1:]), keras.layers.Dense(4, "tanh"), keras.layers.Dense(model.out.units)]
    )
    plain.set_weights(model.get_weights())
    moved = []
    for inside in (model, plain):
        keras.utils.set_random_seed(0)
        learner = made(name, inside)
        loss = None if isinstance(learner, ml.NeuralProcess) else "mse" if name in VALUES else CROSS_ENTROPY
        learner.compile(keras.optimizers.SGD(0.05), loss, jit_compile=False)
        fitted(learner, name)
        moved.append(weights(learner))
    for a, b in zip(*moved, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_models_that_no_learner_can_use_get_one_sentence():
    a, b = keras.Input((1,)), keras.Input((1,))
    both = keras.layers.Concatenate()([a, b])
    two_in = keras.Model([a, b], keras.layers.Dense(1)(both))
    two_out = keras.Model(a, [keras.layers.Dense(1)(a), keras.layers.Dense(1)(a)])
    recurrent = keras.Sequential([keras.Input((3, 1)), keras.layers.LSTM(2, name="reader"), keras.layers.Dense(1)])
    spectral = keras.Sequential([keras.Input((1,)), keras.layers.SpectralNormalization(keras.layers.Dense(1))])
    for model, sentence in (
        (two_in, r"^model has 2 inputs, expected one$"),
        (two_out, r"^model has 2 outputs, expected one$"),
        (recurrent, r"^model has the recurrent layer 'reader' with unroll=False, expected unroll=True: its loop"),
        (spectral, r"^model has the layer 'spectral_normalization.*', a SpectralNormalization, expected none"),
    ):
        with pytest.raises(ValueError, match=sentence):
            ml.MAML(model)


def test_an_unrolled_recurrent_layer_has_the_exact_gradient(float64):
    rng = np.random.default_rng(0)
    layers = [keras.layers.LSTM(2, unroll=True), keras.layers.Dense(1)]
    learner = ml.MAML(keras.Sequential([keras.Input((3, 1)), *layers]), inner_lr=0.1)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    x = rng.normal(size=(2, 5, 3, 1))
    y = x.sum(axis=2)
    check_fitted_gradient(learner, {"support_x": x[:, :3], "support_y": y[:, :3], "query_x": x[:, 3:]}, y[:, 3:])


class Counted(keras.layers.Layer):
    """Has a state that training changes: the mean of what it has seen."""

    def build(self, shape: tuple) -> None:
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False, name="mean")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        if training:
            self.mean.assign(0.5 * self.mean + 0.5 * tf.reduce_mean(x))
        return x


@pytest.mark.parametrize("name", BY_GRADIENT)
def test_a_state_of_its_own_is_kept_or_refused(name):
    with pytest.raises(ValueError, match=r"^model has the state '.*mean', which training changes, expected none but"):
        fitted(compiled(name, Counted()), name)
    keras.utils.set_random_seed(0)
    counted = Counted()
    model = keras.Sequential([keras.Input((1,)), counted, keras.layers.Dense(1)])
    learner = type(made(name, network(name)))(model, batch_norm="running")
    learner.compile(keras.optimizers.SGD(0.0), loss="mse", jit_compile=False)
    task, query_y = met(name, 3)
    learner.fit(task, query_y, batch_size=3, verbose=0)
    seen = task["support_x" if name == "Reptile" else "query_x"]
    np.testing.assert_allclose(counted.mean, 0.5 * seen.mean(), rtol=1e-5)


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
