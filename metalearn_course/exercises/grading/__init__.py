"""Grading a submission in a process of its own, by itself or behind nbgrader."""
