"""A claim prints its number and fails where it does not hold."""

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_lib.evaluation import ClaimError

# Of two tasks with ±1 around 3 the half width is 12.706 · √2/√2 = 12.706.
WIDE = ml.Score(np.array([2.0, 4.0]), "regret")
NARROW = ml.Score(np.tile(3 + 1e-3 * np.arange(10), (5, 1)), "regret")
SHARE = ml.Score(np.full(4, 0.75), "accuracy")


def test_a_claim_says_its_number_its_bounds_and_what_it_rests_on(capsys):
    ml.claim("A - B", NARROW, above=0)
    ml.claim("C", SHARE, above=0.5, below=0.9)
    assert capsys.readouterr().out.splitlines() == [
        "A - B: 3.0045 ± 0.0022 regret, above 0 (5 trainings x 10 tasks)",
        "C: 75.00 ± 0.00 %, above 50 and below 90 (4 tasks)",
    ]


@pytest.mark.parametrize("bounds", [{"above": 0}, {"below": 10}, {"above": -20, "below": 10}])
def test_a_claim_whose_interval_crosses_a_bound_fails(bounds, capsys):
    with pytest.raises(ClaimError, match=r"^does not hold: A: 3 ± 13 regret, "):
        ml.claim("A", WIDE, **bounds)
    assert capsys.readouterr().out == ""
    ml.claim("A", WIDE, above=-20, below=20)


def test_a_claim_needs_a_bound():
    with pytest.raises(ValueError, match=r"^above and below are None, expected a bound"):
        ml.claim("A", WIDE)
