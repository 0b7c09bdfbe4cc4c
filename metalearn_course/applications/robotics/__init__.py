"""Arms of unknown mass and friction as tasks."""
