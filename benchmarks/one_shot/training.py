"""What is tested: a prototypical network trained on drawn glyphs or on Omniglot, and a baseline that is not trained."""

from dataclasses import replace

import keras
import numpy as np

import metalearn_lib as ml

SEED = 0
WAYS, QUERIES, RATE = 60, 5, 1e-2  # of training, one shot each
# Squared distances in 256 dimensions are in the hundreds: a softmax of them is one or nothing and learns slowly.
SCALE = 0.1
SIZE = 28  # pixels of an image


def shrunk(images: ml.images.LabelledImages) -> ml.images.LabelledImages:
    """Omniglot's one-bit drawings, averaged over the areas of larger pixels instead of the nearest one."""
    parts = np.array_split(images.images[..., 0], -(-len(images) // 500))
    pixels = np.concatenate([np.rint(ml.images.shrink_images(part, SIZE)).astype(np.uint8) for part in parts])
    return replace(images, images=pixels[..., None])


def turned_and_mirrored(images: ml.images.LabelledImages) -> ml.images.LabelledImages:
    """Eight classes of each: its four turns by 90 degrees, and those of its mirror image."""
    mirrored = ml.images.LabelledImages(
        np.concatenate([images.images, images.images[:, :, ::-1]]),
        np.concatenate([images.labels, images.labels + len(images.classes)]),
        (*images.classes, *(f"{name} mirrored" for name in images.classes)),
        (*images.alphabets, *(f"{name} mirrored" for name in images.alphabets)),
    )
    return mirrored.with_rotations()


def train(images: ml.images.LabelledImages, steps: int) -> ml.PrototypicalNetwork:
    """A prototypical network after so many training episodes."""
    images = turned_and_mirrored(images)
    learner = ml.PrototypicalNetwork(
        keras.Sequential([ml.networks.conv4(), keras.layers.Rescaling(SCALE)]), batch_norm="running"
    )
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    learner.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ways = min(WAYS, len(images.classes))
    learner.fit(ml.tasks.episodes(images, ways, 1, QUERIES, meta_batch_size=1, seed=SEED), steps_per_epoch=steps)
    return ml.PrototypicalNetwork(five_views(learner.model))


def five_views(model: keras.Model) -> keras.Model:
    """A network that returns the mean of five: of an image as it is and moved by a pixel along each diagonal."""
    image = keras.Input(model.input_shape[1:])
    outputs = [model(image)]
    for down, right in ((0, 0), (0, 2), (2, 0), (2, 2)):
        padded = keras.layers.ZeroPadding2D(((2 - down, down), (2 - right, right)))(image)
        outputs.append(model(keras.layers.Cropping2D(1)(padded)))
    return keras.Model(image, keras.layers.Average()(outputs))


def nearest_blurred_pixels() -> ml.NearestNeighbor:
    """The baseline without learning: the nearest support image after a Gaussian blur of one pixel."""
    image = keras.Input((28, 28, 1))
    blurred = keras.ops.image.gaussian_blur(image, (7, 7), (1.0, 1.0))
    model = keras.Model(image, keras.layers.Flatten()(blurred))
    return ml.NearestNeighbor(model)
