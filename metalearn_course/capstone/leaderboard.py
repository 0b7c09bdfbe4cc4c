"""Puts projects in order, and says by how much one is ahead of the simple learners on each family."""

import csv
import io
from dataclasses import dataclass

import numpy as np

from metalearn_course.capstone.judge import Result
from metalearn_lib.evaluation.score import MORE_IS_BETTER, Score


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard.

    Args:
        name: of the project.
        wins: the share of tasks on which it is ahead of the best simple learner of each family, averaged over families;
            a family without a score, or with a fault, counts 0.
        ahead: by family, the paired difference to the best simple learner (positive is better).
        problems: sentences, by family.
        seconds: of wall-clock time.
    """

    name: str
    wins: float
    ahead: dict[str, Score]
    problems: dict[str, str]
    seconds: float


def rank(results: list[Result], rivals: dict[str, dict[str, Score]]) -> list[Row]:
    """The rows, the best first.

    Args:
        results: of the projects.
        rivals: see `rivals_of`.
    """
    best = {family: _best(scores) for family, scores in rivals.items()}
    rows = []
    for result in results:
        ahead = {family: _gain(score, best[family]) for family, score in result.scores.items()}
        shares = [
            0.0 if family in result.problems or family not in ahead else _wins(ahead[family].values) for family in best
        ]
        rows.append(Row(result.name, float(np.mean(shares)), ahead, result.problems, result.seconds))
    return sorted(rows, key=lambda row: -row.wins)


def as_markdown(rows: list[Row], rivals: dict[str, dict[str, Score]]) -> str:
    """The leaderboard as a page: the order, then each family with numbers."""
    lines = [
        "# Leaderboard\n",
        "`wins`: the share of tasks on which a project is ahead of the best simple learner of the family, averaged "
        "over families; 50 % is as good as it. A family with a fault counts 0.\n",
        "| | project | wins | families ahead, behind | seconds | faults |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for place, row in enumerate(rows, 1):
        better = sum(score.low > 0 for score in row.ahead.values())
        worse = sum(score.high < 0 for score in row.ahead.values())
        faults = "; ".join(f"{family}: {text.split('. ')[0]}" for family, text in row.problems.items()) or "none"
        numbers = f"{row.wins:.0%} | {better}, {worse} | {row.seconds:.0f}"
        lines.append(f"| {place} | {row.name} | {numbers} | {_cell(faults)} |")
    for family, scores in rivals.items():
        best = max(scores, key=lambda name: _sign(scores[name]) * scores[name].mean)
        measure = scores[best].measure
        lines += [f"\n## {family}\n", f"Best simple learner: {best}, {measure} {scores[best]}.\n"]
        lines += ["| project | ahead of it by |", "| --- | --- |"]
        lines += [f"| {row.name} | {row.ahead[family]} |" for row in rows if family in row.ahead]
    return "\n".join(lines) + "\n"


def as_csv(rows: list[Row]) -> str:
    """One line for each project and family."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["place", "project", "wins", "family", "ahead", "low", "high", "problem"])
    for place, row in enumerate(rows, 1):
        for family in {**row.ahead, **row.problems}:
            score = row.ahead.get(family)
            numbers = ["", "", ""] if score is None else [score.mean, score.low, score.high]
            writer.writerow([place, row.name, row.wins, family, *numbers, row.problems.get(family, "")])
    return table.getvalue()


def _sign(score: Score) -> int:
    return 1 if score.measure in MORE_IS_BETTER else -1


def _best(scores: dict[str, Score]) -> Score:
    return max(scores.values(), key=lambda score: _sign(score) * score.mean)


def _gain(score: Score, rival: Score) -> Score:
    """How far ahead: positive is better, whatever the measure."""
    difference = score - rival
    return Score(_sign(score) * difference.values, difference.measure, difference.tasks)


def _wins(values: np.ndarray) -> float:
    return float((values > 0).mean() + 0.5 * (values == 0).mean())


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
