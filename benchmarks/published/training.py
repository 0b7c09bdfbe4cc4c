"""How the experiments train and test."""

from collections.abc import Callable

import keras
import numpy as np

import metalearn_lib as ml
from benchmarks.alphabets import HELD_OUT, VALIDATION

SEED = 0
TEST_SEED = 1
TESTED = 423 / 1623  # the published share of characters to test on, whose training had 1,200 of 1,623
# Squared distances in 64 dimensions are in the tens: a softmax of them is one or nothing and learns slowly.
SCALE = 0.3
Scores = dict[str, ml.Score]


def protocols(images: ml.images.LabelledImages) -> dict[str, tuple[ml.images.LabelledImages, ml.images.LabelledImages]]:
    """Training and test classes, turns by 90 degrees being classes of their own in both.

    "alphabets" holds out a quarter of the alphabets, "characters" a random quarter of the characters as published.
    What settings were chosen on, the five alphabets `VALIDATION`, is in neither test and in both training sets.

    Raises:
        ValueError: if there are too few alphabets.
    """
    others = [c for c, alphabet in enumerate(images.alphabets) if alphabet not in VALIDATION]
    names = sorted({images.alphabets[c] for c in others})
    number, share = round(HELD_OUT * len(names)), round(TESTED * len(images.classes))
    if not number or share >= len(images.classes) or share > len(others):
        raise ValueError(f"Omniglot came with the alphabets {', '.join(names)} to test on, expected at least 3")
    held_out = set(np.random.default_rng(SEED).choice(names, number, replace=False))
    tests = {
        "alphabets": {c for c in others if images.alphabets[c] in held_out},
        "characters": set(np.random.default_rng(SEED).choice(others, share, replace=False)),
    }
    return {
        protocol: (
            images.select([c for c in range(len(images.classes)) if c not in test]).with_rotations(),
            images.select(sorted(test)).with_rotations(),
        )
        for protocol, test in tests.items()
    }


def maml_sinusoids(shots: int) -> Callable[..., Scores]:
    """MAML trained with so many shots."""
    return lambda images, steps, count: _sinusoids(ml.MAML(ml.networks.mlp(), inner_lr=0.01), shots, steps, count)


def pretraining_sinusoids(images: None, steps: int, count: int) -> Scores:
    """One network for all tasks, fine-tuned on each."""
    return _sinusoids(ml.JointTraining(ml.networks.mlp(), inner_lr=0.01), 10, steps, count)


def _sinusoids(learner: ml.MAML | ml.JointTraining, shots: int, steps: int, count: int) -> Scores:
    learner.compile(keras.optimizers.Adam(1e-3), "mse", steps_per_execution=min(100, steps))
    learner.fit(ml.tasks.sinusoids(shots, seed=SEED), steps_per_epoch=steps)
    scores = {}
    for tested in (5, 10):
        # Many queries, for a narrower interval: the paper's number, as many as shots, has the same expectation.
        curve = ml.adaptation_curve(learner, ml.tasks.sinusoids(tested, queries=100, seed=TEST_SEED), 10, count)
        scores |= {f"{tested}-shot, {n} step{'s' * (n > 1)}": curve[n] for n in (1, 5, 10)}
    return scores


def metric(make: Callable[[], ml.Learner], protocol: str) -> Callable[..., Scores]:
    """One network, trained with 60 ways and one shot, that answers all four columns.

    Args:
        make: makes the learner.
        protocol: one of `protocols`.
    """

    def run(images: ml.images.LabelledImages, steps: int, count: int) -> Scores:
        training, test = protocols(images)[protocol]
        learner = make()
        learner.compile(_adam(1e-2, steps), _cross_entropy())
        ways = min(60, len(training.classes))
        learner.fit(
            ml.tasks.episodes(training, ways, 1, queries=5, meta_batch_size=1, seed=SEED), steps_per_epoch=steps
        )
        tested = [(ways, shots) for ways in (5, 20) for shots in (1, 5)]
        return {_column(ways, shots): _score(learner, test, ways, shots, 5, count) for ways, shots in tested}

    return run


def prototypical_network() -> ml.PrototypicalNetwork:
    """With the paper's network; see the recipe for the scale."""
    return ml.PrototypicalNetwork(
        keras.Sequential([ml.networks.conv4(pooling=True), keras.layers.Rescaling(SCALE)]), batch_norm="running"
    )


def matching_network() -> ml.MatchingNetwork:
    """Without full context embeddings; see the recipe for the scale."""
    return ml.MatchingNetwork(ml.networks.conv4(pooling=True), scale=10.0, batch_norm="running")


def gradient_steps(
    make: Callable[[keras.Model], ml.MAML | ml.Reptile],
    steps_in_test: int = 3,
    meta_batch_size: int = 32,
    ways: int = 5,
    training_shots: int = 1,
    optimizer: Callable[[int], keras.optimizers.Optimizer] | None = None,
) -> Callable[..., Scores]:
    """A learner that adapts by gradient steps, tested with one shot on the published split into characters.

    Args:
        make: makes the learner from its network.
        steps_in_test: inner steps of the test, which may be more than in training.
        meta_batch_size: number of tasks in a training step.
        ways: of training and test.
        training_shots: shots in training.
        optimizer: the outer loop's, from the number of steps; None for Adam with a cosine decay.
    """

    def run(images: ml.images.LabelledImages, steps: int, count: int) -> Scores:
        training, test = protocols(images)["characters"]
        learner = make(_averaged(ml.networks.conv4(), ways))
        learner.compile(optimizer(steps) if optimizer else _adam(4e-3, steps), _cross_entropy())
        learner.fit(
            ml.tasks.episodes(training, ways, training_shots, 1, meta_batch_size, seed=SEED), steps_per_epoch=steps
        )
        learner.inner_steps = steps_in_test
        return {_column(ways, 1): _score(learner, test, ways, 1, 1, count)}

    return run


def linear_decay(steps: int) -> keras.optimizers.Optimizer:
    """Reptile's outer step, from 1 down to 0."""
    return keras.optimizers.SGD(keras.optimizers.schedules.PolynomialDecay(1.0, steps, 0.0))


def _averaged(embedding: keras.Model, ways: int) -> keras.Model:
    """The network of MAML's public code: the last convolution's 2 x 2 positions averaged, and a dense layer."""
    positions = [keras.layers.Reshape((-1, 64)), keras.layers.GlobalAveragePooling1D()]
    return keras.Sequential([embedding, *positions, keras.layers.Dense(ways)])


def _score(
    learner: ml.Learner, test: ml.images.LabelledImages, ways: int, shots: int, queries: int, count: int
) -> ml.Score:
    return ml.score(learner, ml.tasks.episodes(test, ways, shots, queries, meta_batch_size=20, seed=TEST_SEED), count)


def _adam(rate: float, steps: int) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))


def _column(ways: int, shots: int) -> str:
    return f"{ways}-way {shots}-shot"


def _cross_entropy() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
