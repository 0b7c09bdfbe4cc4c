"""Runs cells and answers of a submission in a child process, and ends all that they started.

The child (`worker`) has neither the solutions nor the comparison, and reports plain data through a pipe. This process
reads a bounded part of it, and holds the clock: what the child runs cannot stop it.
"""

import contextlib
import ctypes
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from metalearn_course.exercises.engine.catch import Implementation
from metalearn_course.exercises.grading.isolation import NAMESPACES, account, in_namespaces, strongest
from metalearn_lib.core.extras import import_extra

if TYPE_CHECKING:
    import psutil
else:
    psutil = import_extra("psutil", "class")

STEP_SECONDS = 15  # for one cell or one answer
END_SECONDS = 20  # until all processes of a submission have to be gone
MOST_BYTES = 2**31  # of memory, for all processes of a submission
MOST_PROCESSES = 100
MOST_OUTPUT = 10_000_000  # bytes of a report, and of a file

ENDED = "It ended the program, or needed too much memory."
STUCK = "It was still running when its time was over: does its loop end?"
NO_TIME = "It was still running when the time of the whole submission was over."
TOO_MUCH = "Its results take more than 10 MB."
TOO_MANY = "It starts programs without end."

_PACKAGE = Path(__file__).resolve().parents[2]
_WORKER = Path(__file__).with_name("worker.py")
_BECOME_SUBREAPER = 36  # Linux, prctl: orphans of this process's children become its own children


class BatchError(SystemExit):
    """Ends the grading of a whole class: what would come after it could not be trusted."""


def run_outside(
    steps: list[dict], chapter: str, seconds: float, user: str | None = None
) -> tuple[dict[int, Any], int | None, str]:
    """Run cells and call functions in a child process, as well isolated as this machine can.

    Args:
        steps: each with a "number" and a "kind": "cell" with its "source", or "function" with its "name" and "cases".
            "seconds" says how long it may take, by default `STEP_SECONDS`.
        chapter: the name of the package of exercises that is hidden from the child.
        seconds: for all steps.
        user: the account that the child runs as, chosen by root.

    Returns:
        The outcomes of each step by number; and the number of the step that ended the child, with a sentence.

    Raises:
        BatchError: if a process of the submission cannot be ended.
        ValueError: if there is no account `user`.
    """
    level = strongest(user)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, tempfile.TemporaryFile() as job:
        home = "/home" if level == NAMESPACES else place
        job.write(json.dumps(_job(steps, chapter, level == NAMESPACES)).encode())
        job.seek(0)
        try:
            lines, why = _follow(_command(place, level, user), job, _environment(home), steps, seconds)
        finally:
            _empty(place)
    return _read(lines, steps, why)


def sent(argument: Any) -> Any:
    """An argument in the form in which it is sent to a child."""
    if isinstance(argument, dict):
        return {"task": {key: sent(item) for key, item in argument.items()}}
    if isinstance(argument, np.ndarray):
        return {"array": argument.tolist(), "dtype": argument.dtype.name}
    if isinstance(argument, Implementation):
        return {"source": argument.source}
    return argument.item() if isinstance(argument, np.generic) else argument


def _job(steps: list[dict], chapter: str, isolated: bool) -> dict[str, Any]:
    """What the child reads. Where it is not isolated, its hook hides the solutions and the work of others."""
    here = Path.cwd()
    others = [] if Path(sys.prefix).is_relative_to(here) or _PACKAGE.is_relative_to(here) else [here]
    hidden = [] if isolated else [_PACKAGE / "exercises", _PACKAGE.parent / "exercises", *others]
    return {
        "steps": steps,
        "path": str(_PACKAGE.parent),
        "chapter": chapter,
        "hidden": [str(folder) for folder in hidden],
        "seconds": STEP_SECONDS,
        "bytes": MOST_BYTES,
        "output": MOST_OUTPUT,
    }


def _environment(home: str) -> dict[str, str]:
    kept = ("PATH", "LANG", "SYSTEMROOT", "CUDA_VISIBLE_DEVICES")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": home, "TMPDIR": home}


def _command(place: str, level: str, user: str | None) -> dict[str, Any]:
    """The arguments of `Popen` that start the child."""
    command = [sys.executable, "-I", "-B", str(_WORKER)]
    if level == NAMESPACES:
        return {"args": in_namespaces(command, place, user)}
    if not user:
        return {"args": command, "cwd": place}
    uid, gid = account(user)
    os.chown(place, uid, gid)
    return {"args": command, "cwd": place, "user": uid, "group": gid, "extra_groups": []}


