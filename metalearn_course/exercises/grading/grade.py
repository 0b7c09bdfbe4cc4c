"""Grades a submission without trusting it: its results are compared in a process that never runs its code.

The submitted cells run in a child process (`worker`) that has neither the solutions nor the comparison. It is
given the arguments of cases that follow from a secret seed, and may only answer with plain numbers. An answer that ends
or blocks the child costs its own points: the other answers are tried again in a new child.

What this does not stop: code that circumvents the child's audit hook can read and write what the child's account can.
Grade strangers' work in a container without a network, where that is another account than the one that grades.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from metalearn_course.exercises.engine.catch import Implementation
from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.exercise import Exercise
from metalearn_course.exercises.engine.function import Function
from metalearn_course.exercises.engine.questions import Value
from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import Plain
from metalearn_course.exercises.engine.verdict import Verdict

STEP_SECONDS = 15  # for one cell or one answer
SUBMISSION_SECONDS = 120
MOST_BYTES = 2**31  # of memory
MOST_OUTPUT = 10_000_000

_PACKAGE = Path(__file__).resolve().parents[2]


def grade(cells: list[str], chapter: Chapter, seed: int, user: str | None = None) -> dict[str, Verdict]:
    """The verdict on each exercise of a submitted notebook.

    Args:
        cells: the source of each code cell that is the learner's own, in order.
        chapter: the notebook's chapter.
        seed: of the hidden cases; keep it to yourself.
        user: the account that the cells run as, by default this one; only root can choose another.

    Returns:
        A verdict for each exercise by name, whatever the cells do.
    """
    asked = {name: exercise.cases(seed) for name, exercise in chapter.exercises.items()}
    steps: list[dict] = [{"kind": "cell", "source": _as_python(source)} for source in cells]
    for name, exercise in chapter.exercises.items():
        step: dict[str, Any] = {
            "kind": "value" if isinstance(exercise, Value) else "function",
            "name": exercise.target(name),
        }
        if isinstance(exercise, Function) and exercise.seconds:
            step["seconds"] = exercise.seconds
        steps.append({**step, "exercise": name, "cases": [[sent(a) for a in case] for case in asked[name]]})
    for number, step in enumerate(steps):
        step["number"] = number
    answers: dict[int, Any] = {}
    lost: dict[int, str] = {}
    deadline = time.monotonic() + SUBMISSION_SECONDS + sum(step.get("seconds", 0) for step in steps)
    while True:
        todo = [s for s in steps if s["number"] not in lost and (s["kind"] == "cell" or s["number"] not in answers)]
        if all(step["kind"] == "cell" for step in todo) or time.monotonic() > deadline:
            break
        new, blocked_by, why = run_outside(todo, chapter.name.partition("_")[2], deadline - time.monotonic(), user)
        answers.update(new)
        if blocked_by is not None:
            lost[blocked_by] = why
    return {
        step["exercise"]: _verdict(
            chapter.exercises[step["exercise"]],
            asked[step["exercise"]],
            answers.get(step["number"]),
            lost.get(step["number"], "It was not reached: other cells took all the time, or ended the program."),
        )
        for step in steps
        if step["kind"] != "cell"
    }


def _hidden() -> list[Path]:
    """What a submission may not read: the solutions, and the work of others, where grading was started."""
    here = Path.cwd()
    others = [] if Path(sys.prefix).is_relative_to(here) or _PACKAGE.is_relative_to(here) else [here]
    return [_PACKAGE / "exercises", _PACKAGE.parent / "exercises", *others]


def run_outside(
    steps: list[dict], chapter: str, seconds: float, user: str | None = None
) -> tuple[dict[int, Any], int | None, str]:
    """Run cells and call functions in a child process, see `worker`.

    Args:
        steps: each with a "number" and a "kind": "cell" with its "source", or "function" with its "name" and "cases".
        chapter: the name of the package of exercises that is hidden from the child.
        seconds: for all steps.
        user: the account that the child runs as, by default this one.

    Returns:
        The outcomes of each step by number; and the number of the step that ended the child, with a sentence.
    """
    job = {
        "steps": steps,
        "path": str(_PACKAGE.parent),
        "chapter": chapter,
        "hidden": [str(folder) for folder in _hidden()],
        "seconds": STEP_SECONDS,
        "bytes": MOST_BYTES,
        "output": MOST_OUTPUT,
    }
    with tempfile.TemporaryDirectory() as folder:
        home, output = Path(folder, "home"), Path(folder, "output")
        home.mkdir()
        group = _group_of(user) if user else None
        if user:
            for path in (folder, home):
                shutil.chown(path, user)
        kept = ("PATH", "LANG", "SYSTEMROOT", "CUDA_VISIBLE_DEVICES")
        environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(home),
            "TMPDIR": str(home),
        }
        with output.open("wb") as stream:
            child = subprocess.Popen(
                [sys.executable, "-I", "-B", str(Path(__file__).with_name("worker.py"))],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.DEVNULL,
                cwd=home,
                env=environment,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if user else None,
            )
        why = "It ended the program, or needed too much memory."
        try:
            child.communicate(json.dumps(job).encode(), timeout=max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            why = "It was still running when the time of the whole submission was over."
        except OSError:
            pass  # it ended before it read its input
        finally:
            _end(child)
        if child.returncode == 1:
            why = "It was still running when its time was over: does its loop end?"
        with output.open("rb") as stream:
            text = stream.read(MOST_OUTPUT)
    return _read(text, steps, why)


def _group_of(user: str) -> int:
    if sys.platform == "win32":
        raise ValueError(f"user is {user!r}, expected None: Windows starts no process as another account")
    import pwd

    try:
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        raise ValueError(f"user is {user!r}, expected the name of an account") from None


def _end(child: subprocess.Popen) -> None:
    """End the child and all processes that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


