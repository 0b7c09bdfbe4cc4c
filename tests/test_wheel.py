"""The wheel: what is in it, and what it does where nothing but the packages of the core are installed.

The second part fills an environment of 2 GB and stays out of `make test`; `make wheel` runs it.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.test_project import PROJECT, ROOT, committed, name

pytestmark = pytest.mark.slow
PACKAGES = ("metalearn_lib", "metalearn_course")
EXTRA = "is not installed, expected here: pip install metalearn_lib"

# The example of the README, shorter, and the rooms that it does not enter.
EXAMPLE = """
import keras
import metalearn_lib as ml

learner = ml.MAML(ml.networks.mlp(), inner_lr=0.01)
learner.compile("adam", loss="mse")
learner.fit(ml.tasks.sinusoids(), steps_per_epoch=2)
from_scratch = ml.FromScratch(ml.networks.mlp(), inner_steps=1)
from_scratch.compile("adam", loss="mse")
scores = ml.compare({"MAML": learner, "from scratch": from_scratch}, ml.tasks.sinusoids(seed=1), num_tasks=25)
ml.plot_scores(scores)
print(ml.audit(learner, ml.tasks.sinusoids(seed=1), num_tasks=50))
memory = ml.Memory()
memory.store(learner.model.get_weights(), [[0.0]], [[1.0]])
print(memory)
print(len(ml.images.load_glyphs(drawers=1)), ml.acting.Bandits(), ml.evaluation.calibration)
print("version", ml.__version__)
"""

# What needs more than that, and the end of the one sentence that says so.
MISSING = {
    "import metalearn_lib as ml; ml.Memory('folder')": f"lancedb {EXTRA}[memory]",
    "import metalearn_lib as ml; ml.acting.GymEnvironment": f"gymnasium {EXTRA}[acting]",
    "import metalearn_lib as ml; ml.plots.animation(ml.plots.plt.figure(), print, 1)": f"IPython {EXTRA}[course]",
    "from metalearn_course.applications.driving.fleet import real_vehicles as f; f()": "metalearn_lib[course]",
    "from metalearn_course.applications.finance.factors import industries as f; f()": "metalearn_lib[course]",
    "from metalearn_course.applications.language.names import cldr_names as f; f()": "metalearn_lib[course]",
    "from metalearn_course.applications.medicine.patients import remifentanil as f; f()": "metalearn_lib[course]",
    "from metalearn_course.applications.recommendation.ratings import movielens as f; f()": "metalearn_lib[course]",
    "import os; os.environ['KERAS_BACKEND'] = 'jax'; import metalearn_lib": (
        "KERAS_BACKEND is 'jax', expected 'tensorflow': metalearn_lib differentiates with TensorFlow"
    ),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the committed files, so that nothing else can slip in."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for path in committed():
        if path.parent == ROOT or path.relative_to(ROOT).parts[0] in PACKAGES:
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([*pip, copy], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_both_packages_and_no_other(wheel: Path) -> None:
    ours = {name(path) for package in PACKAGES for path in committed() if path.is_relative_to(ROOT / package)}
    assert {f"{package}/py.typed" for package in PACKAGES} < ours
    assert {"metalearn_lib/images/glyphs.npz", "metalearn_lib/images/LICENSE_DEJAVU"} < ours
    packed = set(zipfile.ZipFile(wheel).namelist())
    about = f"{PROJECT['name']}-{PROJECT['version']}.dist-info"
    assert {file for file in packed if not file.startswith(about)} == ours
    assert {f"{about}/licenses/LICENSE", f"{about}/licenses/LICENSE-TEXT"} < packed


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment into which the wheel was installed, in the locked versions and without extras."""
    folder = tmp_path_factory.mktemp("environment")
    uv = shutil.which("uv")
    subprocess.run([uv, "venv", folder, "--python", sys.executable] if uv else [sys.executable, "-m", "venv", folder])
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    subprocess.run([*install, "--constraint", ROOT / "requirements.lock", wheel], check=True)
    return python


def run(python: Path, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in another folder, and with no variable that would lead it back into the repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MPL", "KERAS"))}
    command = [str(python), "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.wheel
def test_the_core_needs_no_extra(python: Path, tmp_path: Path) -> None:
    ran = run(python, EXAMPLE, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith(f"version {PROJECT['version']}\n")


@pytest.mark.wheel
@pytest.mark.parametrize("code", MISSING)
def test_what_is_missing_is_said_in_one_sentence(code: str, python: Path, tmp_path: Path) -> None:
    ran = run(python, code, tmp_path)
    assert ran.returncode == 1
    error, _, sentence = ran.stderr.splitlines()[-1].partition(": ")
    assert error == "ImportError"
    assert sentence.endswith(MISSING[code])
    assert "During handling" not in ran.stderr and "direct cause" not in ran.stderr  # one error, not a chain
    assert not list(tmp_path.iterdir())
