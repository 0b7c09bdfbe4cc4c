"""No learner of the library is accused.

A trained learner passes all checks. An untrained one is still a correct one: it may lose against its baselines, and is
called untrained.
"""

import keras
import pytest

import metalearn_lib as ml
from tests.auditing.subjects import LABELS, REGRESSION, VALUES, compiled, net


def embed(inputs: int = 4) -> keras.Model:
    return ml.networks.mlp(inputs, 8, (16,))


CORRECT = {
    "first-order MAML": lambda: ml.MAML(net(), inner_lr=0.02, first_order=True),
    "Meta-SGD": lambda: ml.MAML(net(), inner_lr=0.02, learn_inner_lr=True),
    "Reptile": lambda: ml.Reptile(net(), inner_lr=0.02, inner_steps=2),
    "iMAML": lambda: ml.ImplicitMAML(net(), inner_lr=0.01),
    "in context": lambda: ml.InContextLearner(embed(), width=8, depth=1, heads=2),
    "memory": lambda: ml.MemoryAugmentedNetwork(embed(), units=8, slots=4, width=4, reads=1),
    "neural process": lambda: ml.NeuralProcess(embed(), width=16),
    "matching values": lambda: ml.MatchingNetwork(embed()),
    "learned optimiser": lambda: ml.LearnedOptimizer(net(), inner_steps=2, units=4),
    "sequential": lambda: ml.SequentialLearner(net(), inner_steps=2),
    "from scratch": lambda: ml.FromScratch(net(), inner_lr=0.02),
    "nearest neighbour": lambda: ml.NearestNeighbor(),
    "no adaptation": lambda: ml.JointTraining(net()),
    "fine-tuned": lambda: ml.JointTraining(net(), inner_lr=0.02, inner_steps=2),
}
CORRECT_ON_LABELS = {
    "MAML": lambda: ml.MAML(net(2, 2), inner_lr=0.5),
    "prototypes": lambda: ml.PrototypicalNetwork(embed(2)),
    "matching": lambda: ml.MatchingNetwork(embed(2)),
    "classes": lambda: ml.NeuralProcess(embed(2), num_outputs=2, aggregation="classes", width=16),
    "pre-trained": lambda: ml.PretrainedFeatures(embed(2), num_classes=4),
    "nearest neighbour": lambda: ml.NearestNeighbor(),
}


@pytest.mark.parametrize("make", CORRECT.values(), ids=CORRECT)
def test_no_learner_of_values_is_accused(make) -> None:
    learner = compiled(make())
    without_optimizer = isinstance(learner, ml.SequentialLearner)  # nothing tells whether it was trained
    assert ml.audit(learner, VALUES).failed == ["baseline"] * without_optimizer


@pytest.mark.parametrize("make", CORRECT_ON_LABELS.values(), ids=CORRECT_ON_LABELS)
def test_no_learner_of_labels_is_accused(make) -> None:
    assert ml.audit(compiled(make(), LABELS), LABELS).failed == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [lambda: ml.MAML(net(), inner_lr=0.05), lambda: ml.MatchingNetwork(embed())], ids=["MAML", "matching"]
)
def test_a_trained_learner_passes_all_checks(make) -> None:
    learner = compiled(make())
    learner.fit(REGRESSION, steps_per_epoch=100, verbose=0)
    report = ml.audit(learner, VALUES, training=REGRESSION)
    assert [finding.verdict for finding in report] == ["passed"] * 8, report