def _follow(
    command: dict[str, Any], job: IO[bytes], environment: dict[str, str], steps: list[dict], seconds: float
) -> tuple[list[dict], str]:
    """The messages of a child, and why there are no more. When it returns, no process of the child is left."""
    _adopt_orphans()
    others = set(psutil.Process().children(recursive=True))
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as pipe:
        child = subprocess.Popen(
            **command, stdin=job, stdout=writing, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        os.close(writing)
        try:
            return _messages(child, pipe, others, {step["number"]: step for step in steps}, seconds)
        finally:
            _end(child, others)


def _messages(
    child: subprocess.Popen, pipe: IO[bytes], others: set[psutil.Process], steps: dict[int, dict], seconds: float
) -> tuple[list[dict], str]:
    found: list[dict] = []
    chunks: queue.Queue[bytes] = queue.Queue(64)
    reader = threading.Thread(target=_read_chunks, args=(pipe, chunks), daemon=True)
    reader.start()
    rest, length = b"", 0
    over = time.monotonic() + max(seconds, 0.1)
    step_over, next_look = over, 0.0
    while True:
        now = time.monotonic()
        if now > over:
            return found, NO_TIME if child.poll() is None else ENDED
        if now > step_over:
            return found, STUCK
        if now > next_look:
            next_look = now + 0.25
            if why := _too_much(others):
                return found, why
        try:
            chunk = chunks.get(timeout=0.05)
        except queue.Empty:
            if child.poll() is not None:  # the pipe ends then, unless a process that it left holds it open
                over = min(over, time.monotonic() + 2)
            continue
        length += len(chunk)
        if not chunk or length > MOST_OUTPUT:
            return found, TOO_MUCH if chunk else ENDED
        *lines, rest = (rest + chunk).split(b"\n")
        for message in map(_message, lines):
            step = steps.get(message["number"])
            if step and message["what"] == "started":
                # An answer has a clock of its own in the child, which says more: it goes first.
                step_over = now + step.get("seconds", STEP_SECONDS) + (2 if step["kind"] != "cell" else 0)
            found += [message] if step else []


def _read_chunks(pipe: IO[bytes], chunks: queue.Queue[bytes]) -> None:
    """In a thread, since a pipe can be waited for with a time limit on no system but Unix; the last chunk is empty."""
    with contextlib.suppress(OSError, ValueError):
        while chunk := pipe.read(1 << 16):
            chunks.put(chunk, timeout=30)
    with contextlib.suppress(queue.Full):
        chunks.put(b"", timeout=30)


def _message(line: bytes) -> dict:
    """A line of the child, which may be the submission's."""
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        message = json.loads(line)
        if isinstance(message, dict) and isinstance(message.get("number"), int) and "what" in message:
            return message
    return {"number": None, "what": ""}


def _too_much(others: set[psutil.Process]) -> str:
    processes = _own(others)
    if len(processes) > MOST_PROCESSES:
        return TOO_MANY
    memory = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            memory += process.memory_info().rss
    return ENDED if memory > MOST_BYTES else ""


def _own(others: set[psutil.Process]) -> list[psutil.Process]:
    """All processes below this one that have come since `others` were counted."""
    return [process for process in psutil.Process().children(recursive=True) if process not in others]


def _adopt_orphans() -> None:
    """On Linux no process can leave the tree below this one, whatever session it makes for itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)


def _end(child: subprocess.Popen, others: set[psutil.Process]) -> None:
    """End the child and all processes that it started."""
    over = time.monotonic() + END_SECONDS
    while left := _own(others):
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if child.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1)
        psutil.wait_procs([process for process in left if process.pid != child.pid], timeout=1)
        if time.monotonic() > over:
            raise BatchError(
                f"{len(left)} processes of a submission cannot be ended (first: number {left[0].pid}). "
                "They could change what is graded after it: end them, then grade again."
            )
    child.wait()


def _empty(place: str) -> None:
    """Remove what a submission left, however deep its folders are: `shutil` recurses."""
    if os.name == "posix":
        subprocess.run(["rm", "-rf", "--", *map(str, Path(place).iterdir())], stderr=subprocess.DEVNULL, check=False)


def _read(messages: list[dict], steps: list[dict], why: str) -> tuple[dict[int, Any], int | None, str]:
    numbers = [step["number"] for step in steps]
    answers, at_work = {}, numbers[0]
    for message in messages:
        if message["what"] == "started":
            at_work = message["number"]
        elif message["what"] == "done":
            answers[message["number"]] = message.get("outcomes")
    left = [number for number in numbers if number not in answers]
    if not left:
        return answers, None, ""
    return answers, at_work if at_work in left else left[0], why
