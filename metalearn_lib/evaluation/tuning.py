"""The same search for every rival: each setting of a grid, tried on validation tasks."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tqdm.auto import tqdm

from metalearn_lib.core.checks import functions, instances
from metalearn_lib.core.task import MetaBatch
from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.evaluation.compare import score
from metalearn_lib.evaluation.score import MORE_IS_BETTER, Score
from metalearn_lib.learners.learner import Learner
from metalearn_lib.tasks.stream import GatheredTasks

Setting = dict[str, Any]
Grid = Mapping[str, Sequence]


@dataclass(frozen=True, eq=False)
class Tuned:
    """What a search found.

    Args:
        best: the best setting.
        tried: every setting with its score on the validation tasks, None where training diverged.
        learner: what was trained with the best setting.
    """

    best: Setting
    tried: list[tuple[Setting, Score | None]]
    learner: Learner

    def __str__(self) -> str:
        return "\n".join(
            f"{as_text(setting)}: {'diverged' if found is None else found}" + "  <- best" * (setting == self.best)
            for setting, found in self.tried
        )


def tune(
    make: Callable[..., Learner], grid: Grid, tasks: tf.data.Dataset | MetaBatch | GatheredTasks, num_tasks: int = 300
) -> Tuned:
    """Train a learner with every setting of a grid, and take the best on validation tasks.

    Rivals that are compared get the same search: the same tasks, and budgets of the same size. The tasks must be
    neither those of training nor those of the test.

    Args:
        make: `make(**setting)` gives a trained, compiled learner.
        grid: the values to try of each argument of `make`; numbers in rising order.
        tasks: validation tasks, a stream of meta-batches or gathered tasks.
        num_tasks: number of tasks to take.

    Returns:
        A `Tuned`.

    Raises:
        TypeError: if `make` is no function, `grid` no dictionary of lists, or what `make` gives is no learner.
        ValueError: if the best number lies at the edge of its values, where a better one may lie beyond, or no setting
            converges, or a list has fewer than two values.
    """
    functions("a function that trains a learner", make=make)
    tried: list[tuple[Setting, Score | None]] = []
    learners = []
    settings = all_settings(grid)
    for setting in tqdm(settings, disable=None, leave=False):
        learner, found = None, None
        try:
            learner = make(**setting)
            instances(Learner, "a learner", **{f"make({as_text(setting)})": learner})
            found = score(learner, tasks, num_tasks)
        except DivergedError:
            pass
        tried.append((setting, found))
        learners.append(learner)
    best = best_setting(grid, tried)
    return Tuned(best, tried, learners[settings.index(best)])


def all_settings(grid: Grid) -> list[Setting]:
    """Every setting of a grid, the last argument changing fastest.

    Args:
        grid: the values of each argument; numbers in rising order.

    Raises:
        TypeError: if `grid` is no dictionary of lists.
        ValueError: if a list has fewer than two values, one twice, or its numbers do not rise.
    """
    if not isinstance(grid, Mapping) or not grid:
        raise TypeError(f"grid is {grid!r}, expected a dictionary with the values of each argument")
    for name, values in grid.items():
        if not isinstance(values, list | tuple):
            raise TypeError(f"grid[{name!r}] is a {type(values).__name__}, expected a list of values")
        if len(values) < 2 or len({repr(value) for value in values}) < len(values):
            raise ValueError(f"grid[{name!r}] is {list(values)}, expected at least two different values")
        if _numbers(values) and list(values) != sorted(values):
            raise ValueError(f"grid[{name!r}] is {list(values)}, expected rising numbers")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def best_setting(grid: Grid, tried: Sequence[tuple[Setting, Score | None]]) -> Setting:
    """The setting with the best mean.

    Args:
        grid: the values of each argument, numbers in rising order.
        tried: every setting with its score, None where training diverged.

    Raises:
        ValueError: if the best number lies at the edge of its values, or every setting diverged.
    """
    converged = [(setting, score) for setting, score in tried if score is not None]
    if not converged:
        raise ValueError(f"grid is {dict(grid)}, expected a setting with which training does not diverge")
    sign = -1 if converged[0][1].measure in MORE_IS_BETTER else 1
    best = min(converged, key=lambda one: sign * one[1].mean)[0]
    for name, values in grid.items():
        if _numbers(values) and best[name] in (values[0], values[-1]):
            raise ValueError(
                f"grid[{name!r}] has its best value, {best[name]}, at the edge of {values[0]}..{values[-1]}, expected "
                "values on both sides of the best: widen it"
            )
    return best


def as_text(setting: Setting) -> str:
    """A setting as "inner_lr=0.01, batch_norm=support"."""
    return ", ".join(f"{name}={value}" for name, value in setting.items())


def _numbers(values: Sequence) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
