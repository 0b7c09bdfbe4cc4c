"""Every learner of the library: a Keras model whose input is a task."""

from metalearn_lib.learners.baselines import FromScratch, JointTraining, NearestNeighbor
from metalearn_lib.learners.gradient import GradientLearner
from metalearn_lib.learners.implicit import ImplicitMAML
from metalearn_lib.learners.in_context import InContextLearner
from metalearn_lib.learners.learned_optimizer import LearnedOptimizer
from metalearn_lib.learners.learner import Learner
from metalearn_lib.learners.maml import MAML
from metalearn_lib.learners.matching import MatchingNetwork
from metalearn_lib.learners.memory_augmented import MemoryAugmentedNetwork
from metalearn_lib.learners.neural_process import NeuralProcess
from metalearn_lib.learners.pretrained import PretrainedFeatures
from metalearn_lib.learners.prototypes import PrototypicalNetwork
from metalearn_lib.learners.reptile import Reptile
from metalearn_lib.learners.sequential import SequentialLearner

__all__ = [
    "MAML",
    "FromScratch",
    "GradientLearner",
    "ImplicitMAML",
    "InContextLearner",
    "JointTraining",
    "LearnedOptimizer",
    "Learner",
    "MatchingNetwork",
    "MemoryAugmentedNetwork",
    "NearestNeighbor",
    "NeuralProcess",
    "PretrainedFeatures",
    "PrototypicalNetwork",
    "Reptile",
    "SequentialLearner",
]