def _read(text: bytes, steps: list[dict], why: str) -> tuple[dict[int, Any], int | None, str]:
    """The child's report, line by line; some lines may be the submission's."""
    numbers = [step["number"] for step in steps]
    answers, at_work = {}, numbers[0]
    for line in text.splitlines():
        with contextlib.suppress(ValueError, AttributeError, TypeError, RecursionError):
            message = json.loads(line)
            if (number := message.get("number")) in numbers:
                if message.get("what") == "started":
                    at_work = number
                elif message.get("what") == "done":
                    answers[number] = message.get("outcomes")
    left = [number for number in numbers if number not in answers]
    if not left:
        return answers, None, ""
    return answers, at_work if at_work in left else left[0], why


def _verdict(exercise: Exercise, cases: list[tuple], answer: Any, why_none: str) -> Verdict:
    try:
        outcomes = [
            Outcome(_checked(o["value"]), str(o["problem"]), str(o["changed"]), bool(o["not_filled_in"]))
            for o in answer
        ]
        if isinstance(exercise, Value):
            first = outcomes[0]
            return Verdict("wrong", first.problem) if first.problem else exercise.check(first.value)
        complete = len(outcomes) == len(cases) or (0 < len(outcomes) < len(cases) and outcomes[-1].problem)
        return exercise.judge(cases, outcomes) if complete else Verdict("wrong", why_none)
    except Exception:
        return Verdict("wrong", why_none)


def _checked(value: Any, depth: int = 0) -> Plain:
    """A value from the child, if it is plain data."""
    if isinstance(value, list) and depth < 8:
        return [_checked(item, depth + 1) for item in value]
    if isinstance(value, int | float):
        return float(value)
    if value is None or isinstance(value, str):
        return value
    raise TypeError("no plain data")


def sent(argument: Any) -> Any:
    """An argument in the form in which it is sent to a child."""
    if isinstance(argument, dict):
        return {"task": {key: sent(item) for key, item in argument.items()}}
    if isinstance(argument, np.ndarray):
        return {"array": argument.tolist(), "dtype": argument.dtype.name}
    if isinstance(argument, Implementation):
        return {"source": argument.source}
    return argument.item() if isinstance(argument, np.generic) else argument


def _as_python(source: str) -> str:
    """IPython's syntax (`%timeit`, `!ls`, `np.mean?`) as the calls that IPython makes of it, for `worker._Shell`."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return TransformerManager().transform_cell(source)
    except SyntaxError:
        return source  # it raises in its own cell, as in the notebook
