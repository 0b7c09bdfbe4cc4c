"""Checks of arguments: each raises one sentence with the argument's name, what it is, and what was expected.

Arrays are NumPy's or TensorFlow's. In a traced function their values are not known yet: there, only shapes are checked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from metalearn_lib.core.checks import at_least


def arrays(**arguments: tuple[Any, str]) -> None:
    """Arrays of finite numbers whose axes fit together.

    Args:
        arguments: each argument with its axes, such as `states=(states, "T n+1 2")`. A letter is the same size in all
            arguments of a call; a first "..." stands for any axes.

    Raises:
        TypeError: for what is no array of numbers.
        ValueError: for a shape that does not fit, and for numbers that are not finite.
    """
    measurements(**arguments)
    for name, (value, _) in arguments.items():
        _, values = _numbers(name, value)
        if values is not None and not np.isfinite(values).all():
            raise ValueError(f"{name} has NaN or infinite values, expected finite numbers")


def measurements(**arguments: tuple[Any, str]) -> None:
    """As `arrays`, but NaN may stand for a value that is missing."""
    sizes: dict[str, int] = {}
    for name, (value, axes) in arguments.items():
        shape, values = _numbers(name, value)
        _check_axes(name, shape, axes.split(), sizes)
        if values is not None and np.isinf(values).any():
            raise ValueError(f"{name} has NaN or infinite values, expected finite numbers")


def numbers_in(interval: str, **arguments: Any) -> None:
    """Numbers, or arrays of them, inside an interval such as "(0, inf)"; a round bracket excludes its end."""
    low, high = map(float, interval[1:-1].split(","))
    for name, value in arguments.items():
        _, values = _numbers(name, value)
        if values is None:
            continue
        inside = (values > low if interval[0] == "(" else values >= low) & (
            values < high if interval[-1] == ")" else values <= high
        )
        if not inside.all():
            verb = "has" if values.ndim else "is"
            raise ValueError(f"{name} {verb} {values[~inside].flat[0]:g}, expected a number in {interval}")


def ranges_in(interval: str, **arguments: tuple[float, float]) -> None:
    """Pairs (low, high) with low <= high, both inside an interval, see `numbers_in`."""
    for name, value in arguments.items():
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise TypeError(f"{name} is {shown(value)}, expected a pair of numbers (low, high)")
        numbers_in(interval, **{f"{name}[{end}]": number for end, number in enumerate(value)})
        if value[0] > value[1]:
            raise ValueError(f"{name} is {shown(value)}, expected a pair of numbers (low, high) with low <= high")


def whole_numbers(least: int, **arguments: Sequence[int]) -> None:
    """Sequences of whole numbers of at least `least`."""
    for name, value in arguments.items():
        if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
            raise TypeError(f"{name} is {shown(value)}, expected a sequence of whole numbers")
        at_least(least, **{f"{name}[{place}]": number for place, number in enumerate(value)})


def instances(kind: type, **arguments: Any) -> None:
    """Objects of a kind."""
    for name, value in arguments.items():
        if not isinstance(value, kind):
            article = "an" if kind.__name__[0] in "AEIOU" else "a"
            raise TypeError(f"{name} is {shown(value)}, expected {article} {kind.__name__}")


def broadcast_to(shape: Sequence[int | None], **arguments: Any) -> None:
    """Numbers, or arrays of them, that can be broadcast to a shape."""
    wanted = tuple(shape)
    for name, value in arguments.items():
        own, _ = _numbers(name, value)
        if own is None or None in own or None in wanted:
            continue
        if len(own) > len(wanted) or any(a not in (1, b) for a, b in zip(own[::-1], wanted[::-1], strict=False)):
            raise ValueError(f"{name} has shape {own}, expected a number or an array that fits the shape {wanted}")


def parts_of(number: int | None, **arguments: slice) -> None:
    """Slices that select at least one of `number` intervals."""
    for name, value in arguments.items():
        instances(slice, **{name: value})
        ends = (value.start, value.stop, value.step)
        if any(not isinstance(end, int | np.integer | None) for end in ends) or value.step == 0:
            raise TypeError(f"{name} is {value}, expected a slice with whole numbers")
        if number is not None and not range(*value.indices(number)):
            raise ValueError(f"{name} is {value}, expected a slice of the {number} intervals that selects some")


def check_selection(number: int, **arguments: Any) -> None:
    """NumPy arrays that select some of `number` things: a mask, or whole numbers from 0."""
    for name, value in arguments.items():
        chosen = np.asarray(value) if isinstance(value, list | tuple | np.ndarray) else np.empty(0, object)
        mask = chosen.dtype == bool and chosen.shape == (number,)
        places = chosen.dtype.kind in "iu" and chosen.ndim == 1 and ((chosen >= 0) & (chosen < number)).all()
        if not mask and not places:
            wanted = f"a mask of shape ({number},), or whole numbers from 0 to {number - 1}"
            raise ValueError(f"{name} is {shown(value)}, expected {wanted}")


def tasks_have(task: Mapping[str, Any], **axes: str) -> None:
    """A dictionary with arrays under these keys, with these axes, see `arrays`."""
    instances(Mapping, task=task)
    if absent := set(axes) - set(task):
        raise ValueError(f"task has no {min(absent)!r}, expected the keys {', '.join(axes)}")
    arrays(**{key: (task[key], named) for key, named in axes.items()})


def shown(value: Any) -> str:
    """A value as it stands in a sentence: on one line and short."""
    if (shape := getattr(value, "shape", ())) != ():
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"a {type(value).__name__}"


def _numbers(name: str, value: Any) -> tuple[tuple[int | None, ...] | None, np.ndarray | None]:
    """The shape of an array, None where its rank is not known yet, and its values, None in a traced function."""
    if isinstance(value, bool) or not (isinstance(value, int | float) or hasattr(value, "dtype")):
        raise TypeError(f"{name} is {shown(value)}, expected an array of numbers")
    if hasattr(value, "graph"):  # a tensor of TensorFlow's in a traced function
        shape: Any = getattr(value, "shape", None)
        return (None if shape.rank is None else tuple(shape)), None
    values = np.asarray(value)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{name} has dtype {values.dtype}, expected an array of numbers")
    return values.shape, values


def _check_axes(name: str, shape: tuple[int | None, ...] | None, axes: list[str], sizes: dict[str, int]) -> None:
    if shape is None:
        return
    named = axes[1:] if axes[:1] == ["..."] else axes
    fits = len(shape) == len(named) or (len(shape) > len(named) < len(axes))
    for axis, size in zip(named, shape[len(shape) - len(named) :], strict=True) if fits else ():
        letter, _, more = axis.partition("+")
        if size is not None:
            wanted = int(letter) if letter.isdigit() else sizes.setdefault(letter, size - int(more or 0))
            fits &= size == wanted + int(more or 0)
    if not fits:
        letters = {axis.partition("+")[0] for axis in axes}
        known = [f"{letter} = {size}" for letter, size in sizes.items() if letter in letters]
        where = f" with {', '.join(known)}" if known else ""
        raise ValueError(f"{name} has shape {shape}, expected [{', '.join(axes)}]{where}")
