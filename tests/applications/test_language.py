"""Names as episodes: what is cleaned away, what stays apart, and what a profile counts."""

import builtins
from collections import Counter

import numpy as np
import pytest

from metalearn_lib._tensorflow import keras
from metalearn_lib.applications.language import (
    BRANCHES,
    KINDS,
    LENGTH,
    cldr,
    grouped,
    invented,
    labelled_names,
    read,
    script,
    spell,
)
from metalearn_lib.applications.ngrams import Emphasis, NGramProfile, convolution, weighted_profile
from metalearn_lib.episodes import episodes
from metalearn_lib.learners import NearestNeighbour, PrototypicalNetwork
from metalearn_lib.tasks import gather_tasks


@pytest.fixture(scope="module")
def names():
    pytest.importorskip("babel")
    return cldr()


@pytest.fixture(scope="module")
def languages(names):
    return labelled_names(names)


def test_names_are_those_that_unicode_publishes(names):
    from babel import Locale

    locale = Locale("fi")  # babel's public interface, against the tables that cldr() reads
    for table in (locale.territories, locale.languages, locale.scripts, locale.currencies):
        ours = {name.lower() for name in table.values() if not any(map(str.isdigit, name))}
        assert len(ours) > 100 and len(ours & names["fi"]) > 0.99 * len(ours)
    assert {"ranska", "saksa", "euro"} <= names["fi"] and "ufaransa" in names["sw"]
    assert sum(len(some) >= 60 for some in names.values()) > 200
    assert not any(any(map(str.isdigit, name)) for some in names.values() for name in some)


def test_kinds_add_up(names):
    parts = [cldr((kind,))["pl"] for kind in KINDS]
    assert set.union(*parts) == names["pl"] and all(len(part) > 100 for part in parts)


def test_no_name_belongs_to_two_languages(names, languages):
    spelt = read(languages.images)
    assert len(set(spelt)) == len(spelt) == len(languages)
    assert len(languages.classes) > 190 and languages.counts.min() >= 60
    # Each is a name of its language and of no other, counted anew on what was read.
    owners = Counter(name for some in names.values() for name in some)
    short = [i for i in range(0, len(spelt), 7) if len(spelt[i].encode()) < LENGTH - 4]
    assert len(short) > 10_000
    for i in short:
        assert spelt[i] in names[languages.classes[languages.labels[i]]] and owners[spelt[i]] == 1


def test_what_is_shared_is_dropped_from_both():
    long = "x" * LENGTH
    names = {"a": {"tonga", "one", "two", long + "a"}, "b": {"tonga", "three", long + "b"}, "c": {"tonga"}}
    found = labelled_names(names, fewest=1)
    assert found.classes == ("a", "b")  # c has nothing of its own
    assert read(found.images).tolist() == ["one", "two", "three"]  # names that are cut alike are alike
    assert found.labels.tolist() == [0, 0, 1]


def test_no_query_is_in_a_support_set(languages):
    owner = dict(zip(read(languages.images), languages.labels, strict=True))
    task, query_y = gather_tasks(episodes(languages, ways=10, shots=2, queries=3, meta_batch=20, seed=3), 60)
    support, query = read(task["support_x"]), read(task["query_x"])
    for t in range(60):
        assert len({*support[t], *query[t]}) == 50
        language = [owner[name] for name in support[t]][::2]
        assert len(set(language)) == 10
        assert [owner[name] for name in query[t]] == [language[label] for label in query_y[t]]


def test_whole_branches_are_kept_apart(languages):
    assert all(code in BRANCHES for code in languages.classes)
    branch = grouped(languages, "branch")
    parts = branch.split("alphabet", seed=0)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not {*parts[one].alphabets} & {*parts[other].alphabets}
        assert not {*parts[one].classes} & {*parts[other].classes}
    assert sum(map(len, parts)) == len(languages)
    assert BRANCHES["no"] == BRANCHES["nn"] == BRANCHES["da"] != BRANCHES["fi"]


def test_scripts(languages):
    found = grouped(languages, "script")
    by_code = dict(zip(found.classes, found.alphabets, strict=True))
    expected = {"en": "LATIN", "ru": "CYRILLIC", "el": "GREEK", "fa": "ARABIC", "hi": "DEVANAGARI", "ko": "HANGUL"}
    assert {code: by_code[code] for code in expected} == expected
    assert Counter(found.alphabets).most_common(1)[0][0] == "LATIN"
    assert script("абв xy") == "CYRILLIC" and script("– 12") == ""


def test_names_are_their_bytes():
    names = ["åland", "ελλάδα", "日" * 20, ""]
    x = spell(names)
    assert x.shape == (4, 1, LENGTH, 1) and x.dtype == np.uint8
    assert bytes(x[0, 0, :6, 0]) == "åland".encode() and not x[0, 0, 6:].any()
    assert read(x).tolist() == ["åland", "ελλάδα", "日" * (LENGTH // 3), ""]  # cut at a letter
    np.testing.assert_array_equal(read(np.float32(x / 255)[None]), read(x)[None])


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
    profiles = layer(np.float32(spell(names) / 255)).numpy()
    for name, profile in zip(names, profiles, strict=True):
        np.testing.assert_allclose(profile, by_hand(name, layer), atol=1e-6)
    np.testing.assert_allclose((profiles**2).sum(axis=1), 1, rtol=1e-5)
    buckets = [layer.bucket(gram) for gram in ("a", "b", "ab", "ba", "\0a", "a\0", "aba", "bab")]
    assert len(set(buckets)) == 8


def test_equal_weights_are_the_nearest_profile():
    """At one shot a prototype is its example, so that a new network of weights is the nearest neighbour."""
    languages = labelled_names(invented(12, 40), fewest=10)
    task, _ = gather_tasks(episodes(languages, ways=6, queries=3, seed=2), 8)
    profile = keras.Sequential([keras.Input((1, LENGTH, 1)), NGramProfile()])
    answers = []
    for learner in (PrototypicalNetwork(weighted_profile()), NearestNeighbour(profile)):
        learner.compile(loss="sparse_categorical_crossentropy")
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
    x = np.float32(spell(["finland", "suomi"]) / 255)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(x), model(x), rtol=1e-5)


def test_invented_languages_can_be_learned_from():
    languages = labelled_names(invented(20, 100, seed=1), fewest=30)
    assert len(languages.classes) == 20
    assert set(grouped(languages, "script").alphabets) == {"LATIN", "CYRILLIC", "GREEK"}
    assert invented(3, 50, seed=1) == invented(3, 50, seed=1) != invented(3, 50, seed=2)


def test_mistakes_get_one_sentence(monkeypatch):
    with pytest.raises(ValueError, match=r"^kinds has 'colours', expected some of territories, languages, "):
        cldr(("colours",))
    with pytest.raises(ValueError, match=r"^fewest is 9, expected a number of own names that at least one language"):
        labelled_names({"a": {"x"}}, fewest=9)
    with pytest.raises(ValueError, match=r"^by is 'size', expected 'script' or 'branch'$"):
        grouped(labelled_names({"a": {"x"}}, fewest=1), "size")
    real = builtins.__import__

    def without_babel(name, *args, **kwargs):
        if name == "babel":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_babel)
    with pytest.raises(ImportError, match=r"pip install metalearn_lib\[course\]$"):
        cldr()
