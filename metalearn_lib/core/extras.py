"""Packages that are not needed by the core, and are named in one sentence where they are missing."""

import importlib
from types import ModuleType


def import_extra(module: str, extra: str) -> ModuleType:
    """A module that the extra `extra` of metalearn_lib brings.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(f"{error.name} is not installed, expected here: pip install metalearn_lib[{extra}]") from None
