"""The networks that learners are made of: the article's, a multi-layer perceptron, a small convolutional network."""

from collections.abc import Sequence
from typing import Any, cast

import keras
import tensorflow as tf

from metalearn_lib.core.checks import all_at_least, at_least, flags, one_of, shown, texts
from metalearn_lib.core.vectorize import has_its_own_weights

DTYPES = ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16")


def article_network(num_inputs: int = 2, hidden: int = 10, num_outputs: int = 2) -> keras.Model:
    """The article's network: `num_inputs` – `hidden` ReLU – `num_outputs` softmax, 2–10–2 as printed.

    Args:
        num_inputs: number of inputs.
        hidden: number of hidden units.
        num_outputs: number of classes.

    Returns:
        A model from x [B, num_inputs] to class probabilities [B, num_outputs].

    Raises:
        ValueError: if a number is not a whole one of at least 1.
    """
    at_least(1, num_inputs=num_inputs, hidden=hidden, num_outputs=num_outputs)
    return keras.Sequential(
        [
            keras.Input((num_inputs,)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(num_outputs, activation="softmax"),
        ],
        name="article_network",
    )


def mlp(
    num_inputs: int = 1,
    num_outputs: int = 1,
    hidden: Sequence[int] = (40, 40),
    activation: str = "relu",
    dtype: str | None = None,
) -> keras.Model:
    """A multi-layer perceptron; by default the network of MAML's sinusoid regression (Finn et al. 2017, 5.1).

    Args:
        num_inputs: number of inputs.
        num_outputs: number of outputs.
        hidden: number of units of each hidden layer.
        activation: the name of an activation of Keras, for the hidden layers.
        dtype: the name of a floating type or of a mixed precision; Keras's own if None.

    Returns:
        A model from x [B, num_inputs] to linear outputs [B, num_outputs].

    Raises:
        TypeError: if `activation` is no text.
        ValueError: if a number is not a whole one of at least 1, or a name is unknown.
    """
    at_least(1, num_inputs=num_inputs, num_outputs=num_outputs)
    all_at_least(1, hidden=hidden)
    texts(activation=activation)
    try:
        keras.activations.get(activation)
    except ValueError:
        raise ValueError(f"activation is {shown(activation)}, expected the name of one that Keras has") from None
    if dtype is not None:
        one_of(DTYPES, dtype=dtype)
    layers = [keras.layers.Dense(units, activation=activation, dtype=dtype) for units in hidden]
    return keras.Sequential(
        [keras.Input((num_inputs,), dtype=dtype), *layers, keras.layers.Dense(num_outputs, dtype=dtype)], name="mlp"
    )


def conv4(
    num_outputs: int | None = None,
    input_shape: tuple[int, int, int] = (28, 28, 1),
    filters: int = 64,
    pooling: bool = False,
) -> keras.Model:
    """Four blocks of 3x3 convolution, batch normalisation and ReLU, each halving height and width.

    Args:
        num_outputs: number of classes of a last dense layer; None for a network that embeds and has no such layer.
        input_shape: height, width and channels of an image.
        filters: channels of every convolution.
        pooling: halve by 2x2 max pooling, as in prototypical networks (Snell et al. 2017), instead of by a
            stride of 2, as in MAML's Omniglot network (Finn et al. 2017); slower by about four times.

    Returns:
        A model from images [B, H, W, C] to logits [B, num_outputs], or to a flat embedding if `num_outputs` is None.

    Raises:
        TypeError: if `pooling` is not True or False.
        ValueError: if a number is not a whole one of at least 1, or images are too small for pooling.
    """
    if num_outputs is not None:
        at_least(1, num_outputs=num_outputs)
    at_least(1, filters=filters)
    flags(pooling=pooling)
    all_at_least(1, input_shape=input_shape)
    if len(input_shape) != 3 or (pooling and min(input_shape[:2]) < 16):
        sides = "height and width of at least 16" if pooling else "height, width"
        raise ValueError(f"input_shape is {shown(input_shape)}, expected {sides} and channels")
    layers: list[Any] = [keras.Input(input_shape)]
    for _ in range(4):
        layers.append(TaskConv2D(filters, 3, strides=1 if pooling else 2, padding="same"))
        layers.append(keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3))
        layers.append(keras.layers.ReLU())
        if pooling:
            layers.append(keras.layers.MaxPooling2D(2))
    layers.append(keras.layers.Flatten())
    if num_outputs is not None:
        layers.append(keras.layers.Dense(num_outputs))
    return keras.Sequential(layers, name="conv4")


