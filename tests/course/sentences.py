"""What a bad argument has to end in: one sentence of ours that names it."""

import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import metalearn_course
import metalearn_lib

NAN, INF = float("nan"), float("inf")
OURS = tuple(str(Path(str(package.__file__)).parent) for package in (metalearn_course, metalearn_lib))

Bad = dict[str, list[Callable[[], object]]]
"""For each argument, calls that give it something wrong."""


def cases(bad: Bad) -> list:
    """The calls with the names of their arguments, for `pytest.mark.parametrize`."""
    return [pytest.param(name, call, id=f"{name}-{i}") for name, calls in bad.items() for i, call in enumerate(calls)]


def check_sentence(name: str, call: Callable[[], object]) -> None:
    """A wrong type, shape, range or NaN raises one line that starts with the argument's name, in our own code."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert message.startswith((f"{name} ", f"{name}[")), message
    assert "expected" in message and "\n" not in message and len(message) < 200, message
    innermost = traceback.extract_tb(caught.tb)[-1].filename
    assert innermost.startswith(OURS), innermost


def with_nan(array: np.ndarray) -> np.ndarray:
    """The array with NaN as its first number."""
    return np.where(np.arange(array.size).reshape(array.shape) == 0, NAN, array)
