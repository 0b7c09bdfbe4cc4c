"""Episodes hold what they promise, whatever the classes: every image carries its number in its pixels."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metalearn_lib as ml

WORD = (1, 2, 1)  # an image is two pixels, which spell its number


def numbered(sizes: list[int], alphabets: list[str] | None = None) -> ml.images.LabelledImages:
    """Classes of the given sizes, their images shuffled; image i spells i."""
    number = np.arange(sum(sizes))
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    images = np.stack([number // 256, number % 256], axis=-1).astype(np.uint8).reshape(-1, *WORD)
    return ml.images.LabelledImages(
        images, labels, tuple(f"c{i}" for i in range(len(sizes))), alphabets or ["a"] * len(sizes)
    )


def spelt(x) -> np.ndarray:
    """The numbers of images [T, S, 1, 2, 1] in [0, 1]: int [T, S]."""
    pixels = np.rint(x.numpy()[..., 0, :, 0] * 255).astype(int)
    return pixels[..., 0] * 256 + pixels[..., 1]


@st.composite
def settings_of_episodes(draw):
    alphabets = draw(st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=6), min_size=1, max_size=4))
    sizes = [size for alphabet in alphabets for size in alphabet]
    names = [f"alphabet {i}" for i, alphabet in enumerate(alphabets) for _ in alphabet]
    within = draw(st.booleans())
    ways = draw(st.integers(1, max(map(len, alphabets)) if within else len(sizes)))
    shots = draw(st.integers(1, min(sizes) - 1))
    queries = draw(st.integers(1, min(sizes) - shots))
    return numbered(sizes, names), ways, shots, queries, within


@settings(max_examples=40, deadline=None)
@given(settings_of_episodes(), st.integers(0, 2**31), st.integers(1, 4))
def test_support_and_query_are_distinct_images_of_distinct_classes(case, seed, tasks):
    images, ways, shots, queries, within = case
    stream = ml.tasks.episodes(images, ways, shots, queries, tasks, seed, within_alphabet=within)
    for task, query_y in stream.take(2):
        assert task["support_x"].shape == (tasks, ways * shots, *WORD)
        assert task["query_x"].shape == (tasks, ways * queries, *WORD)
        for support, support_y, query, y in zip(
            spelt(task["support_x"]), task["support_y"].numpy(), spelt(task["query_x"]), query_y.numpy(), strict=True
        ):
            assert len({*support, *query}) == ways * (shots + queries)  # no image twice, none in both
            class_of_label = dict(zip(support_y, images.labels[support], strict=True))
            assert sorted(class_of_label) == list(range(ways))
            assert len(set(class_of_label.values())) == ways
            assert [class_of_label[label] for label in support_y] == images.labels[support].tolist()
            assert [class_of_label[label] for label in y] == images.labels[query].tolist()
            assert Counter(support_y) == dict.fromkeys(range(ways), shots)
            assert Counter(y) == dict.fromkeys(range(ways), queries)
            if within:
                assert len({images.alphabets[c] for c in class_of_label.values()}) == 1


def evenly(counts: Counter, kinds: int) -> bool:
    """Whether each of the kinds came within 5 standard deviations of equally often."""
    total = counts.total()
    deviation = math.sqrt(total / kinds * (1 - 1 / kinds))
    return len(counts) == kinds and all(abs(count - total / kinds) < 5 * deviation for count in counts.values())


def test_every_labelling_is_equally_likely():
    images = numbered([2, 2, 2, 2])
    task, _ = next(iter(ml.tasks.episodes(images, ways=3, shots=1, queries=1, meta_batch_size=6_000)))
    drawn = Counter(map(tuple, images.labels[spelt(task["support_x"])].tolist()))
    assert set(drawn) == set(itertools.permutations(range(4), 3))
    assert evenly(drawn, 24)


def test_every_image_of_a_class_is_equally_likely_however_unequal_the_classes():
    images = numbered([3, 8])
    task, _ = next(iter(ml.tasks.episodes(images, ways=1, shots=1, queries=1, meta_batch_size=6_000)))
    for x in (task["support_x"], task["query_x"]):
        drawn = spelt(x)[:, 0]
        for label, size in enumerate([3, 8]):
            assert evenly(Counter(drawn[images.labels[drawn] == label].tolist()), size)


def test_within_alphabet_every_large_enough_alphabet_is_equally_likely():
    images = numbered([2] * 8, ["a"] * 2 + ["b"] + ["c"] * 5)
    stream = ml.tasks.episodes(images, ways=2, shots=1, queries=1, meta_batch_size=4_000, within_alphabet=True)
    task, _ = next(iter(stream))
    drawn = Counter(images.alphabets[c] for c in images.labels[spelt(task["support_x"])[:, 0]])
    assert set(drawn) == {"a", "c"}
    assert evenly(drawn, 2)


def test_a_seed_fixes_the_stream_and_another_changes_it():
    images = numbered([5] * 10)

    def drawn(seed: int) -> list[list[int]]:
        return [
            spelt(task["support_x"]).tolist() for task, _ in ml.tasks.episodes(images, seed=seed, queries=2).take(3)
        ]

    first, again, other = drawn(7), drawn(7), drawn(8)
    assert first == again
    assert all(mine != theirs for mine in first for theirs in other)
    assert first[0] != first[1] != first[2]


def test_shapes_are_static_for_xla_and_pixels_lie_in_0_to_1():
    images = ml.images.LabelledImages(
        np.full((4, 3, 5, 2), 255, np.uint8), np.repeat([0, 1], 2), ("a", "b"), ("x", "x")
    )
    stream = ml.tasks.episodes(images, ways=2, shots=1, queries=1, meta_batch_size=3)
    task, query_y = stream.element_spec
    assert task["support_x"].shape.as_list() == [3, 2, 3, 5, 2]
    assert task["query_x"].shape.as_list() == [3, 2, 3, 5, 2]
    assert task["support_y"].shape.as_list() == query_y.shape.as_list() == [3, 2]
    assert (task["support_x"].dtype, task["support_y"].dtype, query_y.dtype) == ("float32", "int32", "int32")
    assert float(next(iter(stream))[0]["query_x"].numpy().max()) == 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"ways": 4}, "ways is 4, expected at most the 3 classes of images"),
        (
            {"ways": 3, "within_alphabet": True},
            "ways is 3 within an alphabet, expected at most the 2 classes of the largest, 'a'",
        ),
        (
            {"ways": 3, "shots": 3, "queries": 2},
            "shots + queries is 5, expected at most the 4 images of class 'c1'",
        ),
        ({"ways": 0}, "ways is 0, expected a whole number of at least 1"),
        ({"shots": 0}, "shots is 0, expected a whole number of at least 1"),
        ({"queries": 1.5}, "queries is 1.5, expected a whole number of at least 1"),
        (
            {"ways": 2, "queries": 1, "meta_batch_size": 0},
            "meta_batch_size is 0, expected a whole number of at least 1",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError) as error:
        ml.tasks.episodes(numbered([6, 4, 5], ["a", "a", "b"]), **arguments)
    assert str(error.value) == sentence


def test_labelled_batches_show_every_image_once_before_any_comes_again():
    # 11 images in batches of 4: two turns fill the first 22 places of 6 batches, each turn in an order of its own.
    images = numbered([4, 7])
    batches = list(ml.tasks.labelled_batches(images, batch=4, seed=3).take(6))
    shown = np.concatenate([spelt(x[None])[0] for x, _ in batches])
    assert sorted(shown[:11]) == sorted(shown[11:22]) == list(range(11))
    assert shown[:11].tolist() != shown[11:22].tolist()
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), images.labels[shown])
    (x, _), *_ = ml.tasks.labelled_batches(images, batch=4, seed=3).skip(4).take(1)
    np.testing.assert_array_equal(x, batches[4][0])
    other = np.concatenate([spelt(x[None])[0] for x, _ in ml.tasks.labelled_batches(images, batch=4, seed=4).take(6)])
    assert other.tolist() != shown.tolist()
