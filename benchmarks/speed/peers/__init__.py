"""One set of workloads, written in each of the frameworks that are compared."""
