"""The test that catches 'before' and 'after' on different examples: a mistake of published tutorials."""

import numpy as np

from metalearn_course.exercises.engine import Catch


def both_on_queries(theta, adapt, loss, support, query):
    """Both losses on the queries, at theta and at the adapted theta."""
    return loss(theta, query), loss(adapt(theta, support), query)


def adapted_first(theta, adapt, loss, support, query):
    """It adapts first, and then measures both on the queries."""
    after = adapt(theta, support)
    return [loss(weights, query) for weights in (theta, after)]


def before_on_support(theta, adapt, loss, support, query):
    """'Before' is measured on the support set, 'after' on the queries."""
    return loss(theta, support), loss(adapt(theta, support), query)


def both_on_support(theta, adapt, loss, support, query):
    """Both are measured on the support set, which the learner has seen."""
    return loss(theta, support), loss(adapt(theta, support), support)


def adapts_to_queries(theta, adapt, loss, support, query):
    """It adapts to the queries, and is measured on them."""
    return loss(theta, query), loss(adapt(theta, query), query)


def already_adapted(theta, adapt, loss, support, query):
    """'Before' is measured when theta has been replaced by the adapted one already."""
    theta = adapt(theta, support)
    return loss(theta, query), loss(theta, query)


def the_better_one(theta, adapt, loss, support, query):
    """It never reports that adapting did harm: 'after' is the lower of both losses."""
    before = loss(theta, query)
    return before, min(before, loss(adapt(theta, support), query))


unfair_exercise = Catch(
    "The test that catches an unfair 'before'",
    """
    A published tutorial measured "before adaptation" on the support set and "after" on the queries; the difference says
    nothing. Write the test: `unfair(report)` is True unless `report(theta, adapt, loss, support, query)` returns the
    loss on the queries before adapting to the support set, and after it. Inside, `adapt(theta, data)` gives the adapted
    parameters and `loss(theta, data)` a number. You choose all five, so choose something that you can compute by hand.
    """,
    right=[both_on_queries, adapted_first],
    faulty=[before_on_support, both_on_support, adapts_to_queries, already_adapted, the_better_one],
    hints=(
        "θ may be a single number, `adapt` may return the mean of the data, and the loss may be a squared distance.",
        "With θ = 0, support at 1 and queries at 3: 9 before, 4 after. Then queries at −1, where adapting does harm.",
    ),
)


@unfair_exercise.reference(
    "Support and queries differ, so that it shows which of them was used where; and one of the cases is one in which "
    "adapting does harm, which an honest report has to say."
)
def unfair(report):
    """Whether either loss differs from that of the queries, where adapting helps or where it harms."""

    def adapt(theta, data):
        return data.mean()

    def loss(theta, data):
        return float(((data - theta) ** 2).mean())

    for support, query in ((1.0, 3.0), (1.0, -1.0)):
        before, after = report(0.0, adapt, loss, np.full(5, support), np.full(15, query))
        if abs(before - query**2) > 1e-6 or abs(after - (query - support) ** 2) > 1e-6:
            return True
    return False


def _reported(report, support, query):
    def loss(theta, data):
        return (data - theta) ** 2

    return report(0.0, lambda theta, data: data, loss, support, query)


@unfair_exercise.mistake(
    "Your support set and your queries are the same: it cannot show which of them was used for what."
)
def same_data(report):
    return _reported(report, 3.0, 3.0) != (9.0, 0.0) and list(_reported(report, 3.0, 3.0)) != [9.0, 0.0]


@unfair_exercise.mistake(
    "You look at 'after' only. 'Before' may have been measured on something else, and the gain depends on it."
)
def only_after(report):
    return _reported(report, 1.0, 3.0)[1] != 4.0


@unfair_exercise.mistake("You look at 'before' only. 'After' may be measured on what was learned by heart.")
def only_before(report):
    return _reported(report, 1.0, 3.0)[0] != 9.0


@unfair_exercise.mistake(
    "You ask whether the loss falls. An unfair report makes it fall most easily of all; ask whether both numbers are "
    "the right ones."
)
def it_has_to_fall(report):
    before, after = _reported(report, 1.0, 2.0)
    return after >= before


@unfair_exercise.mistake(
    "In your cases adapting always helps. A report that hides the other outcome, by taking the better of both, looks "
    "honest there."
)
def only_where_it_helps(report):
    return list(_reported(report, 1.0, 3.0)) != [9.0, 4.0]


@unfair_exercise.also_right
def by_what_is_called(report):
    def adapt(weights, data):
        return [*weights, data]

    def loss(weights, data):
        calls.append((list(weights), data))
        return {1: 0.5, 2: 0.7}[len(weights)]

    calls: list = []
    before, after = report(["start"], adapt, loss, "support", "query")
    fair = (before, after) == (0.5, 0.7)
    return not fair or any(
        data != "query" or weights not in (["start"], ["start", "support"]) for weights, data in calls
    )
