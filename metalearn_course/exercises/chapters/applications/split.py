"""Whom to test on: patients that the training has not seen."""

import numpy as np

from metalearn_course.exercises.engine import Function
from metalearn_course.exercises.engine.values import Plain, as_list, flat

_FEW = 20  # patients, with whom much happens by chance


def _draw(rng: np.random.Generator) -> tuple:
    patients = rng.choice(np.arange(1000, 10_000), 39, replace=False)
    rows = np.repeat(patients, rng.integers(2, 5, size=39))
    return rng.permutation(rows), float(rng.choice([0.2, 0.25, 0.3])), int(rng.integers(1_000_000))


def _parts(arguments: tuple, got: Plain) -> tuple[np.ndarray, np.ndarray] | None:
    """Train and test positions; None where there are no such."""
    try:
        train, test = (np.array(part, dtype=float).astype(int) for part in as_list(got))
    except (TypeError, ValueError):
        return None
    both = np.concatenate([train.ravel(), test.ravel()])
    right = train.ndim == test.ndim == 1 and both.size and both.min() >= 0 and both.max() < len(arguments[0])
    return (train, test) if right else None


def _patients(arguments: tuple, got: Plain) -> tuple[set, set]:
    train, test = _parts(arguments, got) or ([], [])
    return set(arguments[0][train].tolist()), set(arguments[0][test].tolist())


def _on_both_sides(arguments: tuple, got: Plain) -> bool:
    train, test = _patients(arguments, got)
    return bool(train & test)


def _incomplete(arguments: tuple, got: Plain) -> bool:
    parts = _parts(arguments, got)
    return parts is not None and sorted(np.concatenate(parts).tolist()) != list(range(len(arguments[0])))


def _share_is_wrong(arguments: tuple, got: Plain) -> bool:
    wanted = round(arguments[1] * len(np.unique(arguments[0])))
    return _parts(arguments, got) is not None and len(_patients(arguments, got)[1]) != wanted


def _exchanged(arguments: tuple, got: Plain) -> bool:
    wanted = round(arguments[1] * len(np.unique(arguments[0])))
    train, test = _patients(arguments, got)
    return len(np.unique(arguments[0])) > _FEW and len(train) == wanted != len(test)


def _not_random(arguments: tuple, got: Plain) -> bool:
    """Whether the test patients are the first or last ones, by number or in the given order."""
    names, first = np.unique(arguments[0], return_index=True)
    test = _patients(arguments, got)[1]
    if len(names) <= _FEW or not test:
        return False  # chance may choose them
    orders = (names, names[np.argsort(first)])
    return any(test in (set(o[: len(test)].tolist()), set(o[-len(test) :].tolist())) for o in orders)


def _names_of_patients(arguments: tuple, got: Plain) -> bool:
    named = [name for part in as_list(got) for name in as_list(part)]
    return bool(named) and _parts(arguments, got) is None and all(name in arguments[0].tolist() for name in named)


def _masks(arguments: tuple, got: Plain) -> bool:
    answers = flat(got)
    return len(answers) >= len(arguments[0]) and set(answers) <= {0.0, 1.0}


def _no_pair(arguments: tuple, got: Plain) -> bool:
    numbers = isinstance(got, list) and all(isinstance(entry, float) and not np.isnan(entry) for entry in flat(got))
    return numbers and _parts(arguments, got) is None


_WRONG = (_on_both_sides, _incomplete, _share_is_wrong, _not_random)

split_exercise = Function(
    "A split by patient",
    """
    `patients` names the patient of each measurement. Split the measurements into training and test so that no patient
    is in both: choose `round(share * number of patients)` patients at random by `seed` for the test, and return the
    positions of the training measurements and those of the test measurements.
    """,
    example=(np.array([4711, 4711, 1042, 1042, 1042, 3333]), 1 / 3, 0),
    draw=_draw,
    hints=(
        "What is to be drawn at random: measurements, or patients?",
        "`chosen = rng.choice(np.unique(patients), ..., replace=False)`, then `np.isin(patients, chosen)`.",
    ),
    right_if=lambda arguments, got: (
        _parts(arguments, got) is not None and not any(wrong(arguments, got) for wrong in _WRONG)
    ),
    seeded=True,
)


@split_exercise.reference(
    "Measurements of one patient are alike. A test set that holds other measurements of the same patients asks whether "
    "these are recognised, not whether anything is known about the next one."
)
def split(patients, share, seed):
    """Positions of training and of test measurements, of patients [measurements]; `share` of the patients are test."""
    names = np.unique(patients)
    chosen = np.random.default_rng(seed).choice(names, round(share * len(names)), replace=False)
    test = np.isin(patients, chosen)
    return np.flatnonzero(~test), np.flatnonzero(test)


@split_exercise.mistake(
    "That is a mask. The question asks for positions, of training and of test: `np.flatnonzero` turns a mask into "
    "them.",
    _masks,
)
def mask(patients, share, seed):
    return np.isin(patients, np.unique(patients)[: round(share * len(np.unique(patients)))])


@split_exercise.mistake(
    "A patient is in both parts: that is leakage. Each part has measurements of the same people, and a learner that "
    "recognises them scores well. Draw patients, not measurements.",
    _on_both_sides,
)
def by_measurement(patients, share, seed):
    order = np.random.default_rng(seed).permutation(len(patients))
    test = round(share * len(patients))
    return order[test:], order[:test]


@split_exercise.mistake(
    "Those are names of patients. The question asks for the positions of their measurements in `patients`.",
    _names_of_patients,
)
def names_for_positions(patients, share, seed):
    names = np.random.default_rng(seed).permutation(np.unique(patients))
    test = round(share * len(names))
    return names[test:], names[:test]


@split_exercise.mistake(
    "Training and test are exchanged: the training positions come first, and `share` is that of the test.", _exchanged
)
def exchanged(patients, share, seed):
    train, test = split(patients, share, seed)
    return test, train


@split_exercise.mistake(
    "Some measurements are missing, or are listed twice: all measurements of a patient belong to the patient's part.",
    _incomplete,
)
def one_of_each(patients, share, seed):
    names, first = np.unique(patients, return_index=True)
    order = np.random.default_rng(seed).permutation(len(names))
    test = round(share * len(names))
    return first[order[test:]], first[order[:test]]


@split_exercise.mistake(
    "The number of test patients is not `round(share * number of patients)`. A draw for each patient "
    "leaves it to chance, and `int` cuts off where `round` rounds.",
    _share_is_wrong,
)
def each_by_chance(patients, share, seed):
    names = np.unique(patients)
    test = np.isin(patients, names[np.random.default_rng(seed).random(len(names)) < share])
    return np.flatnonzero(~test), np.flatnonzero(test)


@split_exercise.mistake(
    "The test patients are the first or the last ones: numbers are often given by ward or by year, so such a test set "
    "differs from the rest. Draw them at random.",
    _not_random,
)
def the_first_ones(patients, share, seed):
    names = np.unique(patients)
    test = np.isin(patients, names[: round(share * len(names))])
    return np.flatnonzero(~test), np.flatnonzero(test)


@split_exercise.mistake(
    "That is no split: return a pair, positions in `patients` for training and positions for the test.", _no_pair
)
def no_pair(patients, share, seed):
    return split(patients, share, seed)[1]


@split_exercise.also_right
def by_shuffling(people, part, seed):
    import random

    names = sorted(set(people.tolist()))
    random.Random(seed).shuffle(names)
    unseen = set(names[: round(part * len(names))])
    positions = {side: [i for i, p in enumerate(people.tolist()) if (p in unseen) == side] for side in (False, True)}
    return positions[False], positions[True]
