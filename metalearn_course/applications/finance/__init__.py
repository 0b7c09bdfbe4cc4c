"""Assets as tasks: returns explained by factors."""
