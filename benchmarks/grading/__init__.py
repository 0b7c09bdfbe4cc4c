"""How long nbgrader takes for a class."""
