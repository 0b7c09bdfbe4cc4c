"""The test that catches a choice on the test tasks: a mistake of published tutorials."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def best_on_validation(validation, test):
    """The epoch with the best mean on the validation tasks, and the test tasks' mean at that epoch."""
    epoch = int(validation.mean(axis=1).argmax())
    return epoch, test[epoch].mean()


def last_epoch(validation, test):
    """It makes no choice: the last epoch, whatever came before."""
    return len(test) - 1, test[-1].mean()


def best_smoothed(validation, test):
    """The best epoch of a running mean over three epochs of validation."""
    means = validation.mean(axis=1)
    epoch = int(np.argmax([means[max(i - 1, 0) : i + 2].mean() for i in range(len(means))]))
    return epoch, float(test[epoch].mean())


def best_on_test(validation, test):
    """It takes the epoch that is best on the test tasks."""
    epoch = int(test.mean(axis=1).argmax())
    return epoch, test[epoch].mean()


def best_on_both(validation, test):
    """It takes the epoch that is best on validation and test tasks together."""
    epoch = int((validation.mean(axis=1) + test.mean(axis=1)).argmax())
    return epoch, test[epoch].mean()


def best_test_reported(validation, test):
    """It chooses on validation, but reports the best mean that the test tasks ever had."""
    return int(validation.mean(axis=1).argmax()), test.mean(axis=1).max()


def ties_by_test(validation, test):
    """Among epochs within one point of the best on validation, the test tasks decide."""
    means = validation.mean(axis=1)
    close = np.flatnonzero(means > means.max() - 0.01)
    epoch = int(close[test[close].mean(axis=1).argmax()])
    return epoch, test[epoch].mean()


peeks_exercise = Catch(
    "The test that catches a choice on the test tasks",
    """
    A published tutorial trained for many epochs, evaluated each on the test tasks, and reported the best. Write the
    test: `peeks(report)` is True if the test tasks influence the report. `report(validation, test)` gets accuracies
    between 0 and 1, [epochs, tasks] each, and returns the epoch it chose and the mean accuracy on the test tasks **at
    that epoch**. It may choose in any way (stop early, or smooth, or not choose at all), as long as the choice does not
    depend on `test`.
    """,
    right=[best_on_validation, last_epoch, best_smoothed],
    faulty=[best_on_test, best_on_both, best_test_reported, ties_by_test],
    hints=(
        "What stays the same for an honest report when only the test accuracies change?",
        "Call it twice with the same validation and two different `test`: the epoch must be the same, and the accuracy "
        "that of this epoch. Some only peek where validation leaves several epochs close to each other.",
    ),
)


@peeks_exercise.reference(
    "Independence is tested by changing what must not matter. Which epoch is chosen is not asked, so any honest "
    "rule passes; validation accuracies that are close to each other expose those that let the test tasks break a "
    "tie."
)
def peeks(report):
    """Whether the chosen epoch moves with the test tasks, or the accuracy is not the one at that epoch."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        validation = rng.uniform(0.70, 0.71, (8, 6))
        chosen = set()
        for test in rng.uniform(size=(3, 8, 6)):
            epoch, accuracy = report(validation, test)
            chosen.add(int(epoch))
            if abs(accuracy - test[int(epoch)].mean()) > 1e-9:
                return True
        if len(chosen) > 1:
            return True
    return False


@peeks_exercise.mistake(
    "You require the epoch that is best on validation. Other choices are honest too, the last epoch for one: ask "
    "whether the choice depends on the test tasks."
)
def own_choice_required(report):
    rng = np.random.default_rng(0)
    for _ in range(10):
        validation, test = rng.uniform(0.70, 0.71, (8, 6)), rng.uniform(size=(8, 6))
        epoch, accuracy = report(validation, test)
        if epoch != validation.mean(axis=1).argmax() or abs(accuracy - test[int(epoch)].mean()) > 1e-9:
            return True
    return False


def _epochs_and_errors(report, low, high):
    rng = np.random.default_rng(0)
    for _ in range(20):
        validation = np.repeat(rng.permutation(np.linspace(low, high, 8))[:, None], 6, axis=1)
        tests = rng.uniform(size=(3, 8, 6))
        answers = [report(validation, test) for test in tests]
        errors = [abs(a - test[int(e)].mean()) for (e, a), test in zip(answers, tests, strict=True)]
        yield len({int(epoch) for epoch, _ in answers}), max(errors)


@peeks_exercise.mistake(
    "You look at the epoch only. The choice may be honest, and the number that is reported not be that epoch's."
)
def epoch_only(report):
    return any(epochs > 1 for epochs, _ in _epochs_and_errors(report, 0.70, 0.71))


@peeks_exercise.mistake(
    "You only ask whether the accuracy is that of the epoch. That holds for the best epoch on the test tasks as well."
)
def accuracy_only(report):
    return any(error > 1e-9 for _, error in _epochs_and_errors(report, 0.70, 0.71))


@peeks_exercise.mistake(
    "In your cases one epoch is far ahead on validation. Where several are close it takes little to let the test tasks "
    "decide: try validation accuracies that differ by less than a point."
)
def far_apart(report):
    return any(epochs > 1 or error > 1e-9 for epochs, error in _epochs_and_errors(report, 0.2, 0.9))


@peeks_exercise.also_right
def by_turning_the_test_tasks_around(choose):
    for seed in range(50):
        rng = np.random.default_rng(seed)
        validation = 0.5 + 0.003 * rng.random((6, 4))
        test = rng.random((6, 4))
        results = [choose(validation, scores) for scores in (test, 1 - test)]
        if results[0][0] != results[1][0] or not np.isclose(results[0][1] + results[1][1], 1):
            return True
    return False
