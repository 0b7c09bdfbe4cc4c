"""Tasks in which a learner acts: families of environments, policies without training, and one that learns (RL²)."""

from typing import TYPE_CHECKING, Any

from metalearn_lib.acting.environments import Bandits, Environments, Mazes
from metalearn_lib.acting.policies import (
    FixedTour,
    OraclePolicy,
    Policy,
    PosteriorMean,
    RandomPolicy,
    Rollout,
    Thompson,
    UpperBound,
    roll_out,
    towards,
)
from metalearn_lib.acting.recurrent_policy import RecurrentPolicy

if TYPE_CHECKING:
    from metalearn_lib.acting.gymnasium_interface import GymEnvironment

__all__ = [
    "Bandits",
    "Environments",
    "FixedTour",
    "GymEnvironment",
    "Mazes",
    "OraclePolicy",
    "Policy",
    "PosteriorMean",
    "RandomPolicy",
    "RecurrentPolicy",
    "Rollout",
    "Thompson",
    "UpperBound",
    "roll_out",
    "towards",
]


def __getattr__(name: str) -> Any:
    if name == "GymEnvironment":  # needs an extra
        from metalearn_lib.acting.gymnasium_interface import GymEnvironment

        return GymEnvironment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
