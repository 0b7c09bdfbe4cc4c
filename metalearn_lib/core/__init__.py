"""What every learner is built on: networks as functions of their weights, the update rule, tasks, checks, training."""
