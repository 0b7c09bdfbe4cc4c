"""nbgrader's `autograde`, with our own process instead of a kernel that the submission shares with its grader."""

import secrets
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from traitlets import Integer, Unicode

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.verdict import Verdict
from metalearn_course.exercises.grading.grade import grade
from metalearn_lib.core.extras import import_extra

if TYPE_CHECKING:
    from nbgrader.preprocessors import NbGraderPreprocessor
else:
    NbGraderPreprocessor = import_extra("nbgrader.preprocessors", "class").NbGraderPreprocessor


def graded(grade_id: str, locked: bool = False, solution: bool = False, points: int = 0) -> dict:
    """nbgrader's own metadata of a cell.

    Args:
        grade_id: its name.
        locked: whether nbgrader restores what stands in it.
        solution: whether it is the learner's.
        points: what it is worth.

    Returns:
        The metadata.
    """
    kind = {"grade": bool(points), "locked": locked, "solution": solution, "task": False}
    return {"nbgrader": {"grade_id": grade_id, **kind, **({"points": points} if points else {}), "schema_version": 3}}


class RestoreCells(NbGraderPreprocessor):
    """Brings back what the notebook was handed out with, apart from the answers.

    Of a submitted cell only its source and its name are believed. Metadata that nbgrader cannot read would end the
    grading of the whole class; a check cell that is gone, or doubled, or is no code any more, comes back once.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with the cells' own metadata, and with each check once."""
        chapter = _chapter(resources)
        restored = {"start": graded("start", locked=True)}
        for name in chapter.exercises:
            restored[f"{name}-answer"] = graded(f"{name}-answer", solution=True)
            restored[f"{name}-check"] = graded(f"{name}-check", locked=True, points=1)
        for cell in nb.cells:
            known = cell.cell_type == "code" and _grade_id(cell) in restored
            cell.metadata = NotebookNode(restored.pop(_grade_id(cell)) if known else {})
        for name, exercise in chapter.exercises.items():
            if metadata := restored.get(f"{name}-check"):
                source = f"{name}.check({exercise.target(name)})"
                nb.cells.append(new_code_cell(source, metadata=metadata))
        return nb, resources


class GradeOutside(NbGraderPreprocessor):
    """Runs no cell here: `grading.grade` does, and each check cell gets its verdict as output.

    Takes the place of nbgrader's `Execute`. What learners made of the check cells does not matter: the points depend
    on their answers.
    """

    seed = Integer(help="fixes the hidden cases; by default other ones in every run").tag(config=True)

    user = Unicode(None, allow_none=True, help="the account that submissions run as, if root grades").tag(config=True)

    def _seed_default(self) -> int:
        return secrets.randbits(62)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with a verdict below every check."""
        chapter = _chapter(resources)
        checks = {f"{name}-check": name for name in chapter.exercises}
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        own = [cell.source for cell in code if _grade_id(cell) not in checks]
        verdicts = grade(own, chapter, self.seed, self.user)
        for cell in code:
            if name := checks.get(_grade_id(cell)):
                cell.outputs = [_output(verdicts[name])]
        return nb, resources


def _chapter(resources: dict) -> Chapter:
    return next(chapter for chapter in all_chapters() if chapter.name == resources["nbgrader"]["assignment"])


def _grade_id(cell: NotebookNode) -> str:
    """The name of a cell, whatever a submission made of its metadata."""
    of_nbgrader = cell.metadata.get("nbgrader")
    return str(of_nbgrader.get("grade_id")) if isinstance(of_nbgrader, dict) else ""


def _output(verdict: Verdict) -> NotebookNode:
    """To nbgrader an error is no point, and anything else is all of them."""
    if verdict.kind == "pass":
        return new_output("display_data", {"text/plain": repr(verdict), "text/html": verdict._repr_html_()})
    return new_output("error", ename=verdict.kind, evalue=verdict.text, traceback=[repr(verdict)])
