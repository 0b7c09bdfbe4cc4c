"""A memory that goes back to an earlier state."""

import numpy as np
import pytest

import metalearn_lib as ml


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_is_truncated_is_as_if_it_had_not_been_stored(on_disk, tmp_path):
    rng = np.random.default_rng(0)
    tasks = [([rng.normal(size=3)], rng.normal(size=(2 + i % 3, 1)), rng.normal(size=(2 + i % 3, 1))) for i in range(9)]
    memory = ml.Memory(tmp_path / "memory" if on_disk else None)
    for task in tasks:
        memory.store(*task)
    memory.truncate(5)
    memory.store(*tasks[7])
    expected = ml.Memory(x_scale=memory._kind()[1].x_scale)
    for task in [*tasks[:5], tasks[7]]:
        expected.store(*task)
    for one in [memory, *([ml.Memory(tmp_path / "memory")] if on_disk else [])]:
        assert [e.weights[0].tolist() for e in one] == [e.weights[0].tolist() for e in expected]
        found = [(r.index, r.distance) for r in one.recall(*tasks[3][1:], k=6)]
        assert found == [(r.index, r.distance) for r in expected.recall(*tasks[3][1:], k=6)]
    memory.truncate(0)
    assert len(memory) == 0
    with pytest.raises(ValueError, match="num_entries is 1 but the memory holds 0 entries"):
        memory.truncate(1)
    with pytest.raises(ValueError, match="num_entries is -1"):
        memory.truncate(-1)


def test_another_process_says_that_entries_were_removed(tmp_path):
    memory = ml.Memory(tmp_path / "memory")
    for _ in range(3):
        memory.store([np.ones(2)], np.ones((1, 1)), np.ones((1, 1)))
    other = ml.Memory(tmp_path / "memory")
    memory.truncate(1)
    with pytest.raises(ValueError, match="another process removed some, open it anew"):
        len(other)


def test_the_state_of_a_memory_on_disk_is_on_disk(tmp_path):
    with pytest.raises(ValueError, match="the memory is on disk"):
        ml.Memory(tmp_path / "memory").state()
