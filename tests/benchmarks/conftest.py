"""The benchmark programs are no package: each finds the others beside it, as when it is run by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
