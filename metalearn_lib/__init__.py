"""Meta-learning with Keras 3: a meta-learner is a Keras model whose input is a task.

`import metalearn_lib as ml` gives every public name, and imports TensorFlow only when one of them is used: the
learners (`ml.MAML`, ...), `ml.compare`, `ml.audit`, and the rooms `ml.tasks`, `ml.networks`, `ml.images`, `ml.memory`,
`ml.evaluation`, `ml.plots` and `ml.acting`.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from metalearn_lib.core.backend import require_tensorflow

if TYPE_CHECKING:
    from metalearn_lib import acting, evaluation, images, learners, memory, networks, plots, tasks
    from metalearn_lib.auditing import audit
    from metalearn_lib.core.curvature import conjugate_gradients, hessian_product
    from metalearn_lib.core.training.divergence import DivergedError
    from metalearn_lib.core.training.resume import Resume
    from metalearn_lib.core.update import gradient_step, inner_loop
    from metalearn_lib.core.vectorize import over_tasks
    from metalearn_lib.evaluation import (
        Score,
        adaptation_curve,
        claim,
        compare,
        over_trainings,
        score,
        score_predictions,
        tune,
    )
    from metalearn_lib.learners import (
        MAML,
        FromScratch,
        GradientLearner,
        ImplicitMAML,
        InContextLearner,
        JointTraining,
        LearnedOptimizer,
        Learner,
        MatchingNetwork,
        MemoryAugmentedNetwork,
        NearestNeighbor,
        NeuralProcess,
        PretrainedFeatures,
        PrototypicalNetwork,
        Reptile,
        SequentialLearner,
    )
    from metalearn_lib.memory import Memory
    from metalearn_lib.plots import plot_curves, plot_episode, plot_plane, plot_regression, plot_scores

require_tensorflow()

__version__ = importlib.metadata.version("metalearn_lib")

_ROOMS = ("acting", "evaluation", "images", "learners", "memory", "networks", "plots", "tasks")
_NAMES = {
    "auditing": ("audit",),
    "core.curvature": ("conjugate_gradients", "hessian_product"),
    "core.training.divergence": ("DivergedError",),
    "core.training.resume": ("Resume",),
    "core.update": ("gradient_step", "inner_loop"),
    "core.vectorize": ("over_tasks",),
    "evaluation": (
        "Score",
        "adaptation_curve",
        "claim",
        "compare",
        "over_trainings",
        "score",
        "score_predictions",
        "tune",
    ),
    "learners": (
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
    ),
    "memory": ("Memory",),
    "plots": ("plot_curves", "plot_episode", "plot_plane", "plot_regression", "plot_scores"),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [*_ROOMS, *_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll] - from the table above


if not TYPE_CHECKING:  # else a misspelt name would pass for one

    def __getattr__(name: str) -> Any:
        if name in _ROOMS:
            return importlib.import_module(f"{__name__}.{name}")
        if name in _MODULE_OF:
            value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
            globals()[name] = value
            return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
