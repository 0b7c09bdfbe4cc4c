"""Skeletons come apart into the strokes that a pen would make, and drawers keep to them."""

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_lib.images.tracing import trace_strokes


def skeleton(*pixels) -> np.ndarray:
    drawn = np.zeros((64, 64), bool)
    for y, x in pixels:
        drawn[y, x] = True
    return drawn


DOWN = (slice(10, 50), 30)
ACROSS = (30, slice(10, 50))


def length(stroke: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(stroke, axis=0), axis=1).sum())


@pytest.mark.parametrize(
    ("lines", "lengths"),
    [
        ((DOWN,), [39]),  # from the centre of its first pixel to that of its last
        ((DOWN, ACROSS), [39, 39]),  # a pen goes straight on where lines cross
        ((DOWN, (10, slice(10, 50))), [39, 39]),  # T
        ((DOWN, (5, 30)), [0, 39]),  # i, with its dot
    ],
)
def test_a_skeleton_comes_apart_into_strokes(lines, lengths):
    assert sorted(map(length, trace_strokes(skeleton(*lines)))) == pytest.approx(lengths, abs=1.5)


def test_a_ring_is_one_stroke():
    y, x = np.mgrid[:64, :64]
    from_centre = np.hypot(y - 32, x - 32)
    ring = (from_centre < 20.5) & (from_centre >= 19.5)
    (stroke,) = trace_strokes(ring)
    assert length(stroke) == pytest.approx(2 * np.pi * 20, rel=0.1)


def test_points_are_x_and_y_from_the_centre():
    (stroke,) = trace_strokes(skeleton((slice(10, 50), 40)))
    np.testing.assert_allclose(stroke[:, 0], 40 - 31.5, atol=1e-9)
    assert sorted({stroke[0, 1], stroke[-1, 1]}) == pytest.approx([10 - 31.5, 49 - 31.5], abs=1)


def test_shrinking_averages_areas():
    # Three pixels to two: each new one covers one old pixel and half of the middle one, weights 2/3 and 1/3.
    rows = np.array([[1.0, 0.0, 0.5], [1.0, 0.0, 0.5], [1.0, 0.0, 0.5]])[None]
    np.testing.assert_allclose(ml.images.shrink_images(rows, 2), [[[2 / 3, 1 / 3]] * 2], rtol=1e-6)
    noise = np.random.default_rng(0).random((2, 105, 105))
    np.testing.assert_allclose(ml.images.shrink_images(noise, 28).mean((1, 2)), noise.mean((1, 2)), rtol=1e-5)


def test_drawers_write_the_same_character_each_in_their_own_way():
    cross, line = trace_strokes(skeleton(DOWN, ACROSS)), trace_strokes(skeleton(DOWN))
    crosses, lines = (ml.images.draw_strokes(c, drawers=30, size=28, seed=1)[..., 0] / 255 for c in (cross, line))
    assert crosses.shape == (30, 28, 28)
    assert len(np.unique(crosses, axis=0)) == 30
    np.testing.assert_array_equal(ml.images.draw_strokes(cross, 30, 28, seed=1)[..., 0] / 255, crosses)
    # Two lines carry twice the ink of one, less where they cross: a pen of 6 on a line of 0.8 · 39 · 105 / 64 = 51
    # pixels takes 306, the crossing takes 36 of them once.
    assert crosses.sum() / lines.sum() == pytest.approx((2 * 306 - 36) / 306, abs=0.2)


def test_they_are_the_glyphs():
    glyphs, strokes = ml.images.load_glyphs(1, 8), ml.images.load_strokes(2, 14)
    assert strokes.images.shape == (2 * len(glyphs), 14, 14, 1)
    assert (strokes.classes, strokes.alphabets) == (glyphs.classes, glyphs.alphabets)
    assert strokes.images.any(axis=(1, 2, 3)).mean() > 0.99  # all but a few are on the paper


def test_some_scripts_are_drawn_as_among_all():
    all_of_them, hebrew = ml.images.load_strokes(2, 14, seed=3), ml.images.load_strokes(2, 14, seed=3, scripts="Hebrew")
    expected = all_of_them.subset("Hebrew")
    np.testing.assert_array_equal(hebrew.images, expected.images)
    assert (hebrew.classes, hebrew.alphabets) == (expected.classes, expected.alphabets)
    with pytest.raises(ValueError, match=r"^scripts has .Klingon., expected names among"):
        ml.images.load_strokes(scripts="Klingon")


@pytest.mark.parametrize(
    ("argument", "expected"), [("drawers", "a whole number of at least 1"), ("size", "a whole number from 1 to 105")]
)
def test_wrong_numbers_get_one_sentence(argument, expected):
    with pytest.raises(ValueError, match=f"^{argument} is -1, expected {expected}$"):
        ml.images.load_strokes(**{argument: -1})
