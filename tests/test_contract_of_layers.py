"""What holds for every learner with any layer: random ones, penalties, frozen ones, states, kinds of model."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from tests.contract import BY_GRADIENT, CROSS_ENTROPY, VALUES, compiled, fitted, made, met, network, weights
from tests.gradients import check_fitted_gradient, fitted_gradient


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


class Subclassed(keras.Model):
    """A model without symbolic inputs."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.hidden, self.out = keras.layers.Dense(4, "tanh"), keras.layers.Dense(outputs)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.out(self.hidden(x))


@pytest.mark.parametrize(
    "name", ["MAML", "implicit MAML", "learned optimizer", "in context", "neural process", "matching", "probe"]
)
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
