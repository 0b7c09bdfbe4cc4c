"""Time this library beside JAX and PyTorch, on the same mathematics.

    python benchmarks/speed.py [NAME ...] [--rounds N] [--seconds S]

Runs the named workloads, all of them if none is named, through `fit` and `predict`. The others need
`pip install .[peers]`. First all frameworks compute in float64 from the same weights on the same tasks, and have to
agree. Then each runs in a process of its own and they take turns, so that what else the machine does hits all alike.
Each workload keeps its row in `results/speed.json`, from which the tables in the README are made anew.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import report

FOLDER = Path(__file__).parent
sys.path.append(str(FOLDER / "peers"))

from problem import Workload, weights  # noqa: E402

ROWS = FOLDER / "results" / "speed.json"
OURS, *PEERS = FRAMEWORKS = ("metalearn", "jax", "torch")
NAMES = {"metalearn": "this library", "jax": "JAX", "torch": "PyTorch"}
# A bias before batch normalisation has no gradient but rounding, 1e-16, and Adam divides that by its ε of 1e-7.
AGREEMENT = 1e-7
SINUSOID = Workload("maml", "mlp")
OMNIGLOT = Workload("maml", "conv4", tasks=32, shots=1, queries=5, inner_lr=0.4, width=64)
NEW_TASK = replace(SINUSOID, method="adaptation", tasks=1)
NEW_IMAGES = replace(OMNIGLOT, method="adaptation", tasks=1)
PROTOTYPES = replace(OMNIGLOT, method="prototypes", tasks=1, ways=60)
# What is timed, and the most that this library's time may be of a peer's.
WORKLOADS = {
    "MAML, sinusoid, 1 inner step": (SINUSOID, {"jax": 1.2}),
    "MAML, sinusoid, 5 inner steps": (replace(SINUSOID, inner_steps=5), {"jax": 1.2}),
    "MAML, Conv4, second order": (OMNIGLOT, {"jax": 0.8, "torch": 0.5}),
    "MAML, Conv4, first order": (replace(OMNIGLOT, first_order=True), {"jax": 0.8, "torch": 0.5}),
    "prototypical network, 60-way": (PROTOTYPES, {"jax": 0.4, "torch": 0.95}),
    "a new sinusoid, 1 step": (NEW_TASK, {"jax": 1.1}),
    "a new sinusoid, 10 steps": (replace(NEW_TASK, inner_steps=10), {"jax": 1.1}),
    "a new 5-way task, Conv4, 1 step": (NEW_IMAGES, {"jax": 1.1}),
    "a new 5-way task, Conv4, 10 steps": (replace(NEW_IMAGES, inner_steps=10), {"jax": 1.1}),
}
DRAWN = {
    "drawing sinusoids": SINUSOID,
    "drawing 5-way episodes": OMNIGLOT,
    "drawing 60-way episodes": PROTOTYPES,
}


class Worker:
    """A framework in a process of its own, see `peers/worker.py`."""

    def __init__(self, framework: str):
        command = [sys.executable, str(FOLDER / "peers" / "worker.py"), framework]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.version = self._reply()["version"]

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()

    def ask(self, **command: object) -> dict:
        """Send a command and wait for its answer."""
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._reply()

    def result(self) -> np.ndarray:
        """All weights, or the predictions, as one vector."""
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "result.npz")
            self.ask(result=path)
            with np.load(path) as arrays:
                return np.concatenate([arrays[f"arr_{i}"].ravel() for i in range(len(arrays.files))])

    def _reply(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._process.args[1:])} stopped before it answered; its error stands above")
        return json.loads(line)


def disagreement(work: Workload, frameworks: tuple[str, ...] = FRAMEWORKS) -> float:
    """How far the frameworks are apart in float64 after a block of steps, as part of how far the weights moved.

    On fewer tasks and a narrower network, which is the same code.
    """
    small = replace(work, tasks=min(work.tasks, 2), width=min(work.width, 8), dtype="float64")
    if work.network == "conv4":
        small = replace(small, ways=min(work.ways, 6), queries=2)
    results = []
    for framework in frameworks:
        with Worker(framework) as worker:
            left = small.block - worker.ask(prepare=asdict(small))["unit"]
            if left and work.method != "adaptation":
                worker.ask(run=left)
            results.append(worker.result())
    start = 0 if work.method == "adaptation" else np.concatenate([w.ravel() for w in weights(small)])
    return max(float(np.linalg.norm(r - results[0]) / np.linalg.norm(results[0] - start)) for r in results)


def timed(workers: dict[str, tuple[str, Workload]], rounds: int, seconds: float) -> dict[str, dict]:
    """Milliseconds a step of each worker in each round, on the clock and of processor; first call; peak memory.

    Args:
        workers: a framework and what it runs, by name.
        rounds: number of turns of each.
        seconds: length of a turn.
    """
    running, plan, rows = {}, {}, {}
    try:
        for name, (framework, work) in workers.items():
            worker = running[name] = Worker(framework)
            first = worker.ask(prepare=asdict(work))
            steps = first["unit"]
            block = spent = worker.ask(run=steps)["seconds"]
            while spent < seconds / 2:  # a call of `fit` has a cost of its own, so a block does not tell
                steps *= 2
                spent = worker.ask(run=steps)["seconds"]
            plan[name] = steps
            first_call = max(0.0, first["seconds"] - block)
            rows[name] = {"version": worker.version, "first": first_call, "ms": [], "processor": []}
        for turn in range(rounds):
            order = list(running)
            for name in order[turn % len(order) :] + order[: turn % len(order)]:
                spent = running[name].ask(run=plan[name])
                rows[name]["ms"].append(1000 * spent["seconds"] / plan[name])
                rows[name]["processor"].append(1000 * spent["processor"] / plan[name])
        for name, worker in running.items():
            rows[name]["bytes"] = worker.ask(memory=True)["bytes"]
    finally:
        for worker in running.values():
            worker.__exit__()
    return rows


def quartiles(row: dict, ours: str, other: str, kind: str = "ms") -> list[float]:
    """Lower quartile, median and upper quartile of the ratios of `ours` to `other`, paired by round."""
    ratios = [a / b for a, b in zip(row[ours][kind], row[other][kind], strict=True)]
    if len(ratios) == 1:
        return ratios * 3
    return statistics.quantiles(ratios, n=4, method="inclusive")


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


def table(rows: dict[str, dict]) -> str:
    """The README's table of the workloads that have a row."""
    kept = {name: rows[name] for name in WORKLOADS if name in rows}
    if not kept:
        return ""
    lines = [
        "| workload | this library, ms | JAX, ms | PyTorch, ms | ÷ JAX (wanted) | ÷ PyTorch (wanted) "
        "| both by processor time | first call, s | peak memory, MB | apart in float64 |",
        "|" + " --- |" * 10,
    ]
    for name, row in kept.items():
        wanted = WORKLOADS[name][1]
        cells = [name, *(_digits(statistics.median(row[f]["ms"])) for f in FRAMEWORKS)]
        for peer in PEERS:
            low, median, high = quartiles(row, OURS, peer)
            limit = f" (≤ {wanted[peer]})" if peer in wanted else ""
            cells.append(f"{_digits(median)} [{_digits(low)}, {_digits(high)}]{limit}")
        cells.append(" · ".join(_digits(quartiles(row, OURS, peer, "processor")[1]) for peer in PEERS))
        cells.append(" · ".join(f"{row[f]['first']:.1f}" for f in FRAMEWORKS))
        cells.append(" · ".join(f"{row[f]['bytes'] / 1e6:.0f}" for f in FRAMEWORKS))
        cells.append(f"{row['apart']:.0e}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def drawing_table(rows: dict[str, dict]) -> str:
    """The README's table of training with and without the input pipeline."""
    kept = {name: rows[name] for name in DRAWN if name in rows}
    if not kept:
        return ""
    lines = ["| | drawing alone, ms | `fit` while drawing, ms | `fit` from memory, ms | ratio |", "|" + " --- |" * 5]
    for name, row in kept.items():
        times = [_digits(statistics.median(row[part]["ms"])) for part in ("alone", "drawn", "memory")]
        low, median, high = quartiles(row, "drawn", "memory")
        lines.append(f"| {name} | {' | '.join(times)} | {_digits(median)} [{_digits(low)}, {_digits(high)}] |")
    return "\n".join(lines)


def _digits(number: float) -> str:
    """Three digits, none behind the point from a hundred on."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def text(rows: dict[str, dict]) -> str:
    """The section of the README."""
    versions = {row[part]["version"] for row in rows.values() for part in row if part != "apart"}
    intro = (
        f"`python benchmarks/speed.py` on {os.cpu_count()} cores; {', '.join(sorted(versions))}. Milliseconds a step "
        "of `fit` or a call of `predict`, medians over rounds; ratios are medians of those paired by round, with "
        "quartiles. Processor time adds up the cores. "
        "First call, beyond what it takes later, and peak memory: this library · JAX · PyTorch."
    )
    return "\n\n".join(part for part in (intro, table(rows), drawing_table(rows)) if part)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    names = [*WORKLOADS, *DRAWN]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="; ".join(names))
    parser.add_argument("--rounds", type=int, default=9, help="turns of each framework (%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of a turn (%(default)s)")
    given = parser.parse_args(arguments)
    unknown = next((name for name in given.names if name not in names), None)
    if unknown:
        sys.exit(f"NAME is {unknown!r}, expected one of {', '.join(map(repr, names))}")
    for name in given.names or names:
        row = measure(name, given.rounds, given.seconds)
        rows = {**(json.loads(ROWS.read_text()) if ROWS.exists() else {}), name: row}
        report.replace(ROWS, json.dumps(rows, indent=1) + "\n")
        print(table({name: row}) or drawing_table({name: row}), flush=True)
    report.write("speed", text(rows))


if __name__ == "__main__":
    main()
