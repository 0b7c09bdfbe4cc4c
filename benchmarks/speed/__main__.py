"""Time this library beside JAX and PyTorch, on the same mathematics.

    python -m benchmarks.speed [NAME ...] [--rounds N] [--seconds S]

Runs the named workloads, all of them if none is named, through `fit` and `predict`. The others need
`pip install .[peers]`. First all frameworks compute in float64 from the same weights on the same tasks, and have to
agree. Then each runs in a process of its own and they take turns, so that what else the machine does hits all alike.
Each workload keeps its row in `results.json` in this folder, from which the tables in the README are made anew.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.speed.measuring import disagreement, timed
from benchmarks.speed.tables import drawing_table, section, table
from benchmarks.speed.workloads import DRAWN, FRAMEWORKS, OURS, WORKLOADS

ROWS = Path(__file__).with_name("results.json")
# A bias before batch normalisation has no gradient but rounding, 1e-16, and Adam divides that by its ε of 1e-7.
AGREEMENT = 1e-7


def measure(name: str, rounds: int, seconds: float) -> dict:
    """One workload's row, as it is kept."""
    if name in DRAWN:
        work = DRAWN[name]
        with_and_without = {
            "memory": (OURS, work),
            "drawn": (OURS, replace(work, drawn=True)),
            "alone": (OURS, replace(work, method="drawing")),
        }
        return timed(with_and_without, rounds, seconds)
    work = WORKLOADS[name][0]
    apart = disagreement(work)
    print(f"{name}: in float64 the frameworks differ by {apart:.0e} of the way that the weights move", flush=True)
    if not apart < AGREEMENT:
        raise ValueError(f"{name}: the frameworks differ by {apart:.0e} in float64, expected less than {AGREEMENT:.0e}")
    return {"apart": apart, **timed({framework: (framework, work) for framework in FRAMEWORKS}, rounds, seconds)}


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    names = [*WORKLOADS, *DRAWN]
    parser = argparse.ArgumentParser("python -m benchmarks.speed", description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="; ".join(names))
    parser.add_argument("--rounds", type=int, default=9, help="turns of each framework (%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of a turn (%(default)s)")
    given = parser.parse_args(arguments)
    unknown = next((name for name in given.names if name not in names), None)
    if unknown:
        sys.exit(f"NAME is {unknown!r}, expected one of {', '.join(map(repr, names))}")
    for name in given.names or names:
        row = measure(name, given.rounds, given.seconds)
        report.keep_row(ROWS, name, row)
        print(table({name: row}) or drawing_table({name: row}), flush=True)
    report.write("speed", section(report.read_rows(ROWS)))


if __name__ == "__main__":
    main()
