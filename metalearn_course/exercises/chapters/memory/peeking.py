"""The test that catches a learner which sees the label that it is asked for."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def pairs_before(x, y):
    """A slope from the pairs before, times xᵢ."""
    return np.array([x[i] * (x[:i] @ y[:i]) / (x[:i] @ x[:i] + 1) for i in range(len(x))])


def attention_to_the_past(x, y):
    """Softmax attention with a mask: step i reads the labels of the steps before."""
    answers = [0.0]
    for i in range(1, len(x)):
        distances = (x[i] - x[:i]) ** 2
        weights = np.exp(distances.min() - distances)
        answers.append(weights @ y[:i] / weights.sum())
    return answers


def inputs_known_ahead(x, y):
    """It divides all x by the largest first. Inputs may be known in advance; labels are used from the past only."""
    x = x / np.abs(x).max()
    return np.array([x[i] * (x[:i] @ y[:i]) / (x[:i] @ x[:i] + 1) for i in range(len(x))])


def label_at_the_same_step(x, y):
    """The mask is off by one: pair i is read when xᵢ is answered, so the label comes at the same step."""
    return np.array([x[i] * (x[: i + 1] @ y[: i + 1]) / (x[: i + 1] @ x[: i + 1] + 1) for i in range(len(x))])


def no_mask(x, y):
    """There is no mask: every step reads all labels."""
    weights = np.exp(-((x[:, None] - x) ** 2))
    return weights @ y / weights.sum(axis=1)


def all_but_its_own(x, y):
    """Each step leaves out its own label, but reads those that come later."""
    distances = (x[:, None] - x) ** 2 + np.diag(np.full(len(x), np.inf))
    weights = np.exp(distances.min(axis=1, keepdims=True) - distances)
    return weights @ y / weights.sum(axis=1)


def divided_by_the_largest(x, y):
    """The labels are divided by the largest of all, which may be one that comes later."""
    y = y / (np.abs(y).max() or 1.0)
    return np.array([x[i] * (x[:i] @ y[:i]) / (x[:i] @ x[:i] + 1) for i in range(len(x))])


peeks_exercise = Catch(
    "The test that catches peeking",
    r"""
    A learner reads pairs in turn: `learner(x, y)` gets all inputs $x$ [n] and all labels $y$ [n] at once, as in
    training, and returns its answers [n]. Answer $i$ may use every input, and the labels *before* $i$; neither
    label $i$ nor a later one. Write the test: `peeks(learner)` is True if an answer depends on a label that it must
    not see.
    """,
    right=[pairs_before, attention_to_the_past, inputs_known_ahead],
    faulty=[label_at_the_same_step, no_mask, all_but_its_own, divided_by_the_largest],
    hints=(
        "An answer depends on a label if it changes with it. Change some labels, and compare the answers.",
        "For each i, replace `y[i:]` by quite different numbers. Which answers must stay the same?",
    ),
)


@peeks_exercise.reference(
    "When labels i and later are replaced, answers 0 to i must stay: the i-th may use what came before it."
)
def peeks(learner):
    """Whether an answer depends on the label of its own step, or on a later one."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8))
    answers = np.array(learner(x, y))
    for i in range(8):
        changed = np.concatenate([y[:i], 5 * rng.normal(size=8 - i)])
        if not np.allclose(np.array(learner(x, changed))[: i + 1], answers[: i + 1]):
            return True
    return False


def _answers_change(learner, first_label, last_answer):
    """Whether answers up to i + last_answer change when the labels from i + first_label on do."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8))
    answers = np.array(learner(x, y))
    for i in range(8):
        changed = np.concatenate([y[: i + first_label], 5 * rng.normal(size=len(y[i + first_label :]))])
        if not np.allclose(np.array(learner(x, changed))[: i + last_answer], answers[: i + last_answer]):
            return True
    return False


@peeks_exercise.mistake(
    "You change later labels only. The label *of the same step* must not be seen either: it is what is asked."
)
def later_labels_only(learner):
    return _answers_change(learner, 1, 1)


@peeks_exercise.mistake(
    "You change one label and look at its own answer. An answer may also peek at labels that come later."
)
def own_label_only(learner):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8))
    answers = np.array(learner(x, y))
    for i in range(8):
        changed = y.copy()
        changed[i] = 5 * rng.normal()
        if not np.isclose(np.array(learner(x, changed))[i], answers[i]):
            return True
    return False


@peeks_exercise.mistake(
    "You object to any use of labels. Those of earlier steps are what a learner learns from: it must use them."
)
def any_label(learner):
    return _answers_change(learner, 0, 8)


@peeks_exercise.mistake(
    "You change inputs. Those may all be known; a peek is an answer that depends on a *label* it must not see."
)
def later_inputs(learner):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8))
    answers = np.array(learner(x, y))
    changed = np.concatenate([x[:4], 5 * rng.normal(size=4)])
    return not np.allclose(np.array(learner(changed, y))[:4], answers[:4])


@peeks_exercise.mistake("It finds nothing, whatever the learner does: a test that cannot fail is no test.")
def never(learner):
    learner(np.arange(8.0), np.arange(8.0))
    return False


@peeks_exercise.also_right
def label_by_label(model):
    chance = np.random.default_rng(5)
    inputs, labels = chance.uniform(-1, 1, 6), chance.uniform(-1, 1, 6)
    usual = [float(a) for a in model(inputs, labels)]
    for step in range(6):
        other = labels.copy()
        other[step] = 100.0
        now = [float(a) for a in model(inputs, other)]
        if any(abs(a - b) > 1e-9 for a, b in zip(now[: step + 1], usual, strict=False)):
            return True
    return False


@peeks_exercise.also_right
def with_inputs_far_apart(answer):
    x, y = 100 * np.arange(10.0), np.ones(10)
    for i in range(10):
        changed = np.where(np.arange(10) < i, y, 50)
        if not np.allclose(np.array(answer(x, changed))[: i + 1], np.array(answer(x, y))[: i + 1]):
            return True
    return False
