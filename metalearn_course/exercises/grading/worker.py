"""The child process of `grade`: runs submitted cells, calls the answers they define, and reports plain data.

`grade` does not trust its reports, and compares by itself. It knows no solution, and cannot open the files with them.
"""

import ast
import asyncio
import contextlib
import ctypes
import dataclasses
import inspect
import json
import os
import signal
import sys
import types
from typing import Any


def main() -> None:
    """Read a job from standard input, and report on standard output."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with the process that grades
    job = json.load(sys.stdin)
    sys.path.insert(0, job["path"])
    from metalearn_course.exercises.engine import running, values

    running.SECONDS = float(job["seconds"])
    report = os.fdopen(os.dup(1), "w", buffering=1)
    nothing = open(os.devnull, "w")  # noqa: SIM115 - stays open to the end
    os.dup2(nothing.fileno(), 1)
    _limit(job["bytes"], job["output"])
    _hide_solutions(job["chapter"])
    _watch(job["hidden"])
    names = _names()
    for step in job["steps"]:
        print(json.dumps({"what": "started", "number": step["number"]}), file=report)
        outcomes = _cell(step, names) if step["kind"] == "cell" else _answer(step, names, running, values)
        print(json.dumps({"what": "done", "number": step["number"], "outcomes": outcomes}), file=report)
    report.flush()
    os._exit(0)  # even if threads are left


class _Shell:
    """What `get_ipython()` gives: magics that run code run it, all others do nothing, as nobody looks at the output."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """`%%time` and its like run their cell; `%%bash`, `%%writefile` and the others do nothing."""
        if name in ("time", "timeit", "capture", "prun"):
            exec(compile(cell, "<cell>", "exec"), self._names)

    def run_line_magic(self, name: str, line: str) -> Any:
        """`%time f(x)` gives what the expression gives."""
        if name != "time":
            return None
        try:
            return eval(compile(line, "<cell>", "eval"), self._names)
        except SyntaxError:
            exec(compile(line, "<cell>", "exec"), self._names)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: None


def _names() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *objects, **options: None}
    shell = _Shell(names)
    names["get_ipython"] = lambda: shell
    return names


def _cell(step: dict, names: dict[str, Any]) -> None:
    with contextlib.suppress(BaseException):  # as in a notebook, the next cell runs all the same
        code = _compiled(step["source"])
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, names))
        else:
            exec(code, names)


def _compiled(source: str) -> types.CodeType:
    """A cell as IPython compiles it: `%timeit`, `!ls` and `np.mean?` are calls of `_Shell`."""
    try:
        return compile(source, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # takes a while, and few cells need it

        source = TransformerManager().transform_cell(source)
        return compile(source, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _answer(step: dict, names: dict[str, Any], running: types.ModuleType, values: types.ModuleType) -> list[dict]:
    blank = running.Outcome(problem="It is not filled in yet.", not_filled_in=True)
    answer = names.get(step["name"])
    if step["kind"] == "value":
        outcomes = running.run(lambda: answer, [()])
    elif answer is None or running.is_empty(answer):
        outcomes = [blank]
    elif not callable(answer):
        outcomes = [running.Outcome(problem=f"It is a {type(answer).__name__}, expected a function.")]
    else:
        outcomes = running.run(
            answer, [tuple(_received(a) for a in case) for case in step["cases"]], step.get("seconds")
        )
    return [dataclasses.asdict(outcome) for outcome in outcomes]


def _received(argument: Any) -> Any:
    import numpy as np

    if not isinstance(argument, dict):
        return argument
    if "task" in argument:
        return {key: _received(item) for key, item in argument["task"].items()}
    if "array" in argument:
        return np.array(argument["array"], argument["dtype"])
    names: dict[str, Any] = {"np": np}
    exec(argument["source"], names)  # as `catch.compiled`, which is hidden here
    return names["implementation"]


def _limit(memory: int, output: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows has no such limits
    for limit, value in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_FSIZE, output), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))


class _Nothing(types.ModuleType):
    """A stand-in for a module or an exercise, which does nothing."""

    def __getattr__(self, name: str) -> "_Nothing":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name)

    def __call__(self, *arguments: Any, **options: Any) -> None:
        return None


def _hide_solutions(chapter: str) -> None:
    for name in [name for name in sys.modules if name.startswith("metalearn_course.exercises")]:
        sys.modules[name] = _Nothing(name)
    for part in ("", ".engine", ".chapters", f".chapters.{chapter}"):
        name = f"metalearn_course.exercises{part}"
        sys.modules[name] = _Nothing(name)
    sys.modules["metalearn_course"].__dict__["exercises"] = sys.modules["metalearn_course.exercises"]


def _watch(hidden: list[str]) -> None:
    """Forbid submitted code to open the solutions, change files that are not its own, or reach beyond this process."""
    own = os.path.realpath(os.getcwd())
    hidden = [*map(os.path.realpath, hidden), f"/proc/{os.getppid()}"]
    real, decode, separator, writing = os.path.realpath, os.fsdecode, os.sep, os.O_WRONLY | os.O_RDWR | os.O_CREAT
    beyond = (
        "subprocess.",
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "os.spawn",
        "os.kill",
        "socket.connect",
        # Ways around this hook.
        "ctypes.",
        "gc.",
        "cpython.PyInterpreterState_New",
    )
    changing = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod")

    def inside(path: str, folder: str) -> bool:
        return path == folder or path.startswith(folder + separator)

    def allowed(path: Any, to_change: bool) -> bool:
        if not isinstance(path, str | bytes):
            return True
        path = real(decode(path))
        if to_change:
            return inside(path, own) or inside(path, "/dev")
        return not any(inside(path, folder) for folder in hidden)

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            fine = allowed(arguments[0], False) and (not arguments[2] & writing or allowed(arguments[0], True))
        elif event.startswith(changing):
            fine = all(allowed(argument, True) for argument in arguments)
        else:
            fine = not event.startswith(beyond)
        if not fine:
            raise PermissionError("not while grading")

    with contextlib.suppress(ImportError):  # starts programs without an audit event
        import _posixsubprocess

        _posixsubprocess.fork_exec = None
    sys.addaudithook(hook)


if __name__ == "__main__":
    try:
        main()
    finally:
        os._exit(2)  # otherwise it would wait for the threads of a submission
