"""Grading finds what the check in the notebook finds, on other cases. Those that mean no good: `test_submissions`."""

import json
from pathlib import Path

import pytest

from metalearn_course.exercises.chapters import all_chapters, concepts
from metalearn_course.exercises.chapters.mathematics import chapter
from metalearn_course.exercises.engine import Catch, Chapter, Exercise, Value, training
from metalearn_course.exercises.grading.grade import _verdict, grade
from scripts.release import answer_cell

EXERCISES = Path(__file__).resolve().parents[3] / "exercises"
SEED = 20_26
SOLVED = {name: answer_cell(name, exercise) for name, exercise in chapter.exercises.items()}
START = "import numpy as np\nfrom metalearn_course.exercises.chapters.mathematics import chapter"


def code(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code" and "-check" not in cell["id"]]


@pytest.mark.parametrize("of", all_chapters(), ids=lambda of: of.name)
def test_every_notebook_gets_all_points_solved_and_none_blank(of: Chapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TRAININGS", 1)
    solved = grade(code(EXERCISES / "source" / of.name / f"{of.name}.ipynb"), of, SEED)
    assert [name for name, verdict in solved.items() if verdict.kind != "pass"] == [], solved
    blank = grade(code(EXERCISES / f"{of.name}.ipynb"), of, SEED)
    assert {verdict.kind for verdict in blank.values()} == {"blank"}, blank


def test_a_mistake_is_named_as_in_the_notebook() -> None:
    wrong = SOLVED["update"].replace("theta - alpha", "theta + alpha")
    verdicts = grade([START, *{**SOLVED, "update": wrong}.values()], chapter, SEED)
    assert verdicts["update"].mistake == "uphill"
    assert verdicts["meta_gradient"].kind == "pass"


def test_a_test_that_was_written_is_tried_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TRAININGS", 1)
    answers = {name: answer_cell(name, exercise) for name, exercise in concepts.chapter.exercises.items()}
    imports = "import numpy as np\nimport metalearn_lib as ml"
    start = f"{imports}\nfrom metalearn_course.exercises.chapters.concepts import chapter"
    assert {v.kind for v in grade([start, *answers.values()], concepts.chapter, SEED).values()} == {"pass"}
    blind = "def leaks(sampler):\n    return False"
    verdict = grade([start, *{**answers, "leaks": blind}.values()], concepts.chapter, SEED)["leaks"]
    assert (verdict.kind, verdict.mistake) == ("wrong", "never")


def test_a_submission_meets_no_module_of_the_exercises() -> None:
    """Not in `sys.modules`, and not as the attribute of the package around them."""
    source = """
import sys
import metalearn_course
found = [module for name, module in sys.modules.items() if name.startswith("metalearn_course.")]
found.append(metalearn_course.exercises)
one_update = [1.6, 1.4] if {type(module).__name__ for module in found} == {"_Nothing"} else [len(found), 0]
"""
    assert grade([source], chapter, SEED)["one_update"].kind == "pass"


FUNCTIONS = {
    f"{of.name}-{name}": exercise
    for of in all_chapters()
    for name, exercise in of.exercises.items()
    if not isinstance(exercise, Value | Catch)
}


@pytest.mark.parametrize("exercise", FUNCTIONS.values(), ids=FUNCTIONS)
def test_hidden_cases_are_other_cases(exercise: Exercise) -> None:
    """All but the example: whoever learns the public ones by heart knows none of them."""

    def shown(seed: int) -> list[str]:
        return [repr(case) for case in exercise.cases(seed)]

    assert shown(0) == shown(0) and shown(SEED) == shown(SEED)
    assert not set(shown(0)[1:]) & set(shown(SEED)[1:])


IPYTHON = {
    "a line magic": "%timeit 1 + 1",
    "the shell": "!ls",
    "what the shell prints": "files = !ls",
    "help": "np.mean?",
    "inside a block": "if True:\n    %matplotlib inline\n    right = 1.6",
    "a line that begins with %": "right = (160\n % 100\n - 58.4)",
    "display": "display(np.arange(3))",
    "a cell magic that runs its cell": "%%time\nfound = [1.6, 1.4]",
    "a cell magic that does not": "%%bash\nls",
    "await": "import asyncio\nawait asyncio.sleep(0)\nfound = [1.6, 1.4]",
    "a value of %time": "found = %time [1.6, 1.4]",
}


@pytest.mark.parametrize("cell", IPYTHON.values(), ids=IPYTHON)
def test_what_a_notebook_may_say_counts_as_there(cell: str) -> None:
    """The answer stands below it, or uses what it has made."""
    answer = f"{cell}\none_update = found" if "found =" in cell else f"{cell}\none_update = [1.6, 1.4]"
    sources = [cell, "one_update = found"] if cell.startswith("%%time") else [answer]
    sources = [cell, "one_update = [1.6, 1.4]"] if cell.startswith("%%bash") else sources
    assert grade([START, *sources], chapter, SEED)["one_update"].kind == "pass"


def test_a_forged_report_makes_no_long_page() -> None:
    """A sentence of a submission ends up in its feedback page."""
    long = "x" * 8_000_000
    for forged in (
        {"value": None, "problem": long, "changed": "", "not_filled_in": False},
        {"value": long, "problem": "", "changed": long, "not_filled_in": False},
        {"value": [[long] * 3], "problem": "", "changed": "", "not_filled_in": False},
    ):
        for name, exercise in chapter.exercises.items():
            verdict = _verdict(exercise, exercise.cases(SEED), [forged], "")
            assert verdict.kind == "wrong" and len(verdict.text) < 10_000, name
