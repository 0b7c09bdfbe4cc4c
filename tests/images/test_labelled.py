"""Labelled images: what is refused, splits that share no class, and reading a folder of anything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import metalearn_lib as ml


def made(alphabets: list[str], each: int = 2) -> ml.images.LabelledImages:
    """A class per entry of `alphabets`; every image has a value of its own."""
    count = len(alphabets) * each
    images = np.arange(count, dtype=np.uint16).view(np.uint8).reshape(count, 1, 2, 1)
    return ml.images.LabelledImages(
        images, np.arange(count) % len(alphabets), tuple(f"class {i}" for i in range(len(alphabets))), alphabets
    )


def numbers(images: ml.images.LabelledImages) -> list[int]:
    return np.ascontiguousarray(images.images).reshape(-1, 2).view(np.uint16).ravel().tolist()


GOOD = {"images": np.zeros((2, 3, 3, 1), np.uint8), "labels": np.array([0, 1]), "classes": "ab", "alphabets": "xx"}


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"images": np.zeros((2, 3, 3, 1))}, TypeError, "images has dtype float64, expected uint8 from 0 to 255"),
        (
            {"images": np.zeros((2, 3, 3), np.uint8)},
            ValueError,
            "images has shape (2, 3, 3), expected [n, H, W, C] with no side of 0",
        ),
        ({"labels": np.array([0.0, 1.0])}, TypeError, "labels has dtype float64, expected whole numbers"),
        ({"labels": np.array([0])}, ValueError, "labels has shape (1,), expected [2], one per image"),
        ({"labels": np.array([0, 2])}, ValueError, "labels are 0..2, expected 0..1, one per class"),
        ({"labels": np.array([-1, 1])}, ValueError, "labels are -1..1, expected 0..1, one per class"),
        ({"labels": np.array([1, 1])}, ValueError, "class 'a' has no image, expected at least 1"),
        ({"alphabets": "x"}, ValueError, "alphabets has 1 names, expected 2, one per class"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, kind, sentence):
    ml.images.LabelledImages(**GOOD)
    with pytest.raises(kind) as error:
        ml.images.LabelledImages(**(GOOD | change))
    assert str(error.value) == sentence


def test_select_relabels_in_the_given_order():
    images = made(["a", "a", "b"])  # image i has class i mod 3
    chosen = images.select([2, 0])
    assert (chosen.classes, chosen.alphabets) == (("class 2", "class 0"), ("b", "a"))
    assert numbers(chosen) == [0, 2, 3, 5]
    assert chosen.labels.tolist() == [1, 0, 1, 0]


def test_subset_keeps_whole_alphabets():
    images = made(["a", "b", "a", "c"])
    assert images.subset(["a", "c"]).classes == ("class 0", "class 2", "class 3")
    assert images.subset("b").classes == ("class 1",)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("abcdefg"), min_size=3, max_size=30),
    st.sampled_from(["class", "alphabet"]),
    st.tuples(*[st.integers(1, 8)] * 3),
    st.integers(0, 99),
)
def test_splits_share_no_class_and_together_hold_every_image_once(alphabets, by, parts, seed):
    images = made(alphabets)
    fractions = tuple(part / sum(parts) for part in parts)
    try:
        split = images.split(by, fractions, seed)
    except ValueError as error:
        assert "leave a set empty" in str(error)
        return
    names = [set(part.classes) for part in split]
    assert sum(map(len, names)) == len(set.union(*names)) == len(alphabets)
    assert sorted(number for part in split for number in numbers(part)) == sorted(numbers(images))
    for part in split:
        for number, label in zip(numbers(part), part.labels, strict=True):
            assert part.classes[label] == f"class {number % len(alphabets)}"
        assert part.alphabets == tuple(alphabets[int(name.split()[1])] for name in part.classes)
    groups = [set(part.alphabets) if by == "alphabet" else set(part.classes) for part in split]
    assert sum(map(len, groups)) == len(set.union(*groups))
    total = len(set.union(*groups))
    # The ends of the parts are rounded, each by at most a half.
    assert all(abs(len(group) - share * total) <= 1 for group, share in zip(groups, fractions, strict=True))
    assert [part.classes for part in images.split(by, fractions, seed)] == [part.classes for part in split]


def test_another_seed_splits_otherwise():
    images = made(["a"] * 50)
    assert images.split(seed=0)[0].classes != images.split(seed=1)[0].classes


def test_rotations_are_classes_of_their_own():
    picture = np.array([[1, 2], [3, 4]], np.uint8)[None, ..., None]
    turned = ml.images.LabelledImages(picture, [0], ("A",), ("Latin",)).with_rotations()
    assert turned.images[..., 0].tolist() == [
        [[1, 2], [3, 4]],
        [[2, 4], [1, 3]],
        [[4, 3], [2, 1]],
        [[3, 1], [4, 2]],
    ]
    assert turned.labels.tolist() == [0, 1, 2, 3]
    assert turned.classes == ("A", "A 90°", "A 180°", "A 270°")
    assert turned.alphabets == ("Latin", "Latin 90°", "Latin 180°", "Latin 270°")


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda i: i.select([0, 3]), "classes has numbers 0..3, expected 0..2"),
        (lambda i: i.select([0, 0]), "classes has 2 numbers, expected at least 1, each only once"),
        (lambda i: i.select([]), "classes has 0 numbers, expected at least 1, each only once"),
        (lambda i: i.subset(["z"]), "alphabets has 'z', expected names among ['a', 'b']"),
        (lambda i: i.split("drawer"), "by is 'drawer', expected 'class' or 'alphabet'"),
        (lambda i: i.split(fractions=(0.5, 0.5)), "fractions has shape (2,), expected [3]"),
        (
            lambda i: i.split(fractions=(0.5, 0.5, 0.5)),
            "fractions is (0.5, 0.5, 0.5), expected three positive numbers that sum to 1",
        ),
        (
            lambda i: i.split("alphabet", (0.4, 0.3, 0.3)),
            "fractions (0.4, 0.3, 0.3) leave a set empty when split by alphabet: there are only 2",
        ),
        (lambda i: i.with_rotations(), "images are 1x2, expected squares to rotate by 90 degrees"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(act, sentence):
    with pytest.raises(ValueError) as error:
        act(made(["a", "a", "b"]))
    assert str(error.value) == sentence


def save(path, value, mode="L", size=(4, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def test_a_folder_per_class_of_any_size_and_mode(tmp_path):
    save(tmp_path / "cat" / "1.png", 1, "1", (7, 3))
    save(tmp_path / "cat" / "2.jpg", 100, size=(200, 90))
    save(tmp_path / "cat" / "3.png", (60, 0), "LA")  # all transparent: paper
    save(tmp_path / "cat" / "4.TIF", (30, 30, 30, 0), "CMYK")
    save(tmp_path / "dog" / "1.png", 128 * 256, "I;16")
    save(tmp_path / "dog" / "2.gif", (9, 9, 9), "RGB", (1, 1))
    (tmp_path / "dog" / "notes.txt").write_text("passed over")
    (tmp_path / "dog" / ".hidden.png").write_text("passed over")
    (tmp_path / ".git").mkdir()
    images = ml.images.load_images(tmp_path, size=5)
    assert images.images.shape == (6, 5, 5, 1)
    assert images.images[..., 0].reshape(6, -1).max(axis=1).tolist() == [255, 100, 255, 225, 128, 9]
    assert (images.images == images.images[:, :1, :1]).all()
    assert images.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert images.classes == ("cat", "dog")
    assert images.alphabets == (tmp_path.name,) * 2


@pytest.mark.parametrize(
    ("values", "mode", "read"),
    [
        ([0.0, 0.2, 1.0], "F", [0, 51, 255]),
        ([0, 256 * 51, 65535], "I", [0, 51, 255]),
        ([0, 0, 0], "I", [0, 0, 0]),
        ([0, 256 * 51, 65535], "I;16", [0, 51, 255]),
    ],
)
def test_more_than_eight_bits_a_pixel_are_read_in_their_own_range(tmp_path, values, mode, read):
    dtype = {"F": np.float32, "I": np.int32, "I;16": np.uint16}[mode]
    (tmp_path / "cat").mkdir()
    picture = Image.fromarray(np.repeat([values], 3, axis=0).astype(dtype))
    assert picture.mode == mode
    picture.save(tmp_path / "cat" / "1.tif")
    assert ml.images.load_images(tmp_path, size=3).images[0, 0, :, 0].tolist() == read


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.float32([0, 255]), "its values are floats from 0 to 255, of which 0 to 1 can be read"),
        (np.float32([-1, 1]), "its values are floats from -1 to 1, of which 0 to 1 can be read"),
        (np.float32([0, np.nan]), "its values are floats from nan to nan, of which 0 to 1 can be read"),
        (np.int32([0, 200]), "its values are 32-bit numbers from 0 to 200, of which 16 bits can be read"),
        (np.int32([0, 2**16]), "its values are 32-bit numbers from 0 to 65536, of which 16 bits can be read"),
        (np.int32([-1, 2**15]), "its values are 32-bit numbers from -1 to 32768, of which 16 bits can be read"),
    ],
)
def test_values_of_an_unknown_range_are_refused(tmp_path, values, sentence):
    (tmp_path / "cat").mkdir()
    Image.fromarray(values[None]).save(tmp_path / "cat" / "raw.tif")
    with pytest.raises(ValueError, match=r"raw\.tif' is no intact image") as error:
        ml.images.load_images(tmp_path)
    assert sentence in str(error.value)


def test_a_folder_per_alphabet_and_colour_in_one_image_is_colour_in_all(tmp_path):
    save(tmp_path / "Greek" / "alpha" / "1.png", (10, 20, 30), "RGB")
    save(tmp_path / "Greek" / "beta" / "1.png", 7)
    save(tmp_path / "Latin" / "alpha" / "1.png", 8)
    images = ml.images.load_images(tmp_path, size=2)
    assert images.images[:, 0, 0].tolist() == [[10, 20, 30], [7, 7, 7], [8, 8, 8]]
    assert images.classes == ("Greek/alpha", "Greek/beta", "Latin/alpha")
    assert images.alphabets == ("Greek", "Greek", "Latin")


def test_a_photograph_stands_as_its_camera_says(tmp_path):
    picture = Image.fromarray(np.array([[0, 255]], np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # shown turned by a quarter, clockwise
    (tmp_path / "a").mkdir()
    picture.save(tmp_path / "a" / "1.png", exif=exif)
    assert ml.images.load_images(tmp_path, size=2).images[0, :, 0, 0].tolist() == [0, 255]


@pytest.mark.parametrize("kept", [0, 20, 60, -100])
def test_a_corrupt_image_is_named(tmp_path, kept):
    path = tmp_path / "cat" / "torn.png"
    path.parent.mkdir()
    Image.effect_noise((30, 30), 50).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"torn\.png' is no intact image \(.*\), expected one to read") as error:
        ml.images.load_images(tmp_path)
    assert "\n" not in str(error.value)


def test_folders_without_images_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder '.*nowhere' does not exist, expected a folder of images"):
        ml.images.load_images(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no folder in it, expected one per class"):
        ml.images.load_images(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(ValueError, match="cat' has no image in it, expected at least 1"):
        ml.images.load_images(tmp_path)
    save(tmp_path / "cat" / "1.png", 1)
    (tmp_path / "cat" / "tabby").mkdir()
    with pytest.raises(ValueError, match="cat' holds images beside folders, expected one or the other"):
        ml.images.load_images(tmp_path)
    with pytest.raises(ValueError, match="size is 0, expected a whole number of at least 1"):
        ml.images.load_images(tmp_path, size=0)
