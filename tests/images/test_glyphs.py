"""Glyphs: what ships, that drawing repeats itself, and that the drawings are as hard as handwriting."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import metalearn_lib as ml
from metalearn_lib.images import glyphs

FILE = Path(glyphs.__file__).with_name("glyphs.npz")
SCRIPT = Path(__file__).parents[2] / "scripts" / "build_glyphs.py"


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_what_ships_is_small_plain_and_licensed():
    assert FILE.stat().st_size < 150_000
    shipped = arrays(FILE)
    assert {name: value.dtype.kind for name, value in shipped.items()} == {
        "skeletons": "u",
        "code_points": "u",
        "script": "u",
        "script_names": "U",
    }
    assert shipped["skeletons"].shape == (1268, 64, 8)
    assert len(shipped["script_names"]) == 15
    licence = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "LICENSE_DEJAVU"
    assert FILE.with_name("LICENSE_DEJAVU").read_bytes() == licence.read_bytes()


def test_the_script_rebuilds_what_ships(tmp_path):
    pytest.importorskip("skimage", reason="scikit-image is needed only to rebuild the skeletons")
    subprocess.run([sys.executable, SCRIPT, tmp_path / "glyphs.npz"], check=True, env={**os.environ, "LC_ALL": "C"})
    rebuilt, shipped = arrays(tmp_path / "glyphs.npz"), arrays(FILE)
    assert rebuilt.keys() == shipped.keys()
    for name in shipped:
        np.testing.assert_array_equal(rebuilt[name], shipped[name])


def test_characters_are_distinct_letters_and_digits():
    characters, scripts, skeletons = glyphs.skeletons()
    assert len(set(characters)) == len(characters) == len(scripts)
    assert {unicodedata.category(character)[0] for character in characters} == {"L", "N"}
    assert not any(unicodedata.decomposition(character) for character in characters)
    assert "Braille" not in scripts
    assert len(np.unique(skeletons.reshape(len(skeletons), -1), axis=0)) == len(skeletons)
    # Latin A, Greek Alpha and Cyrillic A look alike: they are one class.
    assert "A" in characters
    assert not {"\u0391", "\u0410"} & set(characters)


def test_a_class_per_character_and_an_alphabet_per_script():
    images = ml.images.load_glyphs(drawers=3, scripts=["Hebrew", "Greek"])
    assert set(images.alphabets) == {"Hebrew", "Greek"}
    assert images.images.shape == (3 * len(images.classes), 28, 28, 1)
    assert (images.counts == 3).all()
    for name, alphabet in zip(images.classes, images.alphabets, strict=True):
        assert unicodedata.name(name).split()[0] in (alphabet.upper(), "OHM", "MICRO", "LATIN")
    assert ml.images.load_glyphs(drawers=1, scripts="Lao").alphabets[0] == "Lao"


def test_splits_share_no_script_and_leave_none_out():
    everything = ml.images.load_glyphs(drawers=1)
    split = ml.images.glyph_splits(drawers=1)
    scripts = [set(part.alphabets) for part in split]
    assert sum(map(len, scripts)) == 15
    assert set.union(*scripts) == set(everything.alphabets)
    assert scripts[1] == set(glyphs.VALIDATION_SCRIPTS)
    assert scripts[2] == set(glyphs.TEST_SCRIPTS)
    assert sum(len(part.classes) for part in split) == len(everything.classes) == 1268
    # Validation and test can both ask 20-way questions within any of their alphabets.
    assert all(part.alphabets.count(script) >= 20 for part in split[1:] for script in part.alphabets)


def test_a_seed_fixes_each_drawing_whatever_is_drawn_with_it():
    first = ml.images.draw_glyph("AδЖ", drawers=5, seed=3)
    np.testing.assert_array_equal(first, ml.images.draw_glyph("AδЖ", drawers=5, seed=3))
    np.testing.assert_array_equal(first[1, :2], ml.images.draw_glyph("δ", drawers=2, seed=3)[0])
    part = ml.images.load_glyphs(drawers=5, scripts=["Greek"], seed=3)
    np.testing.assert_array_equal(first[1], part.select([part.classes.index("δ")]).images)
    other = ml.images.draw_glyph("AδЖ", drawers=5, seed=4)
    drawings = np.concatenate([first, other]).reshape(30, -1)
    assert len(np.unique(drawings, axis=0)) == 30


def test_drawings_have_ink_on_blank_paper_at_any_size():
    for size in (14, 28, 64):
        images = ml.images.draw_glyph("AδЖЯ", drawers=20, size=size)
        assert images.shape == (4, 20, size, size, 1)
        assert (images.max(axis=(2, 3, 4)) > 150).all()
        assert (np.median(images, axis=(2, 3, 4)) == 0).all()


def test_without_a_drawer_s_hand_the_warp_looks_where_the_pixel_is():
    # Pixel j of 28 has its middle at (j + ½) · 64 / 28 of a skeleton whose pixel k has its own at k + ½.
    x, y = glyphs._warp(np.zeros((1, 8 + 2 * glyphs.KNOTS**2)), 28, glyphs.DISPLACEMENT)
    middle = (np.arange(28) + 0.5) * 64 / 28 - 0.5
    np.testing.assert_allclose(x[0], np.tile(middle, (28, 1)), atol=1e-4)
    np.testing.assert_allclose(y[0], np.tile(middle[:, None], 28), atol=1e-4)


def test_distance_is_looked_up_between_pixels():
    field = glyphs._distances()[7]
    x, y = np.array([[[10.0, 10.25, 10.0]]], np.float32), np.array([[[20.0, 20.0, 20.5]]], np.float32)
    found = glyphs._look_up(np.array([7]), x, y)[0, 0]
    expected = [
        field[20, 10],
        0.75 * field[20, 10] + 0.25 * field[20, 11],
        (field[20, 10] + field[21, 10]) / 2,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_pen_is_as_wide_in_large_letters_as_in_small_ones(monkeypatch):
    # A stroke of length l and half width w has l · 2w of ink. Without the Jacobian, a letter enlarged s times would
    # have s² times the ink, and with it s times.
    for name in ("ROTATION", "SHEAR", "SCALE", "TRANSLATION", "DISPLACEMENT"):
        monkeypatch.setattr(glyphs, name, 0.0)
    monkeypatch.setattr(glyphs, "PEN", (2.0, 2.0))
    ink = []
    for scale in (0.8, 1.2):
        monkeypatch.setattr(glyphs, "OVERALL_SCALE", np.log(scale))
        monkeypatch.setattr(glyphs, "_random", lambda *_: np.ones((1, 8 + 2 * glyphs.KNOTS**2)))
        ink.append(ml.images.draw_glyph("O", drawers=1, size=64).mean())
    assert ink[1] / ink[0] == pytest.approx(1.2 / 0.8, rel=0.05)


def test_displacement_is_the_deviation_of_the_warp_at_its_knots():
    # Only the displacement: at the corners of the 4 x 4 knots, up to half a pixel of 1/64, the splines are 1 or 0.
    random = np.random.default_rng(0).uniform(-1, 1, (4000, 8 + 2 * glyphs.KNOTS**2))
    random[:, :8] = 0
    straight, bent = (glyphs._warp(random, 64, displacement)[0][:, 0, 0] for displacement in (0.0, 3.0))
    assert np.std(straight) == 0
    assert np.std(bent) == pytest.approx(3.0, rel=0.1)
    np.testing.assert_array_equal(
        ml.images.draw_glyph("A", 2), ml.images.draw_glyph("A", 2, displacement=glyphs.DISPLACEMENT)
    )
    assert (ml.images.draw_glyph("A", 2) != ml.images.draw_glyph("A", 2, displacement=4.0)).any()


def test_a_nearest_neighbour_finds_glyphs_as_hard_as_handwriting():
    # The same measure on Omniglot's background set gives 56 % 5-way and 37 % 20-way.
    images = ml.images.glyph_splits(drawers=2)[0]
    blurred = gaussian_filter(images.images[..., 0] / 255, (0, 1, 1)).reshape(len(images.classes), 2, -1)
    rng = np.random.default_rng(0)
    for ways, low, high in ((5, 0.52, 0.59), (20, 0.31, 0.38)):
        right = []
        for _ in range(6_000 // ways):
            support, query = blurred[rng.choice(len(blurred), ways, replace=False)].swapaxes(0, 1)
            nearest = ((query[:, None] - support) ** 2).sum(axis=-1).argmin(axis=1)
            right.append((nearest == np.arange(ways)).mean())
        assert low < np.mean(right) < high


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (
            lambda: ml.images.load_glyphs(scripts=["Klingon"]),
            "scripts has 'Klingon', expected names among Arabic, Armenian",
        ),
        (lambda: ml.images.load_glyphs(scripts=[]), "scripts is empty, expected names among Arabic, Armenian"),
        (lambda: ml.images.load_glyphs(drawers=0), "drawers is 0, expected a whole number of at least 1"),
        (lambda: ml.images.load_glyphs(size=1, scripts="Lao"), "size is 1, expected a whole number of at least 2"),
        (
            lambda: ml.images.draw_glyph("A", displacement=-1.0),
            "displacement is -1.0, expected a number in [0, 64)",
        ),
        (
            lambda: ml.images.draw_glyph("A", displacement=float("nan")),
            "displacement is nan, expected a number in [0, 64)",
        ),
        (
            lambda: ml.images.draw_glyph("A\u0410"),
            "characters has 'А', expected some of the 1268 glyphs that load_glyphs() has",
        ),
        (
            lambda: ml.images.draw_glyph(""),
            "characters is empty, expected some of the 1268 glyphs that load_glyphs() has",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(act, sentence):
    with pytest.raises(ValueError) as error:
        act()
    assert str(error.value).startswith(sentence)
