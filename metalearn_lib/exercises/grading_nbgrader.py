"""nbgrader's `autograde`, with our own process instead of a kernel that the submission shares with its grader."""

import secrets

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

from metalearn_lib.exercises.chapters import CHAPTERS
from metalearn_lib.exercises.grading import grade
from metalearn_lib.exercises.verdict import Verdict


class GradeOutside(NbGraderPreprocessor):
    """Runs no cell here: `grading.grade` does, and each check cell gets its verdict as output.

    Takes the place of nbgrader's `Execute`. What learners made of the check cells does not matter: the points depend
    on their answers, and a check cell that is gone comes back.
    """

    seed = Integer(help="fixes the hidden cases; by default other ones in every run").tag(config=True)

    def _seed_default(self) -> int:
        return secrets.randbits(62)

    def preprocess(self, notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with a verdict below every check."""
        chapters = {chapter.name: chapter for chapter in CHAPTERS}
        chapter = chapters[resources["nbgrader"]["assignment"]]
        checks = {f"{name}-check": name for name in chapter.exercises}
        own = [cell for cell in notebook.cells if cell.cell_type == "code" and _grade_id(cell) not in checks]
        verdicts = grade([cell.source for cell in own], chapter, self.seed)
        there = {_grade_id(cell): cell for cell in notebook.cells}
        for grade_id, name in checks.items():
            if grade_id not in there:
                there[grade_id] = _check_cell(grade_id, f"{name}.check({chapter.exercises[name].target(name)})")
                notebook.cells.append(there[grade_id])
            there[grade_id].outputs = [_output(verdicts[name])]
        return notebook, resources


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _check_cell(grade_id: str, source: str) -> NotebookNode:
    kind = {"grade": True, "locked": True, "solution": False, "task": False, "points": 1, "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": grade_id, "cell_type": "code", **kind}})


def _output(verdict: Verdict) -> NotebookNode:
    """To nbgrader an error is no point, and anything else is all of them."""
    if verdict.kind == "pass":
        return new_output("display_data", {"text/plain": repr(verdict), "text/html": verdict._repr_html_()})
    return new_output("error", ename=verdict.kind, evalue=verdict.text, traceback=[repr(verdict)])
