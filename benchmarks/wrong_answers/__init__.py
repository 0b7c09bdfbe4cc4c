"""How many plausible wrong answers the checks name."""
