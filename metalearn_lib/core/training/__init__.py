"""How learners are trained: compiled loops, resuming, divergence, a progress bar."""
