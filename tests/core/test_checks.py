"""What checks let pass, and how they show what they don't; wrong arguments are in `tests/bad_inputs`."""

import ml_dtypes
import numpy as np
import pytest

from metalearn_lib.core import checks


def test_right_values_pass():
    checks.at_least(1, a=1, b=np.int64(3), c=np.uint8(255))
    checks.whole_in(0, 2, a=0, b=2)
    checks.all_at_least(1, a=[], b=(1, np.int32(2)))
    checks.seeds(a=0, b=2**63 - 1)
    checks.positive(a=1, b=1e-300, c=np.float32(0.5))
    checks.low_to_high(a=(0.5, 0.5), b=[-1, 2], c=np.array([1.0, 2.0]))
    checks.flags(a=True, b=np.bool_(False))
    checks.one_of(("a", "b"), c="b")
    checks.by_name(int, "numbers", a={"b": 1})
    checks.fits_in_memory(checks.MOST_BYTES, a=1)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [("(0, 1]", (1e-9, 1), (0, 1.1)), ("[0, 64)", (0, 63.9), (-0.1, 64)), ("[0, inf)", (0, 1e300), (-1, np.inf))],
)
def test_a_round_bracket_leaves_an_end_out(interval, inside, outside):
    for value in inside:
        checks.number_in(interval, x=value)
    for value in (*outside, np.nan):
        with pytest.raises(ValueError) as error:
            checks.number_in(interval, x=value)
        assert str(error.value) == f"x is {value!r}, expected a number in {interval}"


@pytest.mark.parametrize(
    ("shape", "axes", "fits"),
    [
        ((2, 3), "[T, Q]", True),
        ((2, 3), "[T, Q, ...]", True),
        ((2, 3, 1), "[T, Q, ...]", True),
        ((2, 3, 1), "[T, Q, 1]", True),
        ((2, 3, 2), "[T, Q, 1]", False),
        ((2, 3), "[T, Q, 1]", False),
        ((2,), "[T, Q, ...]", False),
        ((), "[...]", True),
        ((3,), "[3]", True),
        ((2,), "[3]", False),
    ],
)
def test_axes_are_counted_and_numbers_among_them_are_lengths(shape, axes, fits):
    if fits:
        assert checks.numbers("x", np.zeros(shape), axes).shape == shape
    else:
        with pytest.raises(ValueError) as error:
            checks.numbers("x", np.zeros(shape), axes)
        assert str(error.value) == f"x has shape {shape}, expected {axes}"


def test_numbers_keep_their_bits_in_the_order_of_this_machine():
    for array in (np.arange(3, dtype=">i4"), np.ones((2, 3)).T, np.ones(2, ml_dtypes.bfloat16), [1.5, 2]):
        found = checks.numbers("x", array)
        assert found.flags.c_contiguous and found.dtype.isnative
        np.testing.assert_array_equal(found.astype(float), np.asarray(array).astype(float))


def test_a_sentence_stays_one_line_and_short():
    assert checks.shown(np.ones((2, 3))) == "a ndarray of shape (2, 3)"
    assert checks.shown("a\nb") == r"'a\nb'"
    assert len(checks.shown(list(range(1_000)))) == 80
    with pytest.raises(ValueError, match=r"^a is 3 and b is 4, which takes 17 GB, expected at most 16 GB$"):
        checks.fits_in_memory(17 * 2**30, a=3, b=4)
