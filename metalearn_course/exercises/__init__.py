"""Exercises: the engine that checks an answer, the chapters that declare them, and the grading of a class."""
