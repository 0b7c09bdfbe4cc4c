"""Families of tasks as endless, seeded streams of meta-batches."""

from metalearn_lib.core.task import MetaBatch, Task, check_task
from metalearn_lib.tasks.episodes import episodes, labelled_batches
from metalearn_lib.tasks.functions import linear_classification, linear_regression, sinusoids
from metalearn_lib.tasks.gaussian_process import gaussian_process_posterior, gaussian_processes
from metalearn_lib.tasks.stream import gather_tasks, starting_at, support_and_queries, task_stream

__all__ = [
    "MetaBatch",
    "Task",
    "check_task",
    "episodes",
    "gather_tasks",
    "gaussian_process_posterior",
    "gaussian_processes",
    "labelled_batches",
    "linear_classification",
    "linear_regression",
    "sinusoids",
    "starting_at",
    "support_and_queries",
    "task_stream",
]
