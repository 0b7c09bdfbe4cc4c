"""`make lab` and `make test`, with stand-ins for Python and uv that say what they are asked to do."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="needs make and a POSIX shell")

# Stands in for uv, for pip and for the Python of `.venv`: makes what the set-up looks for, and writes a log.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
[ "$2" = jupyterlab ] && echo "JUPYTER_PATH is $JUPYTER_PATH" >> "{log}"
[ -n "$JUPYTER_CONFIG_DIR" ] && echo "settings in $JUPYTER_CONFIG_DIR" >> "{log}"
case "$*" in
  *"$FAIL"*) [ -n "$FAIL" ] && exit 1 ;;
esac
case "$*" in
  "venv "*|"-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "python find"*) echo "$UV_FINDS" ;;
  "-c "*) echo 3.12 ;;
esac
exit 0
"""

# A Python that says another version of itself, or lacks a module, and is this one in everything else.
PYTHON = """#!/bin/sh
case "$1" in
  -m) exec "{bin}/stand-in" "$@" ;;
  -c) exec "{python}" "$@" ;;
esac
exec "{python}" -c '
import runpy, sys
sys.version_info = {version} + sys.version_info[3:]
sys._base_executable = sys.executable = "{bin}/python3"
sys.modules.update(dict.fromkeys("{missing}".split()))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
' "$@"
"""


