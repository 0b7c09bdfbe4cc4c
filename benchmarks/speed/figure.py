"""Draw what a step of MAML costs against the size of its meta-batch, its inner steps and its network.

    python -m benchmarks.speed.figure [FRAMEWORK ...] [--seconds S]

Beside the times stands the bound: the operations that no rearrangement saves, at the rate of a large matrix product
on the same machine. Writes docs/speed.png.
"""

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import tensorflow as tf

from benchmarks.speed.measuring import Worker
from benchmarks.speed.peers.problem import Workload, operations
from benchmarks.speed.workloads import FRAMEWORKS, NAMES, SINUSOID

FIGURE = Path(__file__).parents[2] / "docs" / "speed.png"
AXES = {
    "tasks": ("tasks in a meta-batch", (1, 5, 25, 125)),
    "inner_steps": ("inner steps", (1, 2, 5, 10)),
    "width": ("units of a hidden layer", (20, 40, 80, 160)),
}
COLORS = {"metalearn": "#0072B2", "jax": "#D55E00", "torch": "#009E73"}
ROUNDS = 3


def sizes() -> dict[str, list[Workload]]:
    """The workloads along each axis."""
    return {field: [replace(SINUSOID, **{field: size}) for size in values] for field, (_, values) in AXES.items()}


def milliseconds(worker: Worker, work: Workload, seconds: float) -> float:
    """The least time of a step in a few rounds: what the machine's other work adds is not the framework's."""
    unit = worker.ask(prepare=asdict(work))["unit"]
    steps = unit * max(1, round(seconds / worker.ask(run=unit)["seconds"]))
    return min(1000 * worker.ask(run=steps)["seconds"] / steps for _ in range(ROUNDS))


def achievable(size: int = 2048) -> float:
    """Operations a second in a product of two large matrices, float32."""
    matrix = tf.random.stateless_normal([size, size], [0, 0])
    spent = []
    for _ in range(40):
        began = time.perf_counter()
        (matrix @ matrix).numpy()
        spent.append(time.perf_counter() - began)
    return 2 * size**3 / min(spent)


def draw(times: dict[str, dict[str, list[float]]], rate: float) -> plt.Figure:
    """One panel an axis, from the milliseconds of each framework along it."""
    figure, panels = plt.subplots(1, len(AXES), figsize=(11, 3.6), sharey=True, layout="constrained")
    for panel, (field, works) in zip(panels, sizes().items(), strict=True):
        label, values = AXES[field]
        for framework, along in times.items():
            panel.plot(values, along[field], "o-", color=COLORS[framework], label=NAMES[framework])
        bound = [1000 * operations(work) / rate for work in works]
        panel.plot(values, bound, "k--", label=f"bound at {rate / 1e9:.0f} GFLOP/s")
        panel.set(xscale="log", yscale="log", xlabel=label)
        panel.set_xticks(values, [str(value) for value in values])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("a step of MAML on sinusoids, ms")
    panels[-1].legend()
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.speed.figure", description=__doc__.splitlines()[0])
    parser.add_argument("frameworks", metavar="FRAMEWORK", nargs="*", help=", ".join(FRAMEWORKS))
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a measurement (%(default)s)")
    given = parser.parse_args(arguments)
    times: dict[str, dict[str, list[float]]] = {framework: {} for framework in given.frameworks or FRAMEWORKS}
    for framework in times:
        with Worker(framework) as worker:
            for field, works in sizes().items():
                times[framework][field] = [milliseconds(worker, work, given.seconds) for work in works]
                print(framework, field, [f"{value:.3g}" for value in times[framework][field]], flush=True)
    draw(times, achievable()).savefig(FIGURE, dpi=150)


if __name__ == "__main__":
    main()
