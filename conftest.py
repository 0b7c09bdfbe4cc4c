"""What every test and every chapter runs with, settled before the first kernel starts."""

import os
from pathlib import Path

import pytest

# Read once, when TensorFlow is imported, and inherited by the kernels. Outputs are compared to the letter, so
# neither start-up lines nor a graphics card may change them; CUDA_VISIBLE_DEVICES=0 runs the tests on a card.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="1", KERAS_BACKEND="tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# The course's kernel, which keeps the lines that TensorFlow starts with out of the cells, comes before all others.
KERNELS = Path(__file__).parent / "scripts" / "jupyter"
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(KERNELS), os.environ.get("JUPYTER_PATH"))))
# What a kernel would choose by itself; plain tests then open no windows either.
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"

# Learners fill them in: they are no chapters.
collect_ignore = ["exercises", "tests/course/exercises/submissions"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """The cells of a chapter are slow, which no decorator can say."""
    if item.path.suffix == ".ipynb":
        item.add_marker("slow")


def pytest_configure(config: pytest.Config) -> None:
    """Builds matplotlib's font cache once, here: a chapter on a slow machine would show a warning."""
    config.option.nbval_sanitize_with = str(Path(__file__).parent / "notebooks" / "sanitize.cfg")
    if config.option.nbval and not hasattr(config, "workerinput"):
        import matplotlib.font_manager  # noqa: F401
