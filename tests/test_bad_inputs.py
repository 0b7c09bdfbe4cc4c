"""Wrong arguments: each is refused at once, in one sentence that names it, and nothing has changed.

The rows are in `tests/bad_inputs`, one module for each room. Core and learners have tests of their own.
"""

import inspect
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import metalearn_lib as ml
from tests.bad_inputs import acting, evaluation, images, memory, networks, plots, tasks
from tests.bad_inputs.rows import Row

PACKAGE = Path(ml.__file__).parent
MODULES = (tasks, images, memory, evaluation, plots, networks, acting)
ROWS = [row for module in MODULES for line in module.TABLE for row in line]
REFUSED = (ValueError, TypeError, FileNotFoundError, IndexError, KeyError)

# What nobody calls with arguments of their own: results that the library makes, and types.
RESULTS = {"Entry", "Recollection", "Rollout", "MetaBatch", "Task", "Policy", "Tuned", "ClaimError"}
# Called by `roll_out` and by Keras, most of them in a graph; and Keras's own convolution.
INSIDE = {"start", "step", "draw", "choose", "index", "call", "train_step", "TaskConv2D", "check_task"}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_wrong_argument_gets_one_sentence_that_names_it(row: Row) -> None:
    begun = time.monotonic()
    with pytest.raises(REFUSED) as caught:
        row.call(**row.arguments)
    assert time.monotonic() - begun < 5
    sentence = str(caught.value)
    assert "\n" not in sentence and len(sentence) < 300
    assert re.search(rf"(?<!\w){row.named}(?!\w)", sentence), sentence
    assert PACKAGE in Path(caught.traceback[-1].path).parents, f"{sentence}, raised in {caught.traceback[-1].path}"


def test_there_are_many_rows() -> None:
    distinct = {(row.call.__qualname__, row.tried, repr(row.arguments[row.tried])) for row in ROWS}
    assert len(distinct) > 1_000


def public() -> Iterator[Callable]:
    """Every function, class and method that the rooms offer."""
    rooms = (ml.tasks, ml.images, ml.memory, ml.evaluation, ml.acting)
    found = [(name, getattr(room, name)) for room in rooms for name in room.__all__] + [("audit", ml.audit)]
    for room in (ml.plots, ml.networks):
        own = [
            (name, thing) for name, thing in vars(room).items() if inspect.isroutine(thing) or inspect.isclass(thing)
        ]
        found += [(name, thing) for name, thing in own if thing.__module__.startswith(room.__name__)]
    for name, thing in found:
        if name[0] != "_" and name not in RESULTS | INSIDE:
            yield thing
            methods = vars(thing).items() if inspect.isclass(thing) else ()
            yield from (m for name, m in methods if inspect.isfunction(m) and name not in INSIDE and _offered(name))


def _offered(method: str) -> bool:
    return method[0] != "_" or method in ("__call__", "__getitem__", "__sub__")


@pytest.mark.parametrize("function", list(public()), ids=lambda function: function.__qualname__)
def test_every_argument_is_tried(function: Callable) -> None:
    parameters = inspect.signature(function).parameters.values()
    arguments = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}
    tried = {row.tried for row in ROWS if row.call.__qualname__ == function.__qualname__}
    assert tried == arguments


def state(memory: ml.Memory) -> tuple[Any, ...]:
    arrays = [array for entry in memory for array in (*entry.weights, entry.support_x, entry.support_y)]
    return repr(memory), [array.tobytes() for array in arrays], memory._rows.header()


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_refused_call_leaves_a_memory_as_it_was(on_disk: bool, tmp_path: Path) -> None:
    made = ml.Memory(tmp_path / "memory" if on_disk else None)
    for row in memory.FIRST:
        with pytest.raises(REFUSED):
            made.store(**row.arguments)
    assert len(made) == 0 and not (tmp_path / "memory").exists()
    made.store(memory.THETA, memory.X, memory.Y)
    before = state(made)
    for row in (row for line in memory.LATER for row in line):
        with pytest.raises(REFUSED):
            getattr(made, row.call.__name__)(**row.arguments)
    assert state(made) == before
    made.store(memory.THETA, memory.X, memory.Y)
    assert len(made) == 2
