"""What a submission that means harm can reach, at each level; docs/teaching.md shows the table.

Each attack is a cell that sets `reached`. The ways around the audit hook are public: they show what the hook alone does
not hold.
"""

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from metalearn_course.exercises.grading import isolation, outside
from metalearn_course.exercises.grading.isolation import ACCOUNT, NAMESPACES, PROCESS

SHARED = Path("/dev/shm/metalearn-attack")
TEACHING = Path(__file__).resolve().parents[3] / "docs" / "teaching.md"
SOLUTION = Path(isolation.__file__).parents[1] / "chapters" / "mathematics" / "update.py"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the levels are Linux's")]

ATTACKS = {
    "open the solutions": "open(SOLUTION).read()\nreached = True",
    "open the solutions from another folder (`dir_fd`)": """
        import os
        root = os.open("/", os.O_RDONLY)
        reached = b"def update" in os.read(os.open(SOLUTION[1:], os.O_RDONLY, dir_fd=root), 10**5)
    """,
    "read the gradebook (`dir_fd`)": """
        import os
        root = os.open("/", os.O_RDONLY)
        reached = os.read(os.open(GRADES[1:], os.O_RDONLY, dir_fd=root), 99) == b"grades"
    """,
    "change the gradebook (a C library that opens it)": """
        import sqlite3
        sqlite3.connect(GRADES + ".db").execute("update grades set score = 8").connection.commit()
        reached = True
    """,
    "write to shared memory of all (`/dev/shm`)": """
        from _posixshmem import shm_open
        import os
        shm_open("/metalearn-attack", os.O_CREAT | os.O_RDWR, 0o666)
        reached = True
    """,
    "signal the grader (`pidfd_send_signal`)": """
        import os, signal
        signal.pidfd_send_signal(os.pidfd_open(GRADER), 0)
        reached = True
    """,
    "read the grader's environment": """
        import os
        root = os.open("/", os.O_RDONLY)
        reached = len(os.read(os.open(f"proc/{GRADER}/environ", os.O_RDONLY, dir_fd=root), 99)) > 0
    """,
    "change the grader's limits (`prlimit`)": """
        import resource
        resource.prlimit(GRADER, resource.RLIMIT_NOFILE, resource.prlimit(GRADER, resource.RLIMIT_NOFILE))
        reached = True
    """,
    "connect to a server": """
        import socket
        socket.create_connection(("127.0.0.1", PORT), timeout=2)
        reached = True
    """,
    "send a packet": """
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT))
        reached = True
    """,
}
HELD = {  # by all levels, or by those named
    "open the solutions": (PROCESS, ACCOUNT, NAMESPACES),
    "open the solutions from another folder (`dir_fd`)": (NAMESPACES,),
    "read the gradebook (`dir_fd`)": (ACCOUNT, NAMESPACES),
    "change the gradebook (a C library that opens it)": (ACCOUNT, NAMESPACES),
    "write to shared memory of all (`/dev/shm`)": (NAMESPACES,),
    "signal the grader (`pidfd_send_signal`)": (ACCOUNT, NAMESPACES),
    "read the grader's environment": (ACCOUNT, NAMESPACES),
    "change the grader's limits (`prlimit`)": (ACCOUNT, NAMESPACES),
    "connect to a server": (PROCESS, ACCOUNT, NAMESPACES),
    "send a packet": (NAMESPACES,),
}
ENDLESS = {  # these are held by the clock and the eye of the grader, at every level
    "cancel the clock, and never end": """
        import faulthandler, itertools, collections
        faulthandler.cancel_dump_traceback_later()
        collections.deque(itertools.repeat(0), maxlen=0)
    """,
    "take 3 GB of shared memory, which no limit of a process counts": """
        import mmap, time
        held = mmap.mmap(-1, 3 * 2**30)
        for start in range(0, len(held), 4096):
            held[start] = 1
        time.sleep(60)
    """,
}
LEFT_BEHIND = """
    import importlib.util, os, sys
    spec = importlib.util.find_spec("_posixsubprocess")
    anew = importlib.util.module_from_spec(spec)
    def start(program):
        read, write = os.pipe()
        program = [os.fsencode(part) for part in program]
        return anew.fork_exec(
            program, [program[0]], True, (write,), None, None, -1, -1, -1, -1, -1, -1, read, write, False, True, -1,
            None, None, None, 0o22, None, False)
    start(["/bin/sh", "-c", "setsid sleep 4322 & setsid sleep 4322 & sleep 4322"])
    import time
    time.sleep(0.3)
    reached = True
"""


