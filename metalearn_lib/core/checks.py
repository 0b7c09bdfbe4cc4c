"""Checks of arguments, one line at the door of a function.

Each takes arguments by their names and raises one sentence for the first that does not fit: its name, what it is and
what was expected. Wrong numbers, ranges and choices raise ValueError, objects of a wrong kind TypeError.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

LARGEST_SEED = 2**63 - 1
MOST_BYTES = 2**34

_EXTENDED = ("bfloat16", "float8_e4m3fn", "float8_e5m2")  # floating types that NumPy does not know as such


def shown(value: Any) -> str:
    """A value as it stands in a sentence: on one line and short."""
    if getattr(value, "shape", ()) != ():
        return f"a {type(value).__name__} of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def at_least(least: int, **arguments: int) -> None:
    """Whole numbers of at least `least`."""
    for name, value in arguments.items():
        if not _is_whole(value) or value < least:
            raise ValueError(f"{name} is {shown(value)}, expected a whole number of at least {least}")


def whole_in(low: int, high: int, **arguments: int) -> None:
    """Whole numbers from `low` to `high`, both included."""
    for name, value in arguments.items():
        if not _is_whole(value) or not low <= value <= high:
            raise ValueError(f"{name} is {shown(value)}, expected a whole number from {low} to {high}")


def all_at_least(least: int, **arguments: Sequence[int]) -> None:
    """Lists or tuples of whole numbers of at least `least`."""
    for name, value in arguments.items():
        if not isinstance(value, list | tuple) or not all(_is_whole(part) and part >= least for part in value):
            raise ValueError(f"{name} is {shown(value)}, expected whole numbers of at least {least}")


def seeds(**arguments: int) -> None:
    """Seeds: whole numbers from 0 that fit into 64 bits."""
    whole_in(0, LARGEST_SEED, **arguments)


def number_in(interval: str, **arguments: float) -> None:
    """Numbers in an interval such as "(0, 1]": a round bracket leaves its end out."""
    low, high = map(float, interval[1:-1].split(","))
    for name, value in arguments.items():
        inside = _is_number(value) and low <= value <= high
        if not inside or (interval[0] == "(" and value == low) or (interval[-1] == ")" and value == high):
            raise ValueError(f"{name} is {shown(value)}, expected a number in {interval}")


def positive(**arguments: float) -> None:
    """Positive, finite numbers."""
    for name, value in arguments.items():
        if not _is_number(value) or not 0 < value < np.inf:
            raise ValueError(f"{name} is {shown(value)}, expected a positive number")


def low_to_high(**arguments: tuple[float, float]) -> None:
    """Ranges (low, high) of finite numbers, which may be equal."""
    for name, value in arguments.items():
        pair = isinstance(value, tuple | list | np.ndarray) and len(value) == 2 and all(map(_is_number, value))
        if not pair or not -np.inf < value[0] <= value[1] < np.inf:
            raise ValueError(f"{name} is {shown(value)}, expected two finite numbers (low, high) with low <= high")


def flags(**arguments: bool) -> None:
    """True or False."""
    for name, value in arguments.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} is {shown(value)}, expected True or False")


def one_of(options: Sequence[str], **arguments: str) -> None:
    """One of a few words."""
    for name, value in arguments.items():
        if not isinstance(value, str) or value not in options:
            raise ValueError(f"{name} is {shown(value)}, expected {' or '.join(map(repr, options))}")


def functions(expected: str, **arguments: Callable) -> None:
    """What can be called, which `expected` names."""
    for name, value in arguments.items():
        if not callable(value):
            raise TypeError(f"{name} is {_kind_of(value)}, expected {expected}")


def instances(kind: type | tuple[type, ...], expected: str, **arguments: Any) -> None:
    """Objects of a kind, which `expected` names."""
    for name, value in arguments.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name} is {_kind_of(value)}, expected {expected}")


def texts(**arguments: str) -> None:
    """Strings."""
    instances(str, "text", **arguments)


def by_name(kind: type | tuple[type, ...], expected: str, **arguments: Mapping[str, Any]) -> None:
    """Dictionaries with at least one entry, from names to objects of a kind, which `expected` names."""
    for name, value in arguments.items():
        if not isinstance(value, Mapping) or not value:
            raise TypeError(f"{name} is {shown(value)}, expected a dictionary from names to {expected}")
        for key, part in value.items():
            instances(kind, expected, **{f"{name}[{key!r}]": part})


def names(name: str, value: Iterable[str]) -> tuple[str, ...]:
    """The strings in an iterable.

    Raises:
        TypeError: if it is no iterable of strings.
    """
    found = tuple(value) if isinstance(value, Iterable) else (None,)
    strings = tuple(str(part) for part in found if isinstance(part, str))
    if len(strings) < len(found):
        raise TypeError(f"{name} is {shown(value)}, expected strings")
    return strings


def as_path(name: str, value: str | PathLike) -> Path:
    """Text or a path as a `pathlib.Path`.

    Raises:
        TypeError: if it is neither text nor a path.
    """
    if not isinstance(value, str | PathLike) or not str(value) or "\0" in str(value):
        raise TypeError(f"{name} is {shown(value)}, expected a path")
    return Path(value)


def real_numbers(name: str, value: ArrayLike, axes: str = "[...]") -> np.ndarray:
    """An array of real numbers, NaN and infinity among them.

    Args:
        name: the argument.
        value: what can be made an array of.
        axes: its axes, such as "[T, Q, 1]"; a number is a length, and a last "..." any number of other axes.

    Raises:
        TypeError: if it does not hold real numbers.
        ValueError: if the axes are others.
    """
    try:
        array = np.asarray(value)
        array = array.astype(array.dtype.newbyteorder("="), order="C", copy=False)
    except (ValueError, TypeError):
        raise TypeError(f"{name} is {type(value).__name__}, expected an array of numbers") from None
    if array.dtype.kind not in "fiub" and array.dtype.name not in _EXTENDED:
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    if not _has_axes(array.shape, axes[1:-1].split(", ")):
        raise ValueError(f"{name} has shape {array.shape}, expected {axes}")
    return array


def numbers(name: str, value: ArrayLike, axes: str = "[...]") -> np.ndarray:
    """An array of finite real numbers, see `real_numbers`.

    Raises:
        TypeError: if it does not hold real numbers.
        ValueError: if a number is NaN or infinite, or the axes are others.
    """
    array = real_numbers(name, value, axes)
    if array.dtype.kind not in "iub" and not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(f"{name} has {bad} NaN or infinite numbers out of {array.size}, expected finite ones")
    return array


def whole_numbers(name: str, value: ArrayLike, axes: str, low: int, high: int) -> np.ndarray:
    """An array of whole numbers from `low` to `high`, see `numbers`.

    Raises:
        TypeError: if it does not hold whole numbers.
        ValueError: if a number lies outside, or the axes are others.
    """
    array = numbers(name, value, axes)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {array.dtype}, expected whole numbers")
    if array.size and (array.min() < low or array.max() > high):
        raise ValueError(f"{name} has numbers {array.min()}..{array.max()}, expected {low}..{high}")
    return array


def fits_in_memory(nbytes: int, **arguments: int) -> None:
    """What `arguments` ask for takes so many bytes; 16 GB are the most."""
    if nbytes > MOST_BYTES:
        asked = " and ".join(f"{name} is {shown(value)}" for name, value in arguments.items())
        raise ValueError(f"{asked}, which takes {nbytes / 2**30:,.0f} GB, expected at most {MOST_BYTES >> 30} GB")


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _has_axes(shape: tuple[int, ...], axes: list[str]) -> bool:
    if axes[-1] == "...":
        axes, shape = axes[:-1], shape[: len(axes) - 1]
    return len(shape) == len(axes) and all(int(a) == n for a, n in zip(axes, shape, strict=True) if a.isdigit())


def _kind_of(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
