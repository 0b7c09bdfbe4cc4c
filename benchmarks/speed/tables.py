"""The tables of the README."""

import os
import statistics

from benchmarks.speed.workloads import DRAWN, FRAMEWORKS, OURS, PEERS, WORKLOADS


def quartiles(row: dict, ours: str, other: str, kind: str = "ms") -> list[float]:
    """Lower quartile, median and upper quartile of the ratios of `ours` to `other`, paired by round."""
    ratios = [a / b for a, b in zip(row[ours][kind], row[other][kind], strict=True)]
    if len(ratios) == 1:
        return ratios * 3
    return statistics.quantiles(ratios, n=4, method="inclusive")


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


def section(rows: dict[str, dict]) -> str:
    """The section of the README."""
    versions = {row[part]["version"] for row in rows.values() for part in row if part != "apart"}
    intro = (
        f"`python -m benchmarks.speed` on {os.cpu_count()} cores; {', '.join(sorted(versions))}. Milliseconds a step "
        "of `fit` or a call of `predict`, medians over rounds; ratios are medians of those paired by round, with "
        "quartiles. Processor time adds up the cores. "
        "First call, beyond what it takes later, and peak memory: this library · JAX · PyTorch."
    )
    return "\n\n".join(part for part in (intro, table(rows), drawing_table(rows)) if part)
