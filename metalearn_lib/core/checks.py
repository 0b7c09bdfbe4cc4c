"""Checks of arguments: each raises one sentence that names the argument, what came and what was expected."""

import numpy as np


def at_least(least: int, **arguments: int) -> None:
    """Raise a ValueError that names the first of `arguments` that is not a whole number of at least `least`."""
    for name, value in arguments.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is {value!r}, expected a whole number of at least {least}")


def positive(**arguments: float) -> None:
    """Raise for the first of `arguments` that is not a positive number."""
    for name, value in arguments.items():
        if not value > 0:
            raise ValueError(f"{name} is {value!r}, expected a positive number")
