"""The exercises themselves: one package per chapter, found by its name."""

import importlib
import pkgutil

from metalearn_course.exercises.engine import Chapter


def all_chapters() -> tuple[Chapter, ...]:
    """Every chapter that has exercises, in the order of the course."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.chapter for module in modules), key=lambda chapter: chapter.name))
