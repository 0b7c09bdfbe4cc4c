"""Stored results: what is refused, and that a file is whole or as it was."""

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.studies import results, storage


def test_a_study_that_was_not_run_is_named(small):
    with pytest.raises(FileNotFoundError, match=r"^name is 'smal', expected a study that was run: $"):
        results("smal")


def test_a_measurement_that_does_not_exist_is_named(small):
    score = ml.Score(np.arange(4.0), "regret", "x" * 64)
    storage.store("small", {"rivals": {}}, {"oracle": [{"end": score}]})
    with pytest.raises(KeyError, match="measurement is 'start', expected one of end"):
        results("small")["start"]


def test_a_write_that_fails_leaves_the_results_as_they_were(small, monkeypatch):
    score = ml.Score(np.arange(4.0), "regret", "x" * 64)
    path = storage.store("small", {"rivals": {}}, {"oracle": [{"end": score}]})
    before = path.read_bytes()

    def full(*args, **options):
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space left"):
        storage.store("small", {"rivals": {}}, {"oracle": [{"end": ml.Score(np.ones(4), "regret")}]})
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
    np.testing.assert_array_equal(results("small")["end"]["oracle"].values, np.arange(4.0))
