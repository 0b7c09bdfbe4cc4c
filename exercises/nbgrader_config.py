"""The exercises as a course for nbgrader; its commands are run in this folder."""

from metalearn_course.exercises.grading.collect import AnyName
from metalearn_course.exercises.grading.with_nbgrader import GradeOutside, RestoreCells
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

c = get_config()  # noqa: F821 - nbgrader's

c.CourseDirectory.course_id = "metalearn"
c.ZipCollectApp.collector_plugin = AnyName
# A comment, so that a notebook that is not filled in runs: the checks say so.
c.ClearSolutions.code_stub = {"python": "# your answer here"}
# nbgrader's own lists, apart from the first one of each: `RestoreCells` does more than
# `DeduplicateIds`, and `Execute` runs a submission in the same kernel as its checks.
c.Autograde.sanitize_preprocessors = [
    RestoreCells,
    ClearOutput,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    GradeOutside,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
