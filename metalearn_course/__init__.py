"""The course around metalearn_lib: exercises with their grading, and the applications of chapter 6."""
