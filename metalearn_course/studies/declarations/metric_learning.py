"""Chapter 8: episodes against classifiers' features with several heads, on scripts that no training has seen.

Every network is the chapter's own, and every step takes 120 images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

LONG = 1_200
TUNING = 300
SHORT = 150
IMAGES = 120  # of a step
TASKS = 400
QUERIES = 5
KINDS = {"5-way 1-shot": (5, 1), "5-way 5-shot": (5, 5), "20-way 1-shot": (20, 1)}
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
Features = dict[str, np.ndarray]
Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


@cache
def splits() -> dict[str, ml.images.LabelledImages]:
    """Images of scripts to train with, to choose with and to test with: no script is in two of them."""
    return dict(zip(("train", "validation", "test"), ml.images.glyph_splits(size=20), strict=True))


@cache
def drawn(part: str, kind: str) -> list[np.ndarray]:
    """Positions of the support images [T, N, K] and of the queries [T, N, Q], drawn as in the chapter."""
    ways, shots = KINDS[kind]
    rng = np.random.default_rng({"validation": 11, "test": 12}[part])
    classes = np.argsort(rng.random((TASKS, len(splits()[part].classes))), axis=1)[:, :ways]
    drawings = np.argsort(rng.random((TASKS, ways, 20)), axis=2)[..., : shots + QUERIES]
    return np.split(20 * classes[..., None] + drawings, [shots], axis=2)


def accuracy(rule: Rule, features: Features, part: str, kind: str) -> ml.Score:
    """Of a rule on the tasks of a kind."""
    support, query = drawn(part, kind)
    T, N, _ = query.shape
    logits = rule(features[part][query].reshape(T, N * QUERIES, -1), features[part][support])
    labels = np.tile(np.repeat(np.arange(N), QUERIES), (T, 1))
    return ml.score_predictions(logits, labels, ml.evaluation.fingerprint(query))


def prototypes(query: np.ndarray, support: np.ndarray) -> np.ndarray:
    """-|z - c|^2 up to |z|^2, which no class has to itself."""
    means = support.mean(axis=2)
    return 2 * query @ means.swapaxes(1, 2) - (means**2).sum(axis=-1)[:, None]


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)


def nearest_mean(query: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Of features of length 1, as SimpleShot has it (Wang et al. 2019)."""
    return prototypes(unit(query), unit(support))


def matching(query: np.ndarray, support: np.ndarray, scale: float) -> np.ndarray:
    """Log odds of a vote by attention."""
    T, N, K, D = support.shape
    similarity = scale * unit(query) @ unit(support.reshape(T, N * K, D)).swapaxes(1, 2)
    odds = np.exp(similarity - similarity.max(axis=-1, keepdims=True))
    return np.log(odds.reshape(T, -1, N, K).sum(axis=-1) + 1e-30)


def rows_of(support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Support images [T, N*K, D], of length 1, and their classes, one-hot [N*K, N]."""
    T, N, K, D = support.shape
    return unit(support.reshape(T, N * K, D)), np.repeat(np.eye(N, dtype=np.float32), K, axis=0)


def ridge(query: np.ndarray, support: np.ndarray, strength: float) -> np.ndarray:
    """Least squares on the one-hot classes + strength |W|^2, by the inner products of the support images."""
    x, y = rows_of(support)
    gram = x @ x.swapaxes(1, 2) + np.float32(strength) * np.eye(x.shape[1], dtype=np.float32)
    return unit(query) @ x.swapaxes(1, 2) @ np.linalg.solve(gram, np.broadcast_to(y, (len(x), *y.shape)))


def logistic(query: np.ndarray, support: np.ndarray, strength: float) -> np.ndarray:
    """Softmax regression: the summed cross-entropy + strength / 2 |W|^2, W = X'A, by accelerated gradient steps."""
    x, y = rows_of(support)
    gram = x @ x.swapaxes(1, 2)
    rate = np.float32(1 / (strength + len(y) / 2))
    a = last = np.zeros((len(x), *y.shape), np.float32)
    for step in range(300):
        ahead = a + np.float32(step / (step + 3)) * (a - last)
        logits = gram @ ahead
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        last, a = a, ahead - rate * (np.float32(strength) * ahead + odds / odds.sum(axis=-1, keepdims=True) - y)
    return unit(query) @ x.swapaxes(1, 2) @ a


def tuned(head: Callable[..., np.ndarray], features: Features, kind: str) -> Rule:
    """A head whose strength is the best on the validation tasks of the kind."""
    rules = [partial(head, strength=strength) for strength in STRENGTHS]
    return max(rules, key=lambda rule: accuracy(rule, features, "validation", kind).mean)


def body(scale: float = 1.0) -> keras.Model:
    """The chapter's network."""
    network = ml.networks.conv4(filters=32, input_shape=(20, 20, 1))
    return keras.Sequential([network, keras.layers.Rescaling(scale)])


def fit(model: keras.Model, batches: tf.data.Dataset, rate: float, steps: int) -> None:
    """A long training's rate falls to zero along a cosine; a short one's stays, which is better there."""
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate if steps == SHORT else falling), loss)  # pyright: ignore[reportArgumentType]
    model.fit(batches, steps_per_epoch=steps, verbose=0)  # pyright: ignore[reportArgumentType]


