"""Users as tasks: ratings of films."""
