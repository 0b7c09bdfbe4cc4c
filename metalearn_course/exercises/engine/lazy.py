"""Modules that are imported when something of them is used: a check without training starts at once."""

import importlib
from typing import Any


class Lazy:
    """Stands for a module until one of its attributes is asked for.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


keras: Any = Lazy("keras")