@keras.saving.register_keras_serializable("metalearn_lib")
class TaskConv2D(keras.layers.Conv2D):
    """A 2-D convolution that stays fast where each task has its own kernel.

    Outside a vectorised body it is `keras.layers.Conv2D`. Inside, where the kernel differs from task to task and
    the convolution would leave the fast path, it gathers the patches under the kernel and multiplies: over tasks,
    that is one batched matrix product.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve images [B, H, W, C] to [B, H', W', filters]."""
        if not has_its_own_weights():
            return cast(tf.Tensor, super().call(inputs))
        for name, expected in (("dilation_rate", (1, 1)), ("groups", 1), ("data_format", "channels_last")):
            if (value := getattr(self, name)) != expected:
                raise ValueError(f"{name} is {value!r}, expected {expected!r} where each task has its own kernel")
        size, strides = cast(tuple[int, int], self.kernel_size), cast(tuple[int, int], self.strides)
        outputs = tf.tensordot(_patches(inputs, size, strides, self.padding), _flat(self.kernel), 1)
        if self.use_bias:
            outputs += self.bias
        return cast(tf.Tensor, self.activation(outputs))


def _patches(images: tf.Tensor, size: tuple[int, int], strides: tuple[int, int], padding: str) -> tf.Tensor:
    """The patches under a kernel: [B, H, W, C] to [B, H', W', size * size * C]."""
    counts, pads = [], []
    lengths = [cast(int, length) for length in images.shape[1:3]]
    for length, k, stride in zip(lengths, size, strides, strict=True):
        count = -(-length // stride) if padding == "same" else (length - k) // stride + 1
        missing = max((count - 1) * stride + k - length, 0)
        counts.append(count)
        pads.append([missing // 2, missing - missing // 2])
    height, width = ((count - 1) * stride + 1 for count, stride in zip(counts, strides, strict=True))

    # Gathering is linear and adding up its transpose, so each is the other's derivative. TensorFlow's derivative of
    # nine slices adds nine images, and the derivative of that runs in a loop over tasks.
    @tf.custom_gradient
    def gather(images: tf.Tensor) -> Any:
        padded = tf.pad(images, [[0, 0], *pads, [0, 0]])
        shifted = [
            padded[:, i : i + height : strides[0], j : j + width : strides[1]]
            for i in range(size[0])
            for j in range(size[1])
        ]
        return tf.concat(shifted, axis=-1), add_up

    @tf.custom_gradient
    def add_up(patches: tf.Tensor) -> Any:
        images = patches
        for axis in (0, 1):
            images = _add_up(images, axis + 1, lengths[axis], size[axis], strides[axis], pads[axis][0])
        return images, gather

    return gather(images)


def _add_up(patches: tf.Tensor, axis: int, length: int, size: int, stride: int, before: int) -> tf.Tensor:
    """Add what overlapping patches hold of the same place, along one axis.

    [B, ..., count, ..., size * C] becomes [B, ..., length, ..., C]; `before` places stood before the first. Place
    `stride * i + phase` is entry `phase` of patch i, entry `phase + stride` of the one before, and so on.
    """

    def padded(part: tf.Tensor, before: int, after: int) -> tf.Tensor:
        pads = [[0, 0]] * 4
        pads[axis] = [before, after]
        return tf.pad(part, pads)

    parts = tf.split(patches, size, axis=-1)
    most = (size - 1) // stride
    phases = []
    for phase in range(stride):
        starts = [(entry, entry // stride) for entry in range(phase, size, stride)]
        entries = [padded(parts[entry], start, most - start) for entry, start in starts]
        phases.append(tf.add_n(entries) if entries else tf.zeros_like(padded(parts[0], 0, most)))
    shape = phases[0].shape.as_list()
    shape[0], shape[axis] = -1, shape[axis] * stride
    places = tf.reshape(tf.stack(phases, axis=axis + 1), shape)
    missing = max(before + length - shape[axis], 0)
    places = padded(places, 0, missing) if missing else places
    return places[:, before : before + length] if axis == 1 else places[:, :, before : before + length]


def _flat(kernel: tf.Tensor) -> tf.Tensor:
    kernel = tf.convert_to_tensor(kernel)
    return tf.reshape(kernel, [-1, kernel.shape[-1]])
