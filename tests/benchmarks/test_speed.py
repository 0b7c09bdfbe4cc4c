"""The speed benchmark: what it computes by itself, and agreement with the peers where they are installed."""

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest

import metalearn_lib as ml
from benchmarks import report
from benchmarks.speed import __main__ as speed
from benchmarks.speed.measuring import disagreement, timed
from benchmarks.speed.peers import problem
from benchmarks.speed.tables import quartiles, table
from benchmarks.speed.workloads import FRAMEWORKS, NEW_TASK, OMNIGLOT, PROTOTYPES, SINUSOID, WORKLOADS


def test_weights_are_in_the_order_of_keras():
    wanted = [
        (SINUSOID, ml.networks.mlp()),
        (OMNIGLOT, ml.networks.conv4(5)),
        (PROTOTYPES, ml.networks.conv4(pooling=True)),
    ]
    for work, model in wanted:
        assert [w.shape for w in problem.weights(work)] == [v.shape for v in model.trainable_variables]


def test_meta_batches_hold_other_tasks_and_all_labels():
    support_x, support_y, query_x, query_y = problem.meta_batches(replace(OMNIGLOT, tasks=2))
    assert support_x.shape == (4, 2, 5, 28, 28, 1) and query_x.shape == (4, 2, 25, 28, 28, 1)
    assert (support_y == np.arange(5)).all() and (query_y == np.repeat(np.arange(5), 5)).all()
    support_x, support_y, *_ = problem.meta_batches(SINUSOID)
    assert len(np.unique(support_x[..., 0, 0])) == 64 * 25
    assert np.abs(support_y).max() <= 5


def test_operations_counted_by_hand():
    """Two hidden units take 1·2 + 2·2 + 2·1 = 8 products, F = 16 operations.

    Two inner steps on 4 examples, second order, take 2 · 9 · 4 F, the backward pass of 5 queries 3 · 5 F; 3 tasks.
    A strided Conv4 makes 14², 7², 4² and 2² places of 9 products a channel and filter.
    """
    work = replace(SINUSOID, tasks=3, shots=4, queries=5, inner_steps=2, width=2)
    assert problem.operations(work) == 3 * (2 * 9 * 4 + 3 * 5) * 16
    assert problem.operations(replace(work, first_order=True)) == 3 * (2 * 3 * 4 + 3 * 5) * 16
    image = 2 * 9 * (14**2 * 1 * 64 + (7**2 + 4**2 + 2**2) * 64 * 64)
    assert problem.operations(OMNIGLOT) == 32 * 5 * (9 * 1 + 3 * 5) * image


@pytest.mark.parametrize(("length", "stride", "expected"), [(28, 2, (0, 1)), (7, 2, (1, 1)), (4, 2, (0, 1))])
def test_padding_is_that_of_tensorflow(length, stride, expected):
    assert problem.padding(length, stride) == expected


def rows() -> dict:
    """Ratios to JAX by round 1, 2 and 2: median 2, though the medians of the times are 2 and 1."""
    row = {"apart": 2e-16}
    for framework, ms in zip(FRAMEWORKS, ([1, 2, 4], [1, 1, 2], [400, 400, 400]), strict=True):
        row[framework] = {
            "version": f"{framework} 1",
            "first": 1.5,
            "ms": ms,
            "processor": [2, 2, 2],
            "bytes": 7_000_000,
        }
    return {"a new sinusoid, 1 step": row}


def test_ratios_are_paired_by_round():
    assert quartiles(rows()["a new sinusoid, 1 step"], "metalearn", "jax") == [1.5, 2, 2]
    line = table(rows()).splitlines()[-1]
    assert line == (
        "| a new sinusoid, 1 step | 2 | 1 | 400 | 2 [1.5, 2] (≤ 1.1) | 0.005 [0.00375, 0.0075] "
        "| 1 · 1 | 1.5 · 1.5 · 1.5 | 7 · 7 · 7 | 2e-16 |"
    )


def test_a_row_is_kept_and_the_section_written(tmp_path, monkeypatch):
    kept = tmp_path / "speed.json"
    kept.write_text(json.dumps(rows()))
    drawn = {part: {"version": "this 1", "first": 1.0, "ms": [2.0, 2.0], "bytes": 1} for part in ("memory", "drawn")}
    monkeypatch.setattr(speed, "ROWS", kept)
    monkeypatch.setattr(speed, "measure", lambda *_: {**drawn, "alone": drawn["memory"]})
    sections = {}
    monkeypatch.setattr(report, "write", sections.__setitem__)
    speed.main(["drawing sinusoids"])
    assert set(json.loads(kept.read_text())) == {"a new sinusoid, 1 step", "drawing sinusoids"}
    assert "a new sinusoid, 1 step" in sections["speed"]
    assert "| drawing sinusoids | 2 | 2 | 2 | 1 [1, 1] |" in sections["speed"]


def test_an_unknown_workload_is_named():
    with pytest.raises(SystemExit, match="NAME is 'speed', expected one of 'MAML, sinusoid, 1 inner step'"):
        speed.main(["speed"])


@pytest.mark.slow
def test_this_library_in_a_process_of_its_own():
    work = replace(NEW_TASK, width=8)
    row = timed({"once": ("metalearn", work), "again": ("metalearn", work)}, rounds=2, seconds=0.01)
    assert all(len(row[name]["ms"]) == 2 and min(row[name]["ms"]) > 0 for name in row)
    assert all(row[name]["bytes"] > 10**8 for name in row)  # TensorFlow alone takes more


@pytest.mark.parametrize("peer", ["jax", "torch"])
@pytest.mark.parametrize("name", ["MAML, sinusoid, 1 inner step", "a new 5-way task, Conv4, 1 step"])
def test_a_peer_computes_the_same(peer, name):
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is in the optional group `peers`, which is not installed")
    assert disagreement(WORKLOADS[name][0], ("metalearn", peer)) < speed.AGREEMENT