class Machine:
    """A copy of the repository's set-up in a folder with a space, on a PATH with stand-ins only."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self.log = folder / "the course", folder / "bin", folder / "log"
        (self.root / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        for file in ("Makefile", "pyproject.toml", "requirements.lock", "scripts/setup.py"):
            shutil.copy(ROOT / file, self.root / file)
        for tool in ("sh", "make", "basename", "mkdir", "cp", "rm"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.stand_in("stand-in")
        self.python()

    def stand_in(self, name: str) -> None:
        self.write(name, STAND_IN.format(log=self.log))

    def python(self, version: tuple[int, int, int] = (3, 12, 0), missing: str = "", name: str = "python3") -> None:
        self.write(name, PYTHON.format(bin=self.bin, python=sys.executable, version=version, missing=missing))

    def write(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def make(self, *arguments: str, **environment: str) -> tuple[int, str, list[str]]:
        """The exit status, what was printed, and the steps that were run."""
        self.log.unlink(missing_ok=True)
        environment = {"PATH": str(self.bin), **environment}
        run = subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
        )
        steps = self.log.read_text().replace(str(self.root), "ROOT").splitlines() if self.log.exists() else []
        return run.returncode, run.stdout + run.stderr, [step for step in steps if step != "uv --version"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


PIP_STEPS = [
    "stand-in -m venv ROOT/.venv",
    "python -m pip install --compile --disable-pip-version-check -r requirements.lock",
    "python -m pip install --compile --disable-pip-version-check --no-deps --no-build-isolation --editable .",
]
PYTEST = "python -m pytest --nbval"


def work(steps: list[str]) -> list[str]:
    return [step for step in steps if " -c " not in step]


def test_first_run_sets_up_with_pip_and_second_run_only_starts(machine: Machine) -> None:
    status, _, steps = machine.make("test")
    assert status == 0
    assert work(steps) == [*PIP_STEPS, PYTEST]
    assert machine.make("test")[2] == [PYTEST]


def test_jupyterlab_does_not_show_nbgrader(machine: Machine) -> None:
    """Its button `Validate` calls a notebook that is not filled in a success: our checks do not raise."""
    machine.make("test")
    page = json.loads((machine.root / ".venv/etc/jupyter/labconfig/page_config.json").read_text())
    assert page == {"disabledExtensions": {"@jupyter/nbgrader": True}}
    server = json.loads((machine.root / ".venv/etc/jupyter/jupyter_server_config.json").read_text())
    ours = Path(sys.prefix, "etc/jupyter/jupyter_server_config.d/nbgrader.json")  # what nbgrader switches on
    switched_on = json.loads(ours.read_text())["ServerApp"]["jpserver_extensions"]
    assert server["ServerApp"]["jpserver_extensions"] == dict.fromkeys(switched_on, False)


def test_uv_is_used_where_there_is_one(machine: Machine) -> None:
    machine.stand_in("uv")
    uv = "uv pip install --python ROOT/.venv/bin/python"
    assert work(machine.make("test")[2]) == [
        f"uv venv --quiet --seed --allow-existing --python {machine.bin}/python3 ROOT/.venv",
        f"{uv} -r requirements.lock",
        f"{uv} --no-deps --no-build-isolation --editable .",
        PYTEST,
    ]


def test_interrupted_set_up_starts_from_scratch(machine: Machine) -> None:
    status, said, _ = machine.make("test", FAIL="--editable")
    assert status != 0 and "The set-up did not finish" in said
    half_installed = machine.root / ".venv/half-installed"
    half_installed.touch()
    assert work(machine.make("test")[2]) == [*PIP_STEPS, PYTEST]
    assert not half_installed.exists()


def test_an_environment_of_somebody_else_is_named_and_stays(machine: Machine) -> None:
    theirs = machine.root / ".venv" / "lib" / "theirs.py"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    status, said, steps = machine.make("test")
    assert status != 0 and f"{machine.root}/.venv was not made by this set-up" in said and "Traceback" not in said
    assert theirs.exists() and work(steps) == []


def test_a_full_disk_is_one_sentence_before_anything_is_made(machine: Machine) -> None:
    set_up = machine.root / "scripts" / "setup.py"
    set_up.write_text(set_up.read_text().replace("ROOM = 4 *", "ROOM = 10**9 *"))
    status, said, steps = machine.make("test")
    assert status != 0 and "GB are free: make room, then start the same command again." in said
    assert work(steps) == [] and not (machine.root / ".venv").exists()
    set_up.write_text(set_up.read_text().replace("ROOM = 10**9 *", "ROOM = 0 *"))
    assert work(machine.make("test")[2]) == [*PIP_STEPS, PYTEST]


def test_jupyterlab_has_a_folder_where_the_home_cannot_be_written(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # no folder can be below it, even for root
    status, said, steps = machine.make("lab", HOME=str(tmp_path / "file"))
    assert status == 0 and "cannot be written: JupyterLab keeps its settings in" in said
    assert "settings in ROOT/.venv/home/jupyter_config_dir" in steps
    (tmp_path / "home").mkdir()
    assert not any("settings in" in step for step in machine.make("lab", HOME=str(tmp_path / "home"))[2])


@pytest.mark.parametrize("file", ["requirements.lock", "pyproject.toml"])
def test_changed_lock_is_installed_into_the_same_venv(machine: Machine, file: str) -> None:
    machine.make("test")
    with (machine.root / file).open("a") as stream:
        stream.write("# changed\n")
    assert work(machine.make("test")[2]) == [*PIP_STEPS[1:], PYTEST]
    assert machine.make("test")[2] == [PYTEST]


def test_moved_folder_and_damaged_stamp_are_set_up_again(machine: Machine) -> None:
    machine.make("test")
    machine.root = machine.root.rename(machine.root.with_name("moved"))
    assert work(machine.make("test")[2]) == [*PIP_STEPS, PYTEST]
    (machine.root / ".venv/set-up-complete").write_text("")
    assert work(machine.make("test")[2]) == [*PIP_STEPS, PYTEST]


def test_named_python_replaces_a_venv_of_another_version(machine: Machine) -> None:
    machine.make("test")
    machine.python((3, 13, 1), name="python3.13")
    assert machine.make("test", PYTHON="python3.13")[2][0] == PIP_STEPS[0]


@pytest.mark.parametrize("version", [(3, 9, 2), (3, 10, 13), (3, 14, 0)])
def test_unsuitable_python_gets_one_sentence(machine: Machine, version: tuple[int, int, int]) -> None:
    machine.python(version)
    status, said, steps = machine.make("lab")
    assert status != 0 and steps == [] and not (machine.root / ".venv").exists()
    sentence, make = said.splitlines()
    assert sentence.startswith("The course needs Python 3.11, 3.12 or 3.13, and this is Python {}.{}:".format(*version))
    assert make.startswith("make: ***")


def test_uv_finds_another_python_unless_one_was_named(machine: Machine) -> None:
    machine.python((3, 14, 0))
    machine.stand_in("uv")
    steps = machine.make("test", UV_FINDS="/usr/bin/python3.12")[2]
    assert "uv venv --quiet --seed --allow-existing --python /usr/bin/python3.12 ROOT/.venv" in steps
    shutil.rmtree(machine.root / ".venv")
    assert machine.make("test", UV_FINDS="")[0] != 0
    status, said, steps = machine.make("test", UV_FINDS="/usr/bin/python3.12", PYTHON="python3")
    assert status != 0 and "this is Python 3.14" in said and steps == []


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_venv_gets_one_sentence(machine: Machine, module: str) -> None:
    machine.python((3, 11, 2), missing=module)
    status, said, steps = machine.make("lab")
    assert status != 0 and steps == []
    assert said.splitlines()[0].startswith("This Python 3.11 cannot make virtual environments:")
    assert "`apt install python3.11-venv`" in said and "Traceback" not in said


@pytest.mark.parametrize("script", [None, "exit 127", "exit 1"], ids=["missing", "broken", "Python 2"])
def test_no_python_3_gets_one_sentence(machine: Machine, script: str | None) -> None:
    if script:
        machine.write("python3.99", f"#!/bin/sh\necho 'SyntaxError: invalid syntax' >&2\n{script}\n")
    status, said, _ = machine.make("lab", PYTHON="python3.99")
    assert status != 0
    sentence, make = said.splitlines()
    assert sentence.startswith("There is no working python3.99 here: install Python 3.11, 3.12 or 3.13, or name one")
    assert make.startswith("make: ***")


def test_lab_opens_chapter_1_and_prints_the_address_without_a_display(machine: Machine) -> None:
    jupyter = "python -m jupyterlab --ServerApp.root_dir=ROOT "
    jupyter += "--LabApp.default_url=/lab/tree/notebooks/01_background.ipynb"
    root = " --allow-root" if os.geteuid() == 0 else ""
    no_browser = " --no-browser" if sys.platform.startswith("linux") else ""
    assert machine.make("lab")[2][-2] == jupyter + root + no_browser
    assert machine.make("lab", DISPLAY=":0")[2][-2] == jupyter + root
    assert machine.make("lab", "ARGS=--ip=0.0.0.0")[2][-2] == jupyter + root + no_browser + " --ip=0.0.0.0"


def test_lab_finds_the_kernel_of_the_course_before_all_others(machine: Machine) -> None:
    assert machine.make("lab")[2][-1] == "JUPYTER_PATH is ROOT/scripts/jupyter"
    assert machine.make("lab", JUPYTER_PATH="/other")[2][-1] == "JUPYTER_PATH is ROOT/scripts/jupyter:/other"


def test_make_alone_helps(machine: Machine) -> None:
    status, said, steps = machine.make()
    assert status == 0 and "make lab" in said and "make test" in said and steps == []


def test_old_python_can_read_the_set_up() -> None:
    ast.parse((ROOT / "scripts/setup.py").read_text(), feature_version=(3, 6))
