"""Runs a study: any number of equal workers, on one machine or many, that may be killed and started again.

Optuna hands out the trainings from a journal file that all workers share. The scores of a finished training are a
file of their own, so that a wider grid, or a worker that starts again, trains only what is missing.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from metalearn_course.studies.storage import file_of, results, store
from metalearn_course.studies.study import Study
from metalearn_lib.core.extras import import_extra
from metalearn_lib.core.training.divergence import DivergedError
from metalearn_lib.evaluation import Score
from metalearn_lib.evaluation.tuning import all_settings, best_setting

PACKAGES = ("tensorflow", "keras", "numpy", "metalearn_lib")


@dataclass(frozen=True)
class Job:
    """One training: a rival with a setting and a seed; to choose the setting, or to be measured."""

    rival: str
    setting: dict[str, Any]
    seed: int
    tuning: bool


def is_stale(study: Study) -> bool:
    """Whether the stored results of a study are missing, or of another declaration."""
    return not file_of(study.name).exists() or results(study.name).about["declaration"] != study.declaration()


def run(study: Study, folder: Path, say: Callable[[str], None] = print) -> Path:
    """Run what is missing of a study, and store its results.

    Args:
        study: what to run.
        folder: of the journal and of finished trainings, shared by all workers.
        say: gets a line for each training.

    Returns:
        The file of results.

    Raises:
        ImportError: without Optuna.
        ValueError: if the best value of a rival lies at the edge of its grid.
    """
    tuning = [
        Job(name, setting, seed, True)
        for name, rival in study.rivals.items()
        if rival.grid
        for setting in all_settings(rival.grid)
        for seed in study.tuning_seeds
    ]
    done = _run_all(study, tuning, folder, say)
    about: dict[str, Any] = {}
    jobs: list[Job] = []
    for name, rival in study.rivals.items():
        tried: list[tuple[dict[str, Any], Score | None]] = []
        for setting in all_settings(rival.grid) if rival.grid else ():
            same = [i for i, job in enumerate(tuning) if (job.rival, job.setting) == (name, setting)]
            tried.append((setting, _average([done[i].scores.get("validation") for i in same])))
        setting = best_setting(rival.grid, tried) if rival.grid else {}
        about[name] = {
            "setting": setting,
            "grid": {argument: list(values) for argument, values in rival.grid.items()},
            "untuned": rival.untuned,
            "tried": [[one, score and [round(score.mean, 6), round(score.half_width, 6)]] for one, score in tried],
        }
        jobs += [Job(name, setting, seed, False) for seed in (study.seeds if rival.trained else study.seeds[:1])]
    measured = _run_all(study, jobs, folder, say)
    found = {name: [measured[i].scores for i, job in enumerate(jobs) if job.rival == name] for name in study.rivals}
    minutes = sum(one.seconds for one in [*done, *measured]) / 60
    return store(
        study.name,
        {
            "study": study.name,
            "chapter": study.chapter,
            "question": study.question,
            "budget": study.budget,
            "declaration": study.declaration(),
            "seeds": list(study.seeds),
            "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
            "minutes": round(minutes, 1),
            "rivals": about,
        },
        found,
    )


def _average(scores: list[Score | None]) -> Score | None:
    """The score of each task on average over trainings; none where one diverged."""
    found = [score for score in scores if score is not None]
    if len(found) < len(scores):
        return None
    return Score(np.mean([score.values for score in found], axis=0), found[0].measure, found[0].tasks)


@dataclass(frozen=True)
class Done:
    """What a training came to: scores by measurement, none where it diverged, and the seconds that it took."""

    scores: dict[str, Score]
    seconds: float


def _run_all(study: Study, jobs: list[Job], folder: Path, say: Callable[[str], None]) -> list[Done]:
    """Run jobs together with all other workers; returns when every one is done."""
    paths = [_path(study, job, folder) for job in jobs]
    missing = [i for i, path in enumerate(paths) if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        optuna = import_extra("optuna", "studies")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        journal = import_extra("optuna.storages.journal", "studies")
        backend = journal.JournalFileBackend(
            str(folder / "journal"), journal.JournalFileOpenLock(str(folder / "journal"))
        )
        names = [path.stem for path in paths]
        digest = hashlib.sha256("".join(names).encode()).hexdigest()[:16]

        def train(trial: Any) -> float:
            index = names.index(trial.suggest_categorical("job", names))
            if not paths[index].exists():
                seconds = _train(study, jobs[index], paths[index])
                done = sum(path.exists() for path in paths)
                say(f"{study.name}: {done} of {len(paths)}, {_shown(jobs[index])}: {seconds:.0f} s")
            return 0.0

        optuna.create_study(
            storage=optuna.storages.JournalStorage(backend),
            study_name=f"{study.name} {digest}",
            sampler=optuna.samplers.GridSampler({"job": names}, seed=0),
            load_if_exists=True,
        ).optimize(train, gc_after_trial=True)
        # A worker that was killed leaves its training to whoever comes last.
        for job, path in zip(jobs, paths, strict=True):
            if not path.exists():
                _train(study, job, path)
    return [_read(path) for path in paths]


def _train(study: Study, job: Job, path: Path) -> float:
    keras.backend.clear_session()
    keras.utils.set_random_seed(job.seed)
    begun = time.perf_counter()
    try:
        learner = study.rivals[job.rival].train(job.seed, **job.setting)
        scores: Mapping[str, Score] = (
            {"validation": study.validate(learner)} if job.tuning else dict(study.measure(learner))
        )
    except DivergedError:
        if not job.tuning:
            raise
        scores = {}
    seconds = time.perf_counter() - begun
    about = {name: [score.measure, score.tasks] for name, score in scores.items()}
    part = path.with_suffix(f".{os.getpid()}.part")
    with open(part, "wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            about=json.dumps({"job": asdict(job), "seconds": seconds, "measures": about}),
            **{name: score.values for name, score in scores.items()},
        )
    os.replace(part, path)
    return seconds


def _read(path: Path) -> Done:
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        scores = {name: Score(arrays[name], measure, tasks) for name, (measure, tasks) in about["measures"].items()}
    return Done(scores, about["seconds"])


def _path(study: Study, job: Job, folder: Path) -> Path:
    key = json.dumps([study.code(), asdict(job)], sort_keys=True)
    return folder / f"{study.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


def _shown(job: Job) -> str:
    setting = "".join(f" {name}={value}" for name, value in job.setting.items())
    return f"{'tuning' if job.tuning else 'measuring'} {job.rival}{setting}, seed {job.seed}"
