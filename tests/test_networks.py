"""The networks: the article's sizes, and a convolution that is the same by two roads."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.core.vectorize import each_task_has_its_own_weights


def test_the_articles_network_is_2_10_2():
    model = ml.networks.article_network()
    assert [w.shape for w in model.get_weights()] == [(2, 10), (10,), (10, 2), (2,)]
    probabilities = model(np.random.default_rng(0).normal(size=(7, 2)))
    np.testing.assert_allclose(np.sum(probabilities, -1), np.ones(7), rtol=1e-6)


def test_the_sinusoid_network_has_two_layers_of_forty():
    assert ml.networks.mlp().count_params() == (1 * 40 + 40) + (40 * 40 + 40) + (40 * 1 + 1)


@pytest.mark.parametrize("pooling", [False, True])
def test_conv4_embeds_28_pixels(pooling):
    # 28 → 14 → 7 → 4 → 2 with strides and 28 → 14 → 7 → 3 → 1 with pooling: 2·2·64 and 64 numbers.
    assert ml.networks.conv4(pooling=pooling).output_shape == (None, 64 if pooling else 256)
    assert ml.networks.conv4(5, pooling=pooling).output_shape == (None, 5)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [1, 2, (1, 3)])
@pytest.mark.parametrize("size", [(7, 7), (6, 9)])
@pytest.mark.parametrize("kernel", [3, (2, 4)])
def test_patches_and_convolution_agree(padding, strides, size, kernel):
    """Outputs, first and second derivatives: gathering patches and adding them up bring their own."""
    layer = ml.networks.TaskConv2D(
        5, kernel, strides, padding, bias_initializer="normal", activation="tanh", dtype="float64"
    )
    images = tf.constant(np.random.default_rng(0).normal(size=(2, *size, 3)))

    def derivatives() -> list[np.ndarray]:
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                outputs = layer(images)
            first = inner.gradient(outputs, images)
            value = tf.reduce_sum(first**2)
        return [outputs.numpy(), first.numpy(), outer.gradient(value, images).numpy()]

    plain = derivatives()
    with each_task_has_its_own_weights():
        patches = derivatives()
    for one, other in zip(patches, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [("dilation_rate", (2, 2), (1, 1)), ("groups", 2, 1), ("data_format", "channels_first", "channels_last")],
)
def test_what_has_no_patches_is_refused_where_each_task_has_its_own_kernel(argument, value, expected):
    layer = ml.networks.TaskConv2D(4, 3, **{argument: value})
    with each_task_has_its_own_weights(), pytest.raises(ValueError) as error:
        layer.call(tf.zeros([1, 8, 8, 2]))
    assert str(error.value) == f"{argument} is {value!r}, expected {expected!r} where each task has its own kernel"


def test_each_task_may_bring_its_own_kernel():
    layer = ml.networks.TaskConv2D(4, 3, padding="same")
    layer.build((None, 6, 6, 2))
    rng = np.random.default_rng(0)
    kernels, images = rng.normal(size=(3, 3, 3, 2, 4)), rng.normal(size=(3, 5, 6, 6, 2))
    with each_task_has_its_own_weights():
        outputs = tf.vectorized_map(
            lambda a: layer.stateless_call([a[0], tf.zeros(4)], [], a[1])[0],
            (tf.constant(kernels, tf.float32), tf.constant(images, tf.float32)),
        )
    for kernel, image, output in zip(kernels, images, outputs, strict=True):
        np.testing.assert_allclose(output, tf.nn.conv2d(image, kernel, 1, "SAME"), atol=1e-4)


def test_conv4_is_saved_and_loaded(tmp_path):
    model = ml.networks.conv4(5, (14, 14, 1), filters=4)
    model.save(tmp_path / "conv4.keras")
    images = np.random.default_rng(0).normal(size=(2, 14, 14, 1))
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "conv4.keras")(images), model(images))
