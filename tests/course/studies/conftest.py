"""A study of two learners that takes no time: numbers around a known mean instead of trainings."""

import gc
from collections.abc import Iterator

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

TASKS = np.random.default_rng(0).normal(size=30)

SOURCE = '''"""A study."""

SIZE = 30


def train(seed, rate):
    """The docstring does not count."""
    return seed + rate  # nor does a comment


STUDY = Study(train, grid={"rate": [0.1, 0.2]})
'''


@pytest.fixture(scope="module", autouse=True)
def _what_other_tests_left_is_not_searched() -> Iterator[None]:
    """The engine clears Keras's session before each training, which searches all objects of the process for garbage:
    seconds each time, where tests of other files have left gigabytes of traced functions."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The study, with a folder of its own for declarations and results."""
    (tmp_path / "declarations").mkdir()
    (tmp_path / "stored").mkdir()
    (tmp_path / "declarations" / "small.py").write_text(SOURCE)
    monkeypatch.setattr("metalearn_course.studies.study.DECLARATIONS", tmp_path / "declarations")
    monkeypatch.setattr("metalearn_course.studies.storage.STORED", tmp_path / "stored")
    return make()


def make(rates=(0.1, 0.2, 0.4)) -> Study:
    return Study(
        name="small",
        chapter="99",
        question="Which is nearer to 0?",
        budget="Nothing at all",
        rivals={
            "tuned": Rival(train, {"rate": list(rates)}),
            "oracle": Rival(lambda seed: 0.0, untuned="a formula", trained=False),
        },
        validate=lambda mean: ml.Score(mean + TASKS[:10] ** 2, "regret", "validation"),
        measure=lambda mean: {"regret": ml.Score(mean + TASKS**2, "regret", "test")},
    )


def train(seed, rate):
    if rate == 0.8:
        raise ml.DivergedError("too far")
    return (rate - 0.2) ** 2 + 0.001 * seed
