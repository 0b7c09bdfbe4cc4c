"""The kernel of the course: what TensorFlow writes while it starts, or when it traces anew, stands in no cell."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.test_project import ROOT

TRACED_ANEW = """\
import os
import tensorflow as tf
double = tf.function(lambda x: 2 * x)
print(sum(int(tf.reduce_sum(double(tf.ones(n)))) for n in range(7)))
os.write(2, b"to the terminal") and None"""


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    """One cell that imports TensorFlow, with what it shows."""
    shown = [new_output("stream", name="stdout", text="42\n")]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return new_notebook(
        cells=[new_code_cell(TRACED_ANEW, execution_count=1, outputs=shown)], metadata={"kernelspec": kernel}
    )


def test_it_is_found_before_that_of_the_environment() -> None:
    found = KernelSpecManager().find_kernel_specs()["python3"]
    assert Path(found) == ROOT / "scripts" / "jupyter" / "kernels" / "python3"


def test_a_cell_shows_what_it_prints_and_no_more(notebook: nbformat.NotebookNode) -> None:
    expected = notebook.cells[0].outputs
    # ipykernel leaves file descriptors alone where it sees that pytest is running.
    outside = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    (cell,) = NotebookClient(notebook).execute(env=outside).cells
    assert cell.outputs == expected


def test_a_cell_shows_the_same_to_nbval(notebook: nbformat.NotebookNode, tmp_path: Path) -> None:
    path = tmp_path / "one_cell.ipynb"
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path, "--nbval", path]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
