"""The engine: what is trained, what is kept, and what two workers that are killed leave behind."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import metalearn_lib as ml
from metalearn_course.studies import Rival, results
from metalearn_course.studies.engine import is_stale, run
from tests.course.studies.conftest import TASKS, make

ROOT = Path(__file__).parents[3]


def test_every_rival_is_tuned_and_then_trained_with_every_seed(small, tmp_path):
    said: list[str] = []
    assert is_stale(small)
    run(small, tmp_path / "work", said.append)
    assert not is_stale(small)
    # Three rates with the tuning seed; then the best with five seeds, and the oracle once.
    assert len(said) == 3 + 5 + 1
    found = results("small")
    tuned, oracle = found["regret"]["tuned"], found["regret"]["oracle"]
    assert (tuned.trainings, oracle.trainings) == (5, None)
    assert (tuned - oracle).mean == pytest.approx(0.002, abs=1e-6)  # the mean of 0.001 · (0, 1, 2, 3, 4)
    about = found.about["rivals"]["tuned"]
    assert about["setting"] == {"rate": 0.2} and len(about["tried"]) == 3
    assert about["tried"][1][1][0] == pytest.approx(0.1 + float(about["tried"][1][1][0]) - 0.1)
    assert "tuned   rate=0.2 of 0.1..0.4 (3 tried)" in str(found)
    assert "oracle  not tuned: a formula" in str(found)


def test_a_wider_grid_trains_only_what_is_new(small, tmp_path):
    run(small, tmp_path, lambda line: None)
    said: list[str] = []
    run(small, tmp_path, said.append)
    assert said == []
    run(make(rates=(0.1, 0.2, 0.4, 0.8)), tmp_path, said.append)
    assert len(said) == 1 and "rate=0.8" in said[0]
    assert results("small").about["rivals"]["tuned"]["tried"][3] == [{"rate": 0.8}, None]  # it diverged


def test_several_tuning_seeds_are_averaged_so_that_one_lucky_training_does_not_choose(small, tmp_path):
    def lucky(seed, rate):
        if rate == 0.1 and seed == 101:
            raise ml.DivergedError("too far")
        return (rate - 0.2) ** 2 + (1.0 if rate == 0.2 and seed == 101 else 0.0)

    rivals = {"tuned": Rival(lucky, {"rate": [0.1, 0.2, 0.3, 0.4]})}
    for seeds, chosen, validated in (((100,), 0.2, 0.0), ((100, 101), 0.3, 0.01)):
        run(replace(small, rivals=rivals, tuning_seeds=seeds), tmp_path / "work", lambda line: None)
        about = results("small").about["rivals"]["tuned"]
        assert about["setting"] == {"rate": chosen}
        scores = {one["rate"]: score for one, score in about["tried"]}
        assert scores[chosen][0] == pytest.approx(validated + (TASKS[:10] ** 2).mean(), abs=1e-6)
    assert scores[0.1] is None  # one of its two trainings diverged
    assert scores[0.2][0] == pytest.approx(0.5 + (TASKS[:10] ** 2).mean(), abs=1e-6)


def test_a_best_value_at_the_edge_stores_nothing(small, tmp_path):
    with pytest.raises(ValueError, match=r"^grid\['rate'\] has its best value, 0.2, at the edge of 0.05..0.2"):
        run(make(rates=(0.05, 0.1, 0.2)), tmp_path, lambda line: None)
    assert is_stale(small) and list((tmp_path / "stored").iterdir()) == []


WORKER = """
import sys, time
from pathlib import Path
from metalearn_course.studies import engine, storage, study
from tests.course.studies import conftest

folder, quick = Path(sys.argv[1]), conftest.train
study.DECLARATIONS, storage.STORED = folder / "declarations", folder / "stored"

def slow(seed, rate):
    print("begun", flush=True)
    time.sleep(0.5)
    return quick(seed, rate)

conftest.train = slow
engine.run(conftest.make(), folder / "work", print)
"""


def worker(folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", WORKER, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def finished(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "work").glob("small-*.npz")}


@pytest.mark.slow
def test_workers_share_the_trainings_and_what_a_kill_leaves_is_finished(small, tmp_path):
    pair = [worker(tmp_path) for _ in range(2)]
    while len(finished(tmp_path)) < 3:
        assert all(one.poll() is None for one in pair)
        time.sleep(0.05)
    for one in pair:
        one.send_signal(signal.SIGKILL)
        one.wait()
    kept = finished(tmp_path)
    said, _ = worker(tmp_path).communicate(timeout=120)
    assert not is_stale(small) and results("small")["regret"]["tuned"].trainings == 5
    # Three to tune, five to measure and the oracle, which is not slow; nothing that was finished began again.
    oracle = len(finished(tmp_path)) - 8
    assert oracle == 1 and said.count("begun") == 8 - len(kept)
    assert kept.items() <= finished(tmp_path).items()