@pytest.fixture(params=(PROCESS, ACCOUNT, NAMESPACES))
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == NAMESPACES and isolation.strongest() != NAMESPACES:
        pytest.skip("this machine allows no namespaces")
    if request.param == ACCOUNT and not _nobody_can_start_python():
        pytest.skip("needs root, and a Python that nobody can start")
    monkeypatch.setattr(outside, "strongest", lambda user=None: request.param)
    return request.param


def _nobody_can_start_python() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        command = [sys.executable, "-I", "-c", "import metalearn_course"]
        subprocess.run(command, user="nobody", group="nogroup", extra_groups=[], check=True, capture_output=True)
    except (OSError, LookupError, subprocess.CalledProcessError):
        return False
    return True


def run(level: str, source: str, seconds: float = 30) -> tuple[bool, str]:
    """Whether it set `reached`, and what ended it."""
    steps = [
        {"number": 0, "kind": "cell", "source": textwrap.dedent(source)},
        {"number": 1, "kind": "value", "name": "reached", "cases": []},
    ]
    found, _, why = outside.run_outside(steps, "mathematics", seconds, "nobody" if level == ACCOUNT else None)
    return bool(1 in found and found[1][0]["value"]), why


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_it_reaches(attack: str, level: str, tmp_path: Path) -> None:
    grades = tmp_path / "gradebook"
    grades.write_text("grades")
    grades.chmod(0o600)
    _table_of_scores(tmp_path / "gradebook.db")
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = {
            "SOLUTION": str(SOLUTION),
            "GRADES": str(grades),
            "GRADER": os.getpid(),
            "PORT": server.getsockname()[1],
        }
        given = "\n".join(f"{name} = {value!r}" for name, value in names.items())
        reached, _ = run(level, f"{given}\n{textwrap.dedent(ATTACKS[attack])}")
    if "shared memory" in attack:  # in namespaces it has one of its own
        reached = SHARED.exists()
        SHARED.unlink(missing_ok=True)
    assert reached == (level not in HELD[attack])


def _table_of_scores(file: Path) -> None:
    import sqlite3

    with sqlite3.connect(file) as database:
        database.execute("create table grades (score)")
    file.chmod(0o600)


@pytest.mark.parametrize("attack", ENDLESS)
def test_the_grader_ends_it(attack: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "STEP_SECONDS", 3)
    monkeypatch.setattr(outside, "MOST_BYTES", 2**29)
    reached, why = run(level, ENDLESS[attack])
    assert not reached
    assert why == (outside.STUCK if "clock" in attack else outside.ENDED)


def test_no_process_is_left(level: str) -> None:
    """In sessions of their own, whose first process has ended: no group of processes holds them."""
    reached, _ = run(level, LEFT_BEHIND)
    assert reached, "it could start no program, so that this shows nothing"
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x004322" in _content(path)]
    assert not left


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_batch_ends_if_a_process_cannot_be_ended(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grades that come after it would prove nothing: neither zeros nor points."""
    monkeypatch.setattr(outside, "END_SECONDS", 0.1)
    monkeypatch.setattr(outside, "_own", lambda others: [psutil.Process(1)])
    monkeypatch.setattr(psutil.Process, "kill", lambda self: None)
    monkeypatch.setattr(outside, "_too_much", lambda others: "")
    with pytest.raises(outside.BatchError, match="1 processes of a submission cannot be ended"):
        run(level, "reached = True")


def test_who_it_is(level: str) -> None:
    """Root's grading never runs a submission as root, unless this machine offers nothing else."""
    if os.geteuid() != 0:
        pytest.skip("asks what root does")
    reached, _ = run(level, "import os\nreached = os.getuid() == 0")
    assert reached == (level == PROCESS)


def test_folders_that_are_too_deep_to_remove_are_removed(level: str, tmp_path: Path) -> None:
    before = set(Path(outside.tempfile.gettempdir()).iterdir())
    source = "import os\nfor _ in range(1300):\n    os.mkdir('d')\n    os.chdir('d')\nreached = True"
    reached, _ = run(level, source)
    assert reached
    assert set(Path(outside.tempfile.gettempdir()).iterdir()) <= before


def test_the_table_in_the_docs_is_this_one() -> None:
    text = TEACHING.read_text(encoding="utf-8")
    lines = [f"| {attack} | {_cells(HELD[attack])} |" for attack in ATTACKS]
    lines += [f"| {attack} | held | held | held |" for attack in (*ENDLESS, "leave a process behind")]
    assert [line for line in lines if line not in text] == []


def _cells(held: tuple[str, ...]) -> str:
    return " | ".join("held" if level in held else "**not held**" for level in (PROCESS, ACCOUNT, NAMESPACES))
