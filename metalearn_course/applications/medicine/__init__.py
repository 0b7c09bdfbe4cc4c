"""Patients as tasks: concentrations of a drug over time."""
