"""Grading finds what the check in the notebook finds, on other cases. Those that mean no good: `test_submissions`."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from metalearn_lib.exercises import concepts
from metalearn_lib.exercises.grading import grade
from metalearn_lib.exercises.mathematics import chapter
from scripts.release import answer_cell

SEED = 20_26
SOLVED = {name: answer_cell(name, exercise) for name, exercise in chapter.exercises.items()}
START = "import numpy as np\nfrom metalearn_lib.exercises.mathematics import chapter, q1, q2, q3, q4, q5, q6"


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


def test_submissions_run_as_the_account_that_root_chooses() -> None:
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("needs root")
    try:
        subprocess.run([sys.executable, "-c", ""], user="nobody", group="nogroup", extra_groups=[], check=True)
    except (OSError, LookupError, subprocess.CalledProcessError):
        pytest.skip("needs a Python that nobody can start")
    source = "import os\nanswer_1 = [1.6, 1.4] if os.getuid() and os.stat('.').st_uid == os.getuid() else 0"
    assert grade([source], chapter, SEED, "nobody")["q1"].kind == "pass"
    assert grade([source], chapter, SEED)["q1"].kind == "wrong"


def test_hidden_cases_are_other_cases() -> None:
    exercise = chapter.exercises["q2"]
    public, hidden = exercise.cases(), exercise.cases(SEED)
    shown: Callable = lambda cases: [repr(case) for case in cases]  # noqa: E731
    assert shown(public) == shown(exercise.cases())
    assert not set(shown(public)[1:]) & set(shown(hidden)[1:])
