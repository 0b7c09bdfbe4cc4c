"""Tasks in which a learner acts: families of environments, players that need no training, and one that learns (RL²)."""

from metalearn_lib.acting.environments import Bandits, Environments, GymTrial, Mazes
from metalearn_lib.acting.players import (
    FixedTour,
    Oracle,
    Player,
    PosteriorMean,
    Random,
    Thompson,
    Trial,
    UpperBound,
    play,
)
from metalearn_lib.acting.recurrent_policy import RecurrentPolicy

__all__ = [
    "Bandits",
    "Environments",
    "FixedTour",
    "GymTrial",
    "Mazes",
    "Oracle",
    "Player",
    "PosteriorMean",
    "Random",
    "RecurrentPolicy",
    "Thompson",
    "Trial",
    "UpperBound",
    "play",
]
