"""What pyright says: nothing about the packages, and to their users what an editor would show."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_project import ROOT

pytest.importorskip("pyright", reason="needs the group `types`")

# The comment is what pyright has to say of a line; of all others it may say nothing.
USER = """
import metalearn_lib as ml

learner = ml.MAML(ml.networks.mlp(), inner_lr=0.01)
reveal_type(learner)  # Type of "learner" is "MAML"
reveal_type(ml.compare({"MAML": learner}, ml.tasks.sinusoids()))  # is "dict[str, Score]"
reveal_type(ml.tasks.sinusoids())  # is "Dataset
reveal_type(ml.Memory("folder"))  # is "Memory"
ml.MAML(ml.networks.mlp(), inner_lr="fast")  # cannot be assigned to parameter "inner_lr" of type "float"
ml.tasks.episodes()  # Argument missing
"""


def pyright(*arguments: str | Path, folder: Path) -> list[dict]:
    """What it finds, as it tells editors."""
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return json.loads(run.stdout)["generalDiagnostics"]


def test_both_packages_are_accepted() -> None:
    assert not [
        f"{found['file']}:{found['range']['start']['line'] + 1}: {found['message']}" for found in pyright(folder=ROOT)
    ]


def test_users_see_types_and_mistakes(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    settings = {
        "include": ["user.py"],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "basic",
        "reportUnusedExpression": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    found = {entry["range"]["start"]["line"]: entry["message"] for entry in pyright(folder=tmp_path)}
    expected = {number: text for number, line in enumerate(USER.splitlines()) for text in re.findall("  # (.*)", line)}
    assert found.keys() == expected.keys(), found
    for number, text in expected.items():
        assert text in found[number]
