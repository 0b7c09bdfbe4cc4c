"""Makes `.venv` where it is missing or out of date, then opens the course or tests it in there.

    python scripts/setup.py lab     JupyterLab on chapter 1
    python scripts/setup.py test    every test, and every chapter run and compared with its stored outputs

Further arguments go on to JupyterLab or to pytest. `make lab` and `make test` call this file. It needs only
the standard library, and Python 3.6 can read it: a Python that is too old gets a sentence, not a traceback.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "set-up-complete"
MARK = VENV / "made-by-set-up"
ROOM = 4 * 10**9  # bytes that a set-up takes while it runs
KERNELS = ROOT / "scripts" / "jupyter"
SUITABLE = (3, 11) <= sys.version_info[:2] <= (3, 13)
VERSION = "{}.{}".format(*sys.version_info[:2])
NAMED = os.environ.get("PYTHON")  # which Python the user asked for, if any
CHAPTER_1 = "notebooks/01_background.ipynb"


def main() -> None:
    command, arguments = (sys.argv[1] if sys.argv[1:] else ""), sys.argv[2:]
    if command not in ("lab", "test"):
        sys.exit(f"setup.py was asked for {command!r}; it knows `lab` and `test`.")
    os.chdir(str(ROOT))
    if not complete():
        set_up()
    if command == "test":
        start(["-m", "pytest", "--nbval", *arguments])
    give_a_home()
    # The course's kernel, which keeps the lines that TensorFlow starts with out of the cells, comes before all others.
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(KERNELS), os.environ.get("JUPYTER_PATH"))))
    start(["-m", "jupyterlab", *lab_options(), *arguments])


def complete() -> bool:
    """Whether `.venv` can stay and is what the lock and pyproject.toml ask for."""
    return kept() and STAMP.read_text().splitlines()[2] == wanted()


def kept() -> bool:
    """Whether `.venv` can stay: a set-up of it once came to its end, in this folder and with this Python."""
    stamp = STAMP.read_text().splitlines() if STAMP.exists() and VENV_PYTHON.exists() else []
    return len(stamp) == 3 and stamp[1] == str(ROOT) and (not NAMED or stamp[0] == VERSION)


def wanted() -> str:
    """A digest of the files that the set-up follows."""
    files = (ROOT / "requirements.lock", ROOT / "pyproject.toml")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def set_up() -> None:
    """Makes or updates `.venv`. The stamp goes first and comes back last: without it, all is made anew."""
    uv = find_uv()
    python = find_python(uv)
    refuse_another_venv()
    refuse_a_full_disk()
    print("Setting up .venv: 3 GB, a few minutes the first time.", flush=True)
    fresh = not kept()
    if STAMP.exists():
        STAMP.unlink()
    if fresh:
        shutil.rmtree(str(VENV), ignore_errors=True)
        VENV.mkdir()
        MARK.touch()
        run(
            [uv, "venv", "--quiet", "--seed", "--allow-existing", "--python", python, VENV]
            if uv
            else [python, "-m", "venv", VENV]
        )
    install = [uv, "pip", "install", "--python", VENV_PYTHON] if uv else [VENV_PYTHON, "-m", "pip", "install"]
    if not uv:
        install += ["--compile", "--disable-pip-version-check"]
    run([*install, "-r", "requirements.lock"])
    # setuptools, which builds the package, came with the lock: nothing more is fetched.
    run([*install, "--no-deps", "--no-build-isolation", "--editable", "."])
    hide_nbgrader()
    version = subprocess.check_output([str(VENV_PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    unfinished = STAMP.with_name("set-up-unfinished")
    unfinished.write_text("\n".join([version.decode().strip(), str(ROOT), wanted()]))
    os.replace(str(unfinished), str(STAMP))


def refuse_another_venv() -> None:
    """What the set-up did not make, it does not replace."""
    if VENV.is_dir() and not MARK.exists() and not STAMP.exists():
        sys.exit(f"{VENV} was not made by this set-up, which would replace it: rename it, or delete it.")


def refuse_a_full_disk() -> None:
    """One sentence now, instead of one of many tools' in the middle."""
    free = shutil.disk_usage(str(ROOT)).free
    if not VENV.exists() and free < ROOM:
        sys.exit(
            "The set-up needs {:.0f} GB in {}, where {:.1f} GB are free: make room, then start the same command "
            "again.".format(ROOM / 1e9, ROOT, free / 1e9)
        )


