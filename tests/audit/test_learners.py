"""No learner of the library is accused.

A trained learner passes all checks. An untrained one is still a correct one: it may lose against its baselines and
nothing else.
"""

import pytest

from metalearn_lib._tensorflow import keras
from metalearn_lib.audit import audit
from metalearn_lib.learners import (
    MAML,
    FromScratch,
    ImplicitMAML,
    InContextLearner,
    JointTraining,
    LearnedOptimiser,
    MatchingNetwork,
    MemoryAugmentedNetwork,
    NearestNeighbour,
    NeuralProcess,
    PretrainedFeatures,
    PrototypicalNetwork,
    Reptile,
    SequentialLearner,
)
from metalearn_lib.models import mlp
from tests.audit.conftest import LABELS, REGRESSION, VALUES, compiled, net


def embed(inputs: int = 4) -> keras.Model:
    return mlp(inputs, 8, (16,))


CORRECT = {
    "first-order MAML": lambda: MAML(net(), 0.02, first_order=True),
    "Meta-SGD": lambda: MAML(net(), 0.02, learn_rates=True),
    "Reptile": lambda: Reptile(net(), 0.02, 2),
    "iMAML": lambda: ImplicitMAML(net(), 0.01),
    "in context": lambda: InContextLearner(embed(), width=8, depth=1, heads=2),
    "memory": lambda: MemoryAugmentedNetwork(embed(), units=8, slots=4, width=4, reads=1),
    "neural process": lambda: NeuralProcess(embed(), width=16),
    "matching values": lambda: MatchingNetwork(embed()),
    "learned optimiser": lambda: LearnedOptimiser(net(), inner_steps=2, units=4),
    "sequential": lambda: SequentialLearner(net(), inner_steps=2),
    "from scratch": lambda: FromScratch(net(), 0.02),
    "nearest neighbour": lambda: NearestNeighbour(),
    "no adaptation": lambda: JointTraining(net()),
    "fine-tuned": lambda: JointTraining(net(), 0.02, 2),
}
CORRECT_ON_LABELS = {
    "MAML": lambda: MAML(net(2, 2), 0.5),
    "prototypes": lambda: PrototypicalNetwork(embed(2)),
    "matching": lambda: MatchingNetwork(embed(2)),
    "classes": lambda: NeuralProcess(embed(2), 2, "classes", width=16),
    "pre-trained": lambda: PretrainedFeatures(embed(2), classes=4),
    "nearest neighbour": lambda: NearestNeighbour(),
}


@pytest.mark.parametrize("make", CORRECT.values(), ids=CORRECT)
def test_no_learner_of_values_is_accused(make) -> None:
    assert set(audit(compiled(make()), VALUES).failed) <= {"baseline"}


@pytest.mark.parametrize("make", CORRECT_ON_LABELS.values(), ids=CORRECT_ON_LABELS)
def test_no_learner_of_labels_is_accused(make) -> None:
    assert set(audit(compiled(make(), LABELS), LABELS).failed) <= {"baseline"}


@pytest.mark.parametrize(
    "make", [lambda: MAML(net(), 0.05), lambda: MatchingNetwork(embed())], ids=["MAML", "matching"]
)
def test_a_trained_learner_passes_all_checks(make) -> None:
    learner = compiled(make())
    learner.fit(REGRESSION, steps_per_epoch=100, verbose=0)
    report = audit(learner, VALUES, training=REGRESSION)
    assert [finding.verdict for finding in report] == ["passed"] * 7, report
