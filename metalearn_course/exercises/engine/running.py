"""Runs a learner's function, and returns values or a sentence, whatever the function does.

It runs in a thread of this process, because it may use anything in the notebook. Loops are stopped, output is cut,
exceptions and `SystemExit` are caught. A C function that never returns blocks the interpreter and is not stopped:
grading runs answers in a process of their own.
"""

import contextlib
import copy
import ctypes
import inspect
import io
import linecache
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from metalearn_course.exercises.engine.values import NoAnswerError, Plain, plain

SECONDS = 4.0
MOST_OUTPUT = 20_000
MOST_SHOWN = 1_000

_raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc  # at import: later on grading forbids ctypes


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call: a value, or a sentence that says why there is none.

    Args:
        value: the result as plain data.
        problem: a sentence, if there is no value.
        changed: the name of an argument that the call changed in place.
        not_filled_in: whether `NotImplementedError` was raised.
    """

    value: Plain = None
    problem: str = ""
    changed: str = ""
    not_filled_in: bool = False


class _Stop(BaseException):
    """Raised in a thread whose time is over, or which prints too much."""


class _Sink(io.TextIOBase):
    """Accepts output up to a limit, and shows the beginning of the output of the first case."""

    def __init__(self, screen: TextIO) -> None:
        self.length = 0
        self.screen: TextIO | None = screen

    def write(self, text: str) -> int:
        self.length += len(text)
        if self.length > MOST_OUTPUT:
            raise _Stop
        if self.screen and self.length <= MOST_SHOWN:
            self.screen.write(text)
        return len(text)


def run(function: Callable, cases: list[tuple], seconds: float | None = None) -> list[Outcome]:
    """One outcome for each case; the first problem ends the run.

    Args:
        function: takes the arguments of a case, in order.
        cases: the arguments of each call.
        seconds: for all calls together, by default `SECONDS`.

    Returns:
        As many outcomes as there are cases, or fewer, of which the last has a problem.
    """
    seconds = SECONDS if seconds is None else seconds
    outcomes: list[Outcome] = []
    sink = _Sink(sys.stdout)

    def work() -> None:
        for arguments in cases:
            outcomes.append(_call(function, arguments))
            sink.screen = None
            if outcomes[-1].problem:
                return

    thread = threading.Thread(target=_quietly, args=(work,), daemon=True)
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        thread.start()
        try:
            thread.join(seconds)
        finally:
            _stop(thread)
    outcomes = outcomes[: len(cases)]
    if sink.length > MOST_OUTPUT:
        return [
            *_good(outcomes),
            Outcome(problem="It prints without end; remove the print (of Keras with `verbose=0`), or end its loop."),
        ]
    if len(outcomes) < len(cases) and not (outcomes and outcomes[-1].problem):
        stuck = " It could not be stopped: restart the kernel." if thread.is_alive() else ""
        problem = f"It was still running after {seconds:g} seconds: does its loop end?{stuck}"
        return [*outcomes, Outcome(problem=problem)]
    return outcomes


def _stop(thread: threading.Thread) -> None:
    """End a thread that runs Python; with several attempts, since it may catch the exception."""
    for _ in range(100):
        if thread.ident is None or not thread.is_alive():
            return
        _raise_in_thread(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stop))
        thread.join(0.005)


def _good(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not outcome.problem]


def _quietly(work: Callable[[], None]) -> None:
    with contextlib.suppress(BaseException):
        work()


def _call(function: Callable, arguments: tuple) -> Outcome:
    given = copy.deepcopy(tuple(arguments))
    before = _plain_or_none(given)
    try:
        value = plain(function(*given))
    except _Stop:
        raise
    except NotImplementedError:
        return Outcome(problem="It is not filled in yet.", not_filled_in=True)
    except NoAnswerError as error:
        return Outcome(problem=f"This cannot be checked: {error}.")
    except BaseException as error:
        return Outcome(problem=_sentence(error, function))
    return Outcome(value, changed=_changed(function, before, _plain_or_none(given)))


def _plain_or_none(arguments: tuple) -> list[Plain]:
    return [_or_none(argument) for argument in arguments]


def _or_none(argument: Any) -> Plain:
    try:
        return plain(argument)
    except NoAnswerError:
        return None


def _changed(function: Callable, before: list[Plain], after: list[Plain]) -> str:
    names = list(inspect.signature(function).parameters)
    return next((name for name, old, new in zip(names, before, after, strict=False) if repr(old) != repr(new)), "")


def _sentence(error: BaseException, function: Callable) -> str:
    """The exception, and its place in the learner's own code."""
    if isinstance(error, SystemExit):
        return "It ends the program (SystemExit); take that out, and return the result instead."
    with contextlib.suppress(Exception):
        text = " ".join(str(error).split())[:200]
        file = function.__code__.co_filename
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file and f.lineno]
        source = linecache.getline(file, lines[-1]).strip() if lines else ""
        where = f", in the line `{source}`" if source else ""
        return f"It raised {type(error).__name__}{': ' * bool(text)}{text}{where}."
    return "It raised an exception that cannot even be shown."


def is_empty(function: Callable) -> bool:
    """Whether a function has no statement but its docstring."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_code not in {_documented.__code__.co_code, _bare.__code__.co_code}:
        return False
    return all(constant is None or constant == function.__doc__ for constant in code.co_consts)


def _documented() -> None:
    """Nothing else."""


def _bare() -> None: ...
