"""What a profile counts, what weights do to it, and that networks of names are networks like others."""

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.applications.language.names import LENGTH, invented_names, labelled_names, spell_names
from metalearn_course.applications.language.ngrams import Emphasis, NGramProfile, convolution, weighted_profile


def by_hand(name: str, layer: NGramProfile) -> np.ndarray:
    """The profile, counted with slices of the string of bytes."""
    counts, text = np.zeros(layer.buckets), "\0" + name + "\0"
    data = text.encode()
    for size in layer.sizes:
        grams = [data[i : i + size] for i in range(len(data) - size + 1)]
        for gram in grams:
            if gram != b"\0":
                counts[layer.bucket(gram.decode())] += 1
    return np.sqrt(counts) / np.sqrt(counts.sum())


def test_a_profile_counts_ngrams():
    layer = NGramProfile()
    names = ["banana", "new zealand", "x" * LENGTH, "a"]
    profiles = layer(np.float32(spell_names(names) / 255)).numpy()
    for name, profile in zip(names, profiles, strict=True):
        np.testing.assert_allclose(profile, by_hand(name, layer), atol=1e-6)
    np.testing.assert_allclose((profiles**2).sum(axis=1), 1, rtol=1e-5)
    buckets = [layer.bucket(gram) for gram in ("a", "b", "ab", "ba", "\0a", "a\0", "aba", "bab")]
    assert len(set(buckets)) == 8


def test_equal_weights_are_the_nearest_profile():
    """At one shot a prototype is its example, so that a new network of weights is the nearest neighbour."""
    languages = labelled_names(invented_names(2, 40), fewest=10)
    task, _ = ml.tasks.gather_tasks(ml.tasks.episodes(languages, ways=6, queries=3, seed=2), 8)
    profile = keras.Sequential([keras.Input((1, LENGTH, 1)), NGramProfile()])
    answers = []
    for learner in (ml.PrototypicalNetwork(weighted_profile()), ml.NearestNeighbor(profile)):
        learner.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        answers.append(learner.predict(task))
    np.testing.assert_allclose(answers[0], np.e**2 * answers[1], rtol=1e-3, atol=1e-3)


def test_emphasis_weighs_and_scales():
    layer = Emphasis()
    x = np.float32([[3.0, 4.0]])
    np.testing.assert_allclose(layer(x), np.e * x / 5, rtol=1e-6)
    layer.log_weights.assign(np.log([4.0, 3.0]))
    np.testing.assert_allclose(layer(x), np.e * np.float32([[12, 12]]) / np.sqrt(288), rtol=1e-6)


@pytest.mark.parametrize("network", [weighted_profile, convolution])
def test_networks_can_be_saved(network, tmp_path):
    model = network()
    x = np.float32(spell_names(["finland", "suomi"]) / 255)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(x), model(x), rtol=1e-5)