def episodes(ways: int, seed: int) -> tf.data.Dataset:
    """Tasks of one support image and one query of each character."""
    sizes = {"shots": 1, "queries": 1, "meta_batch_size": IMAGES // (2 * ways)}
    return ml.tasks.episodes(splits()["train"], ways, seed=seed, **sizes)  # pyright: ignore[reportArgumentType]


def by_prototypes(steps: int, seed: int, rate: float, scale: float = 1.0, ways: int = 60) -> keras.Model:
    """Meta-trained by prototypes."""
    learner = ml.PrototypicalNetwork(body(scale), batch_norm="running")
    fit(learner, episodes(ways, seed), rate, steps)
    return learner.model


def by_matching(steps: int, seed: int, rate: float, scale: float) -> keras.Model:
    """Meta-trained by a vote of all examples."""
    learner = ml.MatchingNetwork(body(), scale=scale, batch_norm="running")
    fit(learner, episodes(60, seed), rate, steps)
    return learner.model


def by_classes(steps: int, seed: int, rate: float, scale: float) -> keras.Model:
    """A classifier of all training characters, with a last layer as usual."""
    classes = len(splits()["train"].classes)
    learner = ml.PretrainedFeatures(body(scale), num_classes=classes, batch_norm="running")
    fit(learner, ml.tasks.labelled_batches(splits()["train"], batch=IMAGES, seed=seed), rate, steps)
    return learner.model


def by_cosines(steps: int, seed: int, rate: float, scale: float) -> keras.Model:
    """The same with logits scale * cosine between features and class weights (Baseline++, Chen et al. 2019)."""
    network = body()
    features = keras.layers.UnitNormalization()(network.outputs[0])
    classes = len(splits()["train"].classes)
    head = keras.layers.Dense(classes, use_bias=False, kernel_constraint=keras.constraints.UnitNorm(axis=0))
    model = keras.Model(network.inputs[0], keras.layers.Rescaling(scale)(head(features)))
    fit(model, ml.tasks.labelled_batches(splits()["train"], batch=IMAGES, seed=seed), rate, steps)
    return network


@dataclass(frozen=True)
class Learner:
    """What is trained when it is asked for features, for as many steps as are wanted."""

    features: Callable[[int], Features]
    rule: Rule
    steps: int = LONG

    def scores(self, part: str, steps: int) -> dict[str, ml.Score]:
        features = self.features(steps)
        return {kind: accuracy(self.rule, features, part, kind) for kind in KINDS}


def trained(seed: int, train: Callable[..., keras.Model], rule: Rule, steps: int = LONG, **setting: float) -> Learner:
    """A network that is trained in one of the four ways, and the rule that it is asked with."""

    def features(steps: int) -> Features:
        keras.utils.set_random_seed(seed)
        network = train(steps, seed, **setting)
        images = {part: splits()[part].images / np.float32(255) for part in ("validation", "test")}
        return {part: network.predict(x, batch_size=500, verbose=0) for part, x in images.items()}  # pyright: ignore[reportArgumentType]

    if rule is matching:
        rule = partial(matching, scale=setting["scale"])
    return Learner(features, rule, steps)


def blurred(seed: int, width: float) -> Learner:
    """No network: pixels under a blur."""

    def features(steps: int) -> Features:
        images = {part: splits()[part].images[..., 0] / np.float32(255) for part in ("validation", "test")}
        return {part: gaussian_filter(x, (0, width, width)).reshape(len(x), -1) for part, x in images.items()}

    return Learner(features, prototypes, SHORT)


def validate(learner: Learner) -> ml.Score:
    """The mean of the three kinds."""
    scores = list(learner.scores("validation", min(TUNING, learner.steps)).values())
    return ml.Score(np.concatenate([score.values for score in scores]), "accuracy")


def measure(learner: Learner) -> Mapping[str, ml.Score]:
    """With its own rule, with two linear heads, and after half the steps."""
    features = learner.features(learner.steps)
    found = {kind: accuracy(learner.rule, features, "test", kind) for kind in KINDS}
    if learner.steps == LONG:
        for kind in ("5-way 1-shot", "5-way 5-shot"):
            for name, head in {"ridge": ridge, "logistic": logistic}.items():
                found[f"{kind}, {name} head"] = accuracy(tuned(head, features, kind), features, "test", kind)
        half = learner.scores("test", LONG // 2)
        found |= {f"{kind}, half the steps": score for kind, score in half.items()}
    return found


SCALES = [0.03, 0.1, 0.3, 1.0]
RATES = [0.003, 0.01, 0.03, 0.1]

STUDY = Study(
    name="metric_learning",
    chapter="08",
    question="What do episodes add to the features of a classifier, on scripts that no training has seen?",
    budget="1,200 steps of 120 images, rate falling to zero (settings chosen at 300); or 150 steps at one rate",
    rivals={
        "prototypes": Rival(partial(trained, train=by_prototypes, rule=prototypes), {"scale": SCALES, "rate": RATES}),
        "prototypes, scale 1": Rival(partial(trained, train=by_prototypes, rule=prototypes), {"rate": RATES}),
        "prototypes, 5 ways": Rival(
            partial(trained, train=by_prototypes, rule=prototypes, ways=5), {"scale": SCALES, "rate": RATES}
        ),
        "matching": Rival(
            partial(trained, train=by_matching, rule=matching),  # pyright: ignore[reportArgumentType]
            {"scale": [5, 10, 20, 40], "rate": RATES},
        ),
        "classifier": Rival(
            partial(trained, train=by_classes, rule=nearest_mean),
            {"scale": [0.1, 0.3, 1.0, 3.0], "rate": [0.001, 0.003, 0.01, 0.03]},
        ),
        "cosine classifier": Rival(
            partial(trained, train=by_cosines, rule=nearest_mean), {"scale": [1.25, 2.5, 5, 10, 20, 40], "rate": RATES}
        ),
        "blurred pixels": Rival(blurred, {"width": [0.5, 1.0, 1.5, 2.0, 2.5]}, trained=False),
        "prototypes, 150 steps": Rival(
            partial(trained, train=by_prototypes, rule=prototypes, steps=SHORT), {"scale": SCALES, "rate": RATES}
        ),
        "prototypes, scale 1, 150 steps": Rival(
            partial(trained, train=by_prototypes, rule=prototypes, steps=SHORT), {"rate": RATES}
        ),
        "classifier, 150 steps": Rival(
            partial(trained, train=by_classes, rule=nearest_mean, steps=SHORT),
            {"scale": [0.1, 0.3, 1.0, 3.0], "rate": [0.001, 0.003, 0.01, 0.03]},
        ),
        "cosine classifier, 150 steps": Rival(
            partial(trained, train=by_cosines, rule=nearest_mean, steps=SHORT),
            {"scale": [1.25, 2.5, 5, 10, 20, 40], "rate": RATES},
        ),
    },
    validate=validate,
    measure=measure,
)
