"""The exercises as a course for nbgrader; its commands are run in this folder."""

c = get_config()  # noqa: F821 - nbgrader's

c.CourseDirectory.course_id = "metalearn"
# A comment, so that a notebook that is not filled in runs: the checks say that nothing is there yet.
c.ClearSolutions.code_stub = {"python": "# your answer here"}
