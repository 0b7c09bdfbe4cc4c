"""Sixteen learners as public code writes them: each gets the verdict that is the truth about it."""

import numpy as np
import pytest

import metalearn_lib as ml
from tests.auditing import public_code as public
from tests.auditing.subjects import LABELS, VALUES, part

VALUES_60, LABELS_100 = part(VALUES, 60), part(LABELS, 100)

# What is audited, what must fail, and verdicts besides.
RIGHT_AND_WRONG = {
    "MAML, untrained": (lambda: public.library_maml(False), VALUES_60, [], {"order of gradient": "passed"}),
    "MAML, detached": (lambda: public.library_maml(True), VALUES_60, ["order of gradient"], {}),
    "own train_step": (lambda: public.own_step(False), VALUES_60, [], {"order of gradient": "passed"}),
    "own train_step, detached": (lambda: public.own_step(True), VALUES_60, ["order of gradient"], {}),
    "in place, set back": (lambda: public.in_place(True), VALUES_60, [], {"same call twice": "passed"}),
    "in place, never set back": (lambda: public.in_place(False), VALUES_60, ["same call twice"], {}),
    "Reptile": (public.reptile, VALUES_60, [], {"baseline": "passed"}),
    "Reptile, one inner step": (lambda: public.reptile(inner_steps=1), VALUES_60, ["baseline"], {}),
    "Reptile, no copy": (lambda: public.reptile(copies=False), VALUES_60, ["same call twice"], {}),
    "Reptile, no adaptation": (lambda: public.reptile(adapts=False), VALUES_60, ["label permutation", "baseline"], {}),
    "prototypes": (public.prototypes, LABELS_100, [], {}),
    "normalised by the queries": (
        lambda: public.prototypes(normalized_by_batch=True),
        LABELS_100,
        ["transduction"],
        {},
    ),
    "by position": (lambda: public.prototypes(by_position=True), LABELS_100, ["label permutation"], {}),
    "softmax over queries": (lambda: public.prototypes(over_queries=True), LABELS_100, ["transduction"], {}),
    "square root": (lambda: public.prototypes(root=True), LABELS_100, [], {}),  # a distance, and no mistake
}


@pytest.mark.parametrize(("make", "tasks", "mistakes", "others"), RIGHT_AND_WRONG.values(), ids=RIGHT_AND_WRONG)
def test_the_truth(make, tasks, mistakes, others) -> None:
    report = ml.audit(make(), tasks)
    assert [name for name in mistakes if name not in report.failed] == []
    print(report.failed)
