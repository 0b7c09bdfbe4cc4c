"""Submissions that mean no good: nbgrader grades a class of them, and each must get its grade.

Every file in submissions/ has three answers. `one_update` and `two_curvatures` are right; `update` is where the harm
is done, unless a cell of its own does it. The solved notebook and the blank one are with them, and a file that is no
notebook at all.
"""

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from metalearn_course.exercises.chapters.mathematics import chapter
from metalearn_course.exercises.engine.running import Outcome
from metalearn_course.exercises.engine.values import plain

pytestmark = pytest.mark.slow
EXERCISES = Path(__file__).resolve().parents[3] / "exercises"
SUBMISSIONS = Path(__file__).with_name("submissions")
NAME = chapter.name
SECONDS = 3  # for a cell or an answer, instead of 15
WORKER = os.fsencode(Path("grading", "worker.py"))  # part of the child's command line
UNHARMED, WITHOUT_UPDATE = {"one_update", "update", "two_curvatures"}, {"one_update", "two_curvatures"}

GRADES = {
    # A cell of the learner's own, with right answers after it.
    "cell_raises": UNHARMED,
    "cell_ends_the_program": UNHARMED,
    "cell_ends_it_at_once": UNHARMED,
    "cell_loops": UNHARMED,
    "cell_leaves_threads": UNHARMED,
    "cell_starts_threads_without_end": set(),  # they stay, and leave no memory for what comes after
    "cell_forks_without_end": UNHARMED,
    "cell_starts_processes": UNHARMED,
    "cell_with_magics": UNHARMED,
    "cell_writes_its_own_file": UNHARMED,
    "cell_makes_deep_folders": UNHARMED,
    "cell_of_empty_lines": UNHARMED,  # 150,000 of them: `course` adds them
    "text_with_a_script": UNHARMED,
    "cell_deletes_the_imports": WITHOUT_UPDATE,
    # An answer that never comes.
    "answer_loops": WITHOUT_UPDATE,
    "answer_loops_and_catches": WITHOUT_UPDATE,
    "answer_loops_in_c": WITHOUT_UPDATE,
    "answer_ends_the_program": WITHOUT_UPDATE,
    "answer_ends_it_at_once": WITHOUT_UPDATE,
    "answer_aborts": WITHOUT_UPDATE,
    "answer_segfaults": WITHOUT_UPDATE,
    "answer_recurses_without_end": WITHOUT_UPDATE,
    "answer_reads_address_zero": WITHOUT_UPDATE,
    "answer_takes_all_memory": WITHOUT_UPDATE,
    "answer_prints_without_end": WITHOUT_UPDATE,
    "answer_writes_a_huge_file": WITHOUT_UPDATE,
    "answer_gives_a_huge_array": WITHOUT_UPDATE,
    "answer_is_no_plain_data": {"two_curvatures"},
    # A right answer that reaches beyond its process.
    "answer_starts_a_program": WITHOUT_UPDATE,
    "answer_writes_elsewhere": WITHOUT_UPDATE,
    # A wrong answer that is to get its point all the same.
    "comparison_patched": WITHOUT_UPDATE,
    "check_patched": WITHOUT_UPDATE,
    "checks_edited": WITHOUT_UPDATE,
    "checks_are_text": WITHOUT_UPDATE,
    "checks_doubled": WITHOUT_UPDATE,
    "points_raised": WITHOUT_UPDATE,
    "report_forged": {"one_update"},
    "report_flooded": WITHOUT_UPDATE,
    "public_cases_learned_by_heart": WITHOUT_UPDATE,
    # Somebody else's answer.
    "solution_imported": WITHOUT_UPDATE,
    "solution_imported_anew": WITHOUT_UPDATE,
    "solution_read": WITHOUT_UPDATE,
    "solution_searched_in_memory": WITHOUT_UPDATE,
    "notebook_with_solutions_read": WITHOUT_UPDATE,
    "hook_left_behind": WITHOUT_UPDATE,
    # Right answers in a notebook that was tampered with.
    "checks_deleted": UNHARMED,
    "metadata_from_the_future": UNHARMED,
    # The whole notebook.
    "solved": set(chapter.exercises),
    "blank": set(),
    "no_notebook": set(),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class in which everybody has handed in, graded with the commands of docs/teaching.md."""
    folder = tmp_path_factory.mktemp("course")
    solved = EXERCISES / "source" / NAME / f"{NAME}.ipynb"
    shutil.copytree(solved.parent, folder / "source" / NAME)
    config = (EXERCISES / "nbgrader_config.py").read_text(encoding="utf-8")
    sooner = f"\nfrom metalearn_course.exercises.grading import outside\n\noutside.STEP_SECONDS = {SECONDS}\n"
    (folder / "nbgrader_config.py").write_text(config + sooner, encoding="utf-8")
    for path in [*SUBMISSIONS.glob("*.ipynb"), solved, EXERCISES / f"{NAME}.ipynb"]:
        student = {solved: "solved", EXERCISES / f"{NAME}.ipynb": "blank"}.get(path, path.stem)
        text = path.read_text(encoding="utf-8")
        hand_in(folder, student, text.replace('"%time"', json.dumps("%time\n" + "\n" * 150_000)))
    hand_in(folder, "no_notebook", "{")

    nbgrader(folder, "generate_assignment", NAME)
    log = nbgrader(folder, "autograde", NAME, status=1)
    assert log.count("There was an error processing assignment '") == 1 and "for student 'no_notebook'" in log
    nbgrader(folder, "generate_feedback", NAME)
    nbgrader(folder, "export", "--to=grades.csv")
    return folder


def hand_in(folder: Path, student: str, notebook: str) -> None:
    target = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text(notebook, encoding="utf-8")


def nbgrader(folder: Path, *arguments: str, status: int = 0) -> str:
    # nbgrader looks for its database tool on the path.
    activated = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    run = subprocess.run(command, cwd=folder, env=activated, capture_output=True, text=True, timeout=600)
    assert run.returncode == status, run.stderr
    return run.stderr


def passed(course: Path, student: str) -> set[str]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(NAME, NAME, student).grades
        assert {grade.max_score for grade in grades} == {1} and len(grades) == len(chapter.exercises)
        return {grade.name.removesuffix("-check") for grade in grades if grade.score == grade.max_score}


def test_every_submission_has_its_grade_in_the_table() -> None:
    assert {path.stem for path in SUBMISSIONS.glob("*.ipynb")} == set(GRADES) - {"solved", "blank", "no_notebook"}


STEAL_A_SOLUTION = [
    "solution_imported",
    "solution_imported_anew",
    "solution_read",
    "solution_searched_in_memory",
    "notebook_with_solutions_read",
    "hook_left_behind",
]


@pytest.mark.parametrize("student", STEAL_A_SOLUTION)
def test_without_protection_it_would_get_its_point(student: str, tmp_path: Path) -> None:
    """Else such a submission fails for another reason, for example because it searches where nothing is any more."""
    cells = json.loads((SUBMISSIONS / f"{student}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    # Another name, so that the check is the exercise's own, whatever the submission did to `chapter`.
    sources.append(
        "from metalearn_course.exercises.chapters.mathematics.update import update_exercise as own\n"
        "print(own.check(update))"
    )
    program = tmp_path / "submission.py"
    program.write_text("\n".join(sources), encoding="utf-8")
    own = {"PYTHONPATH": str(EXERCISES.parent), "PYTHONUTF8": "1"}
    command = [sys.executable, str(program)]
    run = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **own}, capture_output=True, text=True, encoding="utf-8"
    )
    assert "✔ Right." in run.stdout, run.stderr


@pytest.mark.parametrize("student", GRADES)
def test_it_gets_its_grade(course: Path, student: str) -> None:
    assert passed(course, student) == GRADES[student]


def test_the_exported_table_has_the_sums(course: Path) -> None:
    with (course / "grades.csv").open() as table:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(table)}
    assert scores == {student: (len(grade), len(chapter.exercises)) for student, grade in GRADES.items()}


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("blank", "Not filled in yet."),
        ("checks_edited", "expected:"),
        ("answer_loops", "does its loop end?"),
        ("answer_aborts", "It ended the program, or needed too much memory."),
        ("answer_prints_without_end", "It prints without end"),
        ("public_cases_learned_by_heart", "Right for the example, but not for other inputs."),
    ],
)
def test_the_feedback_says_why(course: Path, student: str, said: str) -> None:
    assert said in (course / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")


def test_a_script_is_shown_and_does_not_run(course: Path) -> None:
    page = (course / "feedback" / "text_with_a_script" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;document.title" in page and "<script>document.title" not in page


def test_no_feedback_page_is_long(course: Path) -> None:
    lengths = {path.parts[-3]: path.stat().st_size for path in (course / "feedback").rglob("*.html")}
    of_itself = lengths["blank"]
    assert {student for student, length in lengths.items() if length > of_itself + 400_000} == set()


def test_what_was_learned_by_heart_passes_the_public_check() -> None:
    """So it is the hidden cases that tell."""
    cells = json.loads((SUBMISSIONS / "public_cases_learned_by_heart.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict = {}
    exec("".join(next(cell["source"] for cell in cells if cell["id"] == "update-answer")), names)
    public, hidden = chapter.update.cases(), chapter.update.cases(2026)
    assert chapter.update.judge(public, [Outcome(plain(names["update"](*case))) for case in public]).kind == "pass"
    assert chapter.update.judge(hidden, [Outcome(plain(names["update"](*case))) for case in hidden]).kind == "wrong"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_nothing_is_left_running(course: Path) -> None:
    left = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (path / "cmdline").read_bytes()
            outlived_its_folder = os.readlink(path / "cwd").endswith(" (deleted)")
            if b"sleep\0004321" in command or (WORKER in command and outlived_its_folder):
                left.append(command)
    assert not left