def give_a_home() -> None:
    """Where the home folder cannot be written, JupyterLab keeps its files beside the environment."""
    home = os.path.expanduser("~")
    try:
        probe = Path(home, ".metalearn-{}".format(os.getpid()))
        probe.touch()
        probe.unlink()
    except OSError:
        print(f"{home} cannot be written: JupyterLab keeps its settings in {VENV / 'home'}.", flush=True)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
            own = VENV / "home" / name.lower()
            own.mkdir(parents=True, exist_ok=True)
            os.environ.setdefault(name, str(own))


def hide_nbgrader() -> None:
    """Keeps nbgrader out of JupyterLab: its button `Validate` says that a notebook that is not filled in passes."""
    server = ("formgrader", "validate_assignment", "assignment_list", "course_list")
    settings = {
        "labconfig/page_config.json": {"disabledExtensions": {"@jupyter/nbgrader": True}},
        "jupyter_server_config.json": {
            "ServerApp": {"jpserver_extensions": {"nbgrader.server_extensions." + name: False for name in server}}
        },
    }
    for name, content in settings.items():
        path = VENV / "etc" / "jupyter" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1))


def find_uv() -> str:
    """The path of a uv that works, or ''."""
    uv = shutil.which("uv") or ""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return uv if uv and subprocess.call([uv, "--version"], **quiet) == 0 else ""


def find_python(uv: str) -> str:
    """The Python that `.venv` is made from: this one, or else what uv finds on this machine."""
    other = "name another one, for example `PYTHON=python3.12 make lab`"
    if not SUITABLE:
        found = find_with_uv(uv) if uv and not NAMED else ""
        if not found:
            sys.exit(
                f"The course needs Python 3.11, 3.12 or 3.13, and this is Python {VERSION}: "
                f"install one of them, or {other}."
            )
        return found
    if not uv:
        try:
            import ensurepip  # noqa: F401 - Debian takes it out of Python, and then `venv` fails
            import venv  # noqa: F401
        except ImportError:
            sys.exit(
                f"This Python {VERSION} cannot make virtual environments: install its venv module "
                f"(Debian and Ubuntu: `apt install python{VERSION}-venv`) or {other}."
            )
    # The active environment may be the `.venv` that is about to be replaced: take the Python behind it.
    return getattr(sys, "_base_executable", None) or sys.executable


def find_with_uv(uv: str) -> str:
    """A suitable Python that is installed already, or ''; uv is not allowed to download one."""
    search = subprocess.run(
        [uv, "python", "find", "--no-project", ">=3.11,<3.14"],
        env=dict(os.environ, UV_PYTHON_DOWNLOADS="never"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return search.stdout.decode().strip()


def run(command: list) -> None:
    """Runs one step of the set-up, with bytecode compiled now: without it each start takes seconds longer."""
    environment = dict(os.environ, UV_COMPILE_BYTECODE="1", UV_PYTHON_DOWNLOADS="never")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if subprocess.call([str(part) for part in command], env=environment) != 0:
        sys.exit("The set-up did not finish; its last lines above say why. The same command starts it again.")


def lab_options() -> list:
    options = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{CHAPTER_1}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # JupyterLab refuses to run as root, which is all that a bare container has
    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} & set(os.environ):
        options.append("--no-browser")  # and prints the address
    return options


def start(arguments: list) -> None:
    """Becomes the Python of `.venv`, so that Ctrl-C and exit status are its own; Windows can only wait."""
    command = [str(VENV_PYTHON), *arguments]
    sys.stdout.flush()
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same command starts it again.")
