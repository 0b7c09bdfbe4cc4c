"""Rows of a table of wrong calls, and wrong values by the kind of an argument."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

NAN, INF = float("nan"), float("inf")
LARGE = 10**9

# None is wrong unless a line says by `no_default` that it stands for a default.
WHOLE = (0, -1, 1.5, True, "3", None, NAN, [1], np.float32(2))
FROM_0 = WHOLE[1:]
POSITIVE = (0, -1.0, NAN, INF, "0.1", None, True, [0.1])
NOT_NEGATIVE = POSITIVE[1:]
SEED = (-1, 0.5, "0", None, True, 2**63, NAN)
RANGE = ((NAN, 1), (0, INF), (2, 1), (1,), (1, 2, 3), ("a", "b"), (None, 1), 3.0, None)
FLAG = ("yes", 1, None, 0.0)
TEXT = (3, None, ["a"], b"a")
FUNCTION = ("text", 3, None)
OBJECT = ("text", 3, None, {})
BY_NAME = ({}, None, "text", [1], {"a": 3})
PATH = (3, None, b"bytes", "", "a\0b", ["a"])
STRINGS = (3, [1], [None], 1.5)
ARRAY = ("text", None, [[1.0], [1.0, 2.0]], 1j, {})


def no_default(values: tuple) -> tuple:
    """The wrong values of an argument that may be None."""
    return tuple(value for value in values if value is not None)


class Named(NamedTuple):
    """A wrong value whose sentence names a part of the argument, or the argument that it does not fit."""

    name: str
    value: Any


class Row(NamedTuple):
    """A call that is refused, and the argument that its sentence names."""

    call: Callable
    tried: str
    named: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        value = self.arguments[self.tried]
        plain = isinstance(value, bool | int | float | str | bytes | None)
        return f"{self.call.__qualname__}({self.tried}={repr(value) if plain else type(value).__name__})"


def line(call: Callable, right: dict[str, Any] | None = None, /, **wrong: tuple) -> list[Row]:
    """A row for each wrong value of each argument; the others are right."""
    rows = []
    for argument, values in wrong.items():
        for value in values:
            named, value = value if isinstance(value, Named) else (argument, value)
            rows.append(Row(call, argument, named, {**(right or {}), argument: value}))
    return rows


def put(array: np.ndarray, value: float) -> np.ndarray:
    """A copy whose first number is another."""
    array = np.array(array, np.result_type(array, float))
    array.flat[0] = value
    return array
