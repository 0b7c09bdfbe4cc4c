"""Answers as plain data: how they are compared, and how they are shown.

Nothing here asks NumPy whether two arrays are equal: an answer may have replaced those functions.
"""

import math
from typing import Any, TypeGuard

import numpy as np

Plain = float | str | None | list["Plain"]

MOST_NUMBERS = 100_000
_WATCHED = {name: getattr(np, name) for name in ("allclose", "isclose", "array_equal", "asarray", "all", "abs")}


class NoAnswerError(ValueError):
    """A value that cannot be an answer; the message is part of a sentence for the learner."""


def plain(value: Any) -> Plain:
    """Numbers, arrays, tensors, lists and tuples of them as nested lists of floats; text and None as they are.

    Raises:
        NoAnswerError: for anything else.
    """
    if value is None or value is ...:
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if callable(getattr(value, "numpy", None)):
        value = value.numpy()
    array = np.array(value)
    if array.dtype.kind not in "biuf":
        raise NoAnswerError(f"it is a {type(value).__name__}, expected numbers")
    if array.size > MOST_NUMBERS:
        raise NoAnswerError(f"it has {array.size} numbers, many more than expected")
    return array.astype(float).tolist()


def same(got: Plain, expected: Plain, rtol: float) -> bool:
    """Whether both have the same shape, and numbers that differ by at most `rtol` of the largest expected one."""
    if shape(got) != shape(expected):
        return False
    numbers, wanted = flat(got), flat(expected)
    if not are_numbers(numbers) or not are_numbers(wanted):
        return numbers == wanted
    scale = max((abs(number) for number in wanted), default=0.0)
    return all(
        math.isclose(a, b, rel_tol=0.0, abs_tol=rtol * scale + 1e-9) for a, b in zip(numbers, wanted, strict=True)
    )


def are_numbers(entries: list[float | str | None]) -> TypeGuard[list[float]]:
    """Whether none of the entries is text or missing."""
    return all(isinstance(entry, float) for entry in entries)


def as_list(value: Plain) -> list[Plain]:
    """The entries of a list; of anything else, none."""
    return value if isinstance(value, list) else []


def flat(value: Plain) -> list[float | str | None]:
    """All entries, in order."""
    return [entry for item in value for entry in flat(item)] if isinstance(value, list) else [value]


def shape(value: Plain) -> tuple:
    """The shape as an array has it; where rows differ, the shapes of the rows."""
    if not isinstance(value, list):
        return ()
    rows = [shape(item) for item in value]
    return (len(value), *rows[0]) if rows and all(row == rows[0] for row in rows) else (len(value), *rows)


def show(value: Plain) -> str:
    """On one line, numbers with five digits, long lists cut short, those of lists of lists more so."""
    if isinstance(value, list):
        most = 2 if value and isinstance(value[0], list) and value[0] and isinstance(value[0][0], list) else 12
        items = [show(item) for item in value[:most]] + ["…"] * (len(value) > most)
        return "[" + ", ".join(items) + "]"
    return format(value + 0.0, ".5g") if isinstance(value, float) else repr(value)


def replaced() -> list[str]:
    """The names of NumPy's functions that have been replaced."""
    return [f"numpy.{name}" for name, function in _WATCHED.items() if getattr(np, name, None) is not function]
