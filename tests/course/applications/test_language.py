"""Names as episodes: what is cleaned away, and what stays apart."""

from collections import Counter

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.applications.language.names import (
    BRANCHES,
    KINDS,
    LENGTH,
    cldr_names,
    grouped_by,
    invented_names,
    labelled_names,
    read_names,
    script_of_name,
    spell_names,
)


@pytest.fixture(scope="module")
def names():
    pytest.importorskip("babel")
    return cldr_names()


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
    parts = [cldr_names((kind,))["pl"] for kind in KINDS]
    assert set.union(*parts) == names["pl"] and all(len(part) > 100 for part in parts)


def test_no_name_belongs_to_two_languages(names, languages):
    spelt = read_names(languages.images)
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
    assert read_names(found.images).tolist() == ["one", "two", "three"]  # names that are cut alike are alike
    assert found.labels.tolist() == [0, 0, 1]


def test_no_query_is_in_a_support_set(languages):
    owner = dict(zip(read_names(languages.images), languages.labels, strict=True))
    task, query_y = ml.tasks.gather_tasks(
        ml.tasks.episodes(languages, ways=10, shots=2, queries=3, meta_batch_size=20, seed=3), 60
    )
    support, query = read_names(task["support_x"]), read_names(task["query_x"])
    for t in range(60):
        assert len({*support[t], *query[t]}) == 50
        language = [owner[name] for name in support[t]][::2]
        assert len(set(language)) == 10
        assert [owner[name] for name in query[t]] == [language[label] for label in query_y[t]]


def test_whole_branches_are_kept_apart(languages):
    assert all(code in BRANCHES for code in languages.classes)
    branch = grouped_by(languages, "branch")
    parts = branch.split("alphabet", seed=0)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not {*parts[one].alphabets} & {*parts[other].alphabets}
        assert not {*parts[one].classes} & {*parts[other].classes}
    assert sum(map(len, parts)) == len(languages)
    assert BRANCHES["no"] == BRANCHES["nn"] == BRANCHES["da"] != BRANCHES["fi"]


def test_scripts(languages):
    found = grouped_by(languages, "script")
    by_code = dict(zip(found.classes, found.alphabets, strict=True))
    expected = {"en": "LATIN", "ru": "CYRILLIC", "el": "GREEK", "fa": "ARABIC", "hi": "DEVANAGARI", "ko": "HANGUL"}
    assert {code: by_code[code] for code in expected} == expected
    assert Counter(found.alphabets).most_common(1)[0][0] == "LATIN"
    assert script_of_name("абв xy") == "CYRILLIC" and script_of_name("– 12") == ""


def test_names_are_their_bytes():
    names = ["åland", "ελλάδα", "日" * 20, ""]
    x = spell_names(names)
    assert x.shape == (4, 1, LENGTH, 1) and x.dtype == np.uint8
    assert bytes(x[0, 0, :6, 0]) == "åland".encode() and not x[0, 0, 6:].any()
    assert read_names(x).tolist() == ["åland", "ελλάδα", "日" * (LENGTH // 3), ""]  # cut at a letter
    np.testing.assert_array_equal(read_names(np.float32(x / 255)[None]), read_names(x)[None])


def test_invented_languages_can_be_learned_from():
    languages = labelled_names(invented_names(10, 60, seed=1), fewest=30)
    assert len(languages.classes) == 60
    assert set(grouped_by(languages, "script").alphabets) == {"LATIN", "CYRILLIC", "GREEK"}
    assert Counter(grouped_by(languages, "branch").alphabets) == {f"b{i}": 6 for i in range(10)}
    assert invented_names(3, 50, seed=1) == invented_names(3, 50, seed=1) != invented_names(3, 50, seed=2)


def test_mistakes_get_one_sentence():
    with pytest.raises(ValueError, match=r"^kinds has 'colours', expected some of territories, languages, "):
        cldr_names(("colours",))
    with pytest.raises(ValueError, match=r"^fewest is 9, expected a number of own names that at least one language"):
        labelled_names({"a": {"x"}}, fewest=9)
    with pytest.raises(ValueError, match=r"^by is 'size', expected 'script' or 'branch'$"):
        grouped_by(labelled_names({"a": {"x"}}, fewest=1), "size")
