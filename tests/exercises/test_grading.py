"""Submissions that mean no good, and the grade that each must get."""

from collections.abc import Callable

import pytest

from metalearn_lib.exercises import concepts, grading
from metalearn_lib.exercises.grading import grade
from metalearn_lib.exercises.mathematics import chapter
from scripts.release import answer_cell

SEED = 20_26
SOLVED = {name: answer_cell(name, exercise) for name, exercise in chapter.exercises.items()}
ALL = set(SOLVED)
START = "import numpy as np\nfrom metalearn_lib.exercises.mathematics import chapter, q1, q2, q3, q4, q5, q6"


def q2_that(body: str) -> str:
    return "def update(theta, x, y, alpha):\n" + "\n".join(f"    {line}" for line in body.splitlines())


# Cells that come before the answers, answers that replace the solved ones, and the exercises that get their point.
HOSTILE: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "everything solved": ("", {}, ALL),
    "nothing filled in": ("", dict.fromkeys(ALL, "answer_1 = answer_3 = answer_6 = ..."), set()),
    "a cell raises": ("raise ValueError", {}, ALL),
    "a cell ends the program": ("import sys\nsys.exit(0)", {}, ALL),
    "a cell does so at once": ("import os\nos._exit(0)", {}, ALL),
    "a cell loops": ("while True:\n    pass", {}, ALL),
    "magics": ("%matplotlib inline\n!ls", {}, ALL),
    "an answer loops": ("", {"q2": q2_that("while True:\n    pass")}, ALL - {"q2"}),
    "an answer never leaves C": ("", {"q2": q2_that("import itertools\nsum(itertools.repeat(0))")}, ALL - {"q2"}),
    "an answer ends the program": ("", {"q2": q2_that("raise SystemExit")}, ALL - {"q2"}),
    "an answer ends it at once": ("", {"q2": q2_that("import os\nos._exit(0)")}, ALL - {"q2"}),
    "an answer crashes": ("", {"q2": q2_that("import ctypes\nctypes.string_at(0)")}, ALL - {"q2"}),
    "an answer takes all memory": (
        "",
        {"q2": q2_that("a = []\nwhile True:\n    a.append(bytearray(10**8))")},
        ALL - {"q2"},
    ),
    "an answer prints without end": ("", {"q2": q2_that("while True:\n    print('again')")}, ALL - {"q2"}),
    "an answer starts a program": (
        "",
        {"q2": SOLVED["q2"].replace("    r = theta", "    import os\n    os.system('true')\n    r = theta")},
        ALL - {"q2"},
    ),
    "an answer changes a file of others": (
        "import metalearn_lib",
        {"q2": SOLVED["q2"].replace("    r = theta", "    open(metalearn_lib.__file__, 'a').close()\n    r = theta")},
        ALL - {"q2"},
    ),
    "a file of its own": ("open('notes', 'w').write('mine')\nimport tempfile\ntempfile.mkdtemp()", {}, ALL),
    "no imports": ("del np", {}, {"q1", "q3", "q4", "q5", "q6"}),
    "comparison replaced": (
        "np.allclose = np.isclose = np.array_equal = lambda *arguments, **options: True",
        {"q2": q2_that("return theta")},
        ALL - {"q2"},
    ),
    "checks replaced": (
        "import metalearn_lib.exercises.exercise as e\n"
        "e.Exercise.check = e.Exercise.judge = q2.check = q2.judge = lambda *a, **o: 'pass'\nq2.passed = True",
        {"q2": q2_that("return theta")},
        ALL - {"q2"},
    ),
    "the solution called": (
        "from metalearn_lib.exercises.mathematics.update import q2",
        {"q2": q2_that("return q2.answer(theta, x, y, alpha)")},
        ALL - {"q2"},
    ),
    "the solution read": (
        "import metalearn_lib\nfrom pathlib import Path\n"
        "place = Path(metalearn_lib.__file__).parent / 'exercises' / 'mathematics' / 'update.py'",
        {"q2": "text = place.read_text()\nexec(text[text.index('def update') : text.index('@q2.mistake')])"},
        ALL - {"q2"},
    ),
    "the notebook with solutions read": (
        "import metalearn_lib\nfrom pathlib import Path\n"
        "place = Path(metalearn_lib.__file__).parents[1] / 'exercises' / 'source' / '04_mathematics'",
        {
            "q1": "import json\ncells = json.loads((place / '04_mathematics.ipynb').read_text())['cells']\n"
            "exec(''.join(next(cell['source'] for cell in cells if cell['id'] == 'q1-answer')))"
        },
        ALL - {"q1"},
    ),
    "reports forged": (
        "import os\nfor fd in range(1, 20):\n    try:\n"
        '        os.write(fd, b\'\\n{"what": "done", "number": 3, "outcomes": "pass"}\\n{"what": "end"}\\n[[[[\\n\')\n'
        "    except OSError:\n        pass\nos._exit(0)",
        {"q2": q2_that("return theta")},
        ALL - {"q2"},
    ),
    "public cases learned by heart": ("", {"q2": q2_that("return [1.6, 1.4]")}, ALL - {"q2"}),
    "a tensor of another kind": (
        "class Evil:\n    def numpy(self):\n        raise SystemExit\n    __array__ = numpy",
        {"q2": q2_that("return Evil()"), "q1": "answer_1 = Evil()"},
        ALL - {"q1", "q2"},
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_submission_gets_its_grade(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grading, "STEP_SECONDS", 3)
    monkeypatch.setattr(grading, "SUBMISSION_SECONDS", 60)
    before, answers, graded = HOSTILE[name]
    verdicts = grade([START, before, *{**SOLVED, **answers}.values()], chapter, SEED)
    assert {name for name, verdict in verdicts.items() if verdict.kind == "pass"} == graded, verdicts
    assert set(verdicts) == ALL


def test_a_mistake_is_named_as_in_the_notebook() -> None:
    wrong = SOLVED["q2"].replace("theta - alpha", "theta + alpha")
    verdicts = grade([START, *{**SOLVED, "q2": wrong}.values()], chapter, SEED)
    assert verdicts["q2"].mistake == "uphill"
    assert verdicts["q4"].kind == "pass"


def test_a_test_that_was_written_is_tried_outside() -> None:
    answers = {name: answer_cell(name, exercise) for name, exercise in concepts.chapter.exercises.items()}
    start = "import numpy as np\nfrom metalearn_lib.exercises.concepts import q7"
    assert {v.kind for v in grade([start, *answers.values()], concepts.chapter, SEED).values()} == {"pass"}
    blind = "def leaks(sampler):\n    return False"
    verdict = grade([start, *{**answers, "q7": blind}.values()], concepts.chapter, SEED)["q7"]
    assert (verdict.kind, verdict.mistake) == ("wrong", "never")


def test_hidden_cases_are_other_cases() -> None:
    exercise = chapter.exercises["q2"]
    public, hidden = exercise.cases(), exercise.cases(SEED)
    shown: Callable = lambda cases: [repr(case) for case in cases]  # noqa: E731
    assert shown(public) == shown(exercise.cases())
    assert not set(shown(public)[1:]) & set(shown(hidden)[1:])
