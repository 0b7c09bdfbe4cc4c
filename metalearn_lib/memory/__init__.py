"""The memory M = {(θᵢ, Dᵢ)} of solved tasks, in the process or on disk."""

from metalearn_lib.memory.display import Entry, Recollection
from metalearn_lib.memory.memory import Memory
from metalearn_lib.memory.task_embedding import TaskEmbedding, median_scale

__all__ = ["Entry", "Memory", "Recollection", "TaskEmbedding", "median_scale"]
