"""Each framework in a process of its own: whether all compute the same, and how long each takes."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.speed.peers.problem import Workload, weights
from benchmarks.speed.workloads import FRAMEWORKS

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """A framework in a process of its own, see `peers/worker.py`."""

    def __init__(self, framework: str):
        command = [sys.executable, "-m", "benchmarks.speed.peers.worker", framework]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        self.version = self._reply()["version"]

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

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
