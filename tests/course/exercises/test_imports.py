"""What a notebook loads: its own chapter's exercises, and TensorFlow only once an answer uses it."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from metalearn_course.exercises import chapters

ROOT = Path(__file__).resolve().parents[3]
NAMES = [found.name for found in pkgutil.iter_modules(chapters.__path__)]


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_loads_neither_the_others_nor_tensorflow(name: str) -> None:
    program = f"import sys, metalearn_course.exercises.chapters.{name}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    prefix = "metalearn_course.exercises.chapters."
    assert {module.removeprefix(prefix).partition(".")[0] for module in loaded if module.startswith(prefix)} == {name}
    assert not {"tensorflow", "keras"} & set(loaded)
