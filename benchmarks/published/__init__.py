"""How close the library comes to what papers report."""
