"""nbgrader's `autograde`, with a process of our own in place of the kernel that a submission shares with its checks."""

from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from traitlets import Unicode

from metalearn_course.exercises.chapters import all_chapters
from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.engine.verdict import Verdict
from metalearn_course.exercises.grading.verdicts import grade_id, graded_submission, own_cells
from metalearn_lib.core.extras import import_extra

if TYPE_CHECKING:
    from nbgrader.preprocessors import NbGraderPreprocessor
else:
    NbGraderPreprocessor = import_extra("nbgrader.preprocessors", "class").NbGraderPreprocessor


def graded(grade_id: str, locked: bool = False, solution: bool = False, points: int = 0) -> dict:
    """nbgrader's own metadata of a cell.

    Args:
        grade_id: its name.
        locked: whether nbgrader restores its source.
        solution: whether it is the learner's.
        points: its points.

    Returns:
        The metadata.
    """
    kind = {"grade": bool(points), "locked": locked, "solution": solution, "task": False}
    return {"nbgrader": {"grade_id": grade_id, **kind, **({"points": points} if points else {}), "schema_version": 3}}


class RestoreCells(NbGraderPreprocessor):
    """Restores the notebook as it was handed out, apart from the answers.

    Of a submitted cell only its source and its name are used. Metadata that nbgrader cannot read would end the grading
    of the whole class; a check cell that was deleted, doubled, or turned into text is restored once. HTML in a
    learner's text is shown as it was typed: a script of it would run in the feedback page.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with the cells' own metadata, and with each check once."""
        chapter = _chapter(resources)
        restored: dict[str, dict] = {}  # not the start cell: nbgrader would undo what a learner added to it
        for name in chapter.exercises:
            restored[f"{name}-answer"] = graded(f"{name}-answer", solution=True)
            restored[f"{name}-check"] = graded(f"{name}-check", locked=True, points=1)
        prompts = set(chapter.prompts().values())
        for cell in nb.cells:
            if cell.cell_type != "code" and cell.source not in prompts:
                cell.source = cell.source.replace("<", "&lt;")
            known = cell.cell_type == "code" and grade_id(cell) in restored
            cell.metadata = NotebookNode(restored.pop(grade_id(cell)) if known else {})
        for name, exercise in chapter.exercises.items():
            if metadata := restored.get(f"{name}-check"):
                source = f"{name}.check({exercise.target(name)})"
                nb.cells.append(new_code_cell(source, metadata=metadata))
        return nb, resources


class GradeOutside(NbGraderPreprocessor):
    """Runs no cell here: `grade` does, and each check cell gets its verdict as output.

    Takes the place of nbgrader's `Execute`, and uses the verdicts that there are. Changes that learners made to the
    check cells do not matter: the points depend on their answers.
    """

    user = Unicode(None, allow_none=True, help="the account that submissions run as, if root grades").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with a verdict below every check."""
        chapter = _chapter(resources)
        own = own_cells(nb.cells, chapter)
        graded = graded_submission(Path.cwd(), resources["nbgrader"]["student"], chapter, own, self.user)
        checks = {f"{name}-check": name for name in chapter.exercises}
        for cell in nb.cells:
            if cell.cell_type == "code" and (name := checks.get(grade_id(cell))):
                cell.outputs = [_output(graded.verdicts[name])]
        return nb, resources


def _chapter(resources: dict) -> Chapter:
    return next(chapter for chapter in all_chapters() if chapter.name == resources["nbgrader"]["assignment"])


def _output(verdict: Verdict) -> NotebookNode:
    """For nbgrader an error means no points, and any other output all points."""
    if verdict.kind == "pass":
        return new_output("display_data", {"text/plain": repr(verdict), "text/html": verdict._repr_html_()})
    return new_output("error", ename=verdict.kind, evalue=verdict.text, traceback=[repr(verdict)])
