"""Hidden tasks with copies of some of them, and what the predictions of the copies give away about a learner.

A learner's predictions say how it works if a task comes more than once: in another place, with other queries beside
one that is the same, with the support set of another task, and with its classes renamed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Task = dict[str, np.ndarray]

COPIES = 8
SAME = 0.01  # of the standard deviation of all predictions: rounding, and other orders of summation, are far below


@dataclass(frozen=True)
class Probe:
    """One way to copy tasks, and the sentence for a learner that it shows to be wrong.

    Args:
        name: of the mistake.
        feedback: what was seen, and what is right.
        copy: makes copies of tasks, each array [COPIES + 1, ...], the last task for exchanges only: [COPIES, ...].
        shows: whether the predictions of the tasks and of their copies, [COPIES, Q, D] each, show the mistake.
    """

    name: str
    feedback: str
    copy: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
    shows: Callable[[np.ndarray, np.ndarray], bool]


def _all_but_last(tasks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {key: array[:-1] for key, array in tasks.items()}


def _with_other_queries(tasks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    query_x = tasks["query_x"]
    return _all_but_last(tasks) | {"query_x": np.concatenate([query_x[:-1, :1], query_x[1:, 1:]], axis=1)}


def _with_other_support(tasks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {key: array[:-1] if key == "query_x" else array[1:] for key, array in tasks.items()}


def _renamed(tasks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    copies = _all_but_last(tasks)
    ways = copies["support_y"].max() + 1
    return copies | {"support_y": (copies["support_y"] + 1) % ways}


def _differs(original: np.ndarray, copy: np.ndarray) -> bool:
    return bool(np.abs(original - copy).max() > SAME * (original.std() or 1.0))


def _stays(original: np.ndarray, copy: np.ndarray) -> bool:
    """Whether more predicted classes stay than follow the new names."""
    before, after = original.argmax(axis=-1), copy.argmax(axis=-1)
    ways = original.shape[-1]
    return bool((after == before).mean() >= (after == (before + 1) % ways).mean())


SURVIVING = Probe(
    "something_survives",
    "Some tasks came twice, at two places, and got other predictions the second time. Either something of one task "
    "gets into the next (weights that are not set back, a common normalisation), or the predictions are random.",
    _all_but_last,
    _differs,
)
TRANSDUCTION = Probe(
    "queries_together",
    "Some tasks came twice, with one query the same and others beside it, and that query got another prediction. A "
    "query must be answered as if it came alone: what is normalised or learned may use the support set only.",
    _with_other_queries,
    lambda original, copy: _differs(original[:, :1], copy[:, :1]),
)
SUPPORT_UNUSED = Probe(
    "support_unused",
    "Some tasks came twice, the second time with the support set of another task, and got the same predictions. "
    "Nothing is learned from a new task's examples.",
    _with_other_support,
    lambda original, copy: not _differs(original, copy),
)
LABELS_UNUSED = Probe(
    "labels_unused",
    "Some tasks came twice, the second time with their classes renamed in `support_y`, and the predicted classes did "
    "not follow the new names. Examples belong to a class by their label, not by their place.",
    _renamed,
    _stays,
)
FOR_VALUES = (SURVIVING, TRANSDUCTION, SUPPORT_UNUSED)
FOR_CLASSES = (SURVIVING, TRANSDUCTION, SUPPORT_UNUSED, LABELS_UNUSED)


def with_copies(tasks: Task, probes: tuple[Probe, ...]) -> dict[str, np.ndarray]:
    """The tasks, followed by the copies of each probe.

    Args:
        tasks: arrays [T, ...] with T above `COPIES`.
        probes: what is to be tested.

    Returns:
        Arrays [T + COPIES * probes, ...].
    """
    first = {key: array[: COPIES + 1] for key, array in tasks.items()}
    parts = [dict(tasks), *(probe.copy(first) for probe in probes)]
    return {key: np.concatenate([part[key] for part in parts]) for key in tasks}


def shown_by(predictions: np.ndarray, probes: tuple[Probe, ...]) -> Probe | None:
    """The first probe that shows a mistake.

    Args:
        predictions: [T + COPIES * probes, Q, D], of the tasks that `with_copies` made.
        probes: as they were given to it.
    """
    copies = predictions[len(predictions) - COPIES * len(probes) :].reshape(len(probes), COPIES, *predictions.shape[1:])
    pairs = zip(probes, copies, strict=True)
    return next((probe for probe, copy in pairs if probe.shows(predictions[:COPIES], copy)), None)
