"""A claim with its number, which fails if it does not hold."""

from metalearn_lib.core.checks import instances, texts
from metalearn_lib.evaluation.score import Score


class ClaimError(AssertionError):
    """A claim does not hold."""


def claim(text: str, score: Score, *, above: float | None = None, below: float | None = None) -> None:
    """Print a claim with its number and interval, and fail if the interval does not lie where the claim says.

    With both bounds it says that something is as good as equal: the whole interval lies between them.

    Args:
        text: what is claimed, e.g. "MAML - FOMAML, after one step".
        score: a score, or a difference of scores, see `Score`.
        above: the claim is that the mean is larger, in the units of `score`.
        below: the claim is that the mean is smaller, in the units of `score`.

    Raises:
        TypeError: if an argument is of a wrong kind.
        ValueError: if there is no bound.
        ClaimError: if the 95 % interval is not wholly above `above` and below `below`.
    """
    texts(text=text)
    instances(Score, "a Score", score=score)
    bounds = {"above": above, "below": below}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if not given:
        raise ValueError("above and below are None, expected a bound that the interval must keep")
    instances((int, float), "a number", **given)
    unit = 100 if score.measure == "accuracy" else 1
    where = " and ".join(f"{name} {unit * bound:g}" for name, bound in given.items())
    trainings = "" if score.trainings is None else f"{score.trainings} trainings x "
    line = f"{text}: {score} {'' if unit == 100 else score.measure}".rstrip()
    line += f", {where} ({trainings}{score.num_tasks} tasks)"
    if (above is not None and score.low <= above) or (below is not None and score.high >= below):
        raise ClaimError(f"does not hold: {line}")
    print(line)
