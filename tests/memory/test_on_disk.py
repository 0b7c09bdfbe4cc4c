"""A memory on disk: killed, read while written, damaged, confused with something else."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_lib.memory import on_disk

# Every entry follows from its index, so that another process can tell whether it is intact. Merging small files is
# made frequent: a kill or a reader should meet it.
COMMON = """
import sys
import lancedb
import numpy as np
from metalearn_lib.memory import on_disk
from metalearn_lib.memory import Memory

on_disk._FILES = 7

def entry(i):
    rng = np.random.default_rng(i)
    x = rng.normal(size=(3 + i % 3, 2))
    return [rng.normal(size=(2, 3)), rng.integers(9, size=4)], x, rng.normal(size=(len(x), 1)) * (1 + i)

def intact(i, kept):
    theta, x, y = entry(i)
    arrays = [*kept.weights, kept.support_x, kept.support_y]
    return all(a.tobytes() == b.tobytes() for a, b in zip(arrays, [*theta, x, y], strict=True))
"""

WRITER = (
    COMMON
    + """
memory = Memory(sys.argv[1])
print("ready", flush=True)
for i in range(len(memory), int(sys.argv[2])):
    memory.store(*entry(i))
    print(i, flush=True)
"""
)

BEGINNER = (
    COMMON
    + """
memory = Memory(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
memory.store(*entry(2 * int(sys.argv[2])))
memory.store(*entry(2 * int(sys.argv[2]) + 1))
"""
)

READER = (
    COMMON
    + """
memory, seen, looks = Memory(sys.argv[1]), 0, set()
print("ready", flush=True)
while seen < int(sys.argv[2]):
    n = len(memory)
    assert n >= seen, f"{n} entries after {seen}"
    for i in range(seen, n):
        assert intact(i, memory[i]), f"entry {i} differs"
    if n:
        [found] = memory.recall(*entry(n - 1)[1:])
        assert found.index == n - 1 and found.distance == 0, found
    seen = n
    looks.add(n)
assert all(intact(i, kept) for i, kept in enumerate(memory))
print(len(looks), flush=True)
"""
)

shared: dict = {}
exec(COMMON, shared)
entry, intact = shared["entry"], shared["intact"]


def start(code: str, path: Path, entries: int) -> subprocess.Popen:
    command = [sys.executable, "-c", code, str(path), str(entries)]
    return subprocess.Popen(command, text=True, **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE))


@pytest.mark.slow
def test_an_acknowledged_entry_survives_kill_9(tmp_path):
    path, chance, acknowledged = tmp_path / "memory", random.Random(0), -1
    # The first children die while the table is being made, the others after a few entries, anywhere within a store.
    for entries_first in (0, 0, 0, 3, 12, 20):
        child = start(WRITER, path, 10**6)
        assert child.stdout.readline() == "ready\n"
        for _ in range(entries_first):
            acknowledged = int(child.stdout.readline())
        time.sleep(chance.uniform(0, 0.02))
        child.kill()
        rest, errors = child.communicate(timeout=30)
        assert errors == ""
        for line in rest.splitlines():
            acknowledged = int(line)
        memory = ml.Memory(path)
        # One more may have been stored and not been acknowledged; the next child goes on after it.
        assert len(memory) - (acknowledged + 1) in (0, 1)
        assert all(intact(i, kept) for i, kept in enumerate(memory))
        acknowledged = len(memory) - 1
    assert acknowledged >= 34
    memory.store(*entry(len(memory)))
    assert intact(len(memory) - 1, memory[-1])


def test_a_first_store_that_died_half_way_leaves_an_empty_memory(tmp_path):
    """The table is made beside its place, and renamed when it is whole."""
    (tmp_path / "memory" / ".new-1" / "memory.lance" / "data").mkdir(parents=True)
    (tmp_path / "memory" / ".new-1" / "memory.lance" / "data" / "1010.lance").write_bytes(b"half")
    memory = ml.Memory(tmp_path / "memory")
    assert len(memory) == 0
    memory.store(*entry(0))
    assert intact(0, ml.Memory(tmp_path / "memory")[0])


@pytest.mark.slow
@pytest.mark.parametrize("race", range(8))
def test_who_begins_a_memory_at_the_same_moment_loses_no_entry(race, tmp_path):
    """Without the rename one of the tables replaced the other, in a third of such races."""
    processes = [start(BEGINNER, tmp_path / "memory", n) for n in range(3)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 3
    kept = list(ml.Memory(tmp_path / "memory"))
    assert len(kept) == 6
    assert all(any(intact(i, one) for one in kept) for i in range(6))
    assert [path.name for path in (tmp_path / "memory").iterdir()] == ["memory.lance"]


def test_who_is_second_to_begin_meets_what_the_first_wrote(tmp_path, monkeypatch):
    first, second = ml.Memory(tmp_path / "memory"), ml.Memory(tmp_path / "memory")
    begin = second._rows._begin

    def overtaken(batch):
        if not len(first):
            first.store(*entry(0))
        return begin(batch)

    monkeypatch.setattr(second._rows, "_begin", overtaken)
    weights, x, y = entry(1)
    with pytest.raises(ValueError, match="they belong to another model"):
        second.store(weights[:1], x, y)
    second.store(weights, x, y)
    assert [intact(i, kept) for i, kept in enumerate(ml.Memory(tmp_path / "memory"))] == [True, True]


def test_a_folder_without_its_versions_is_refused(tmp_path):
    ml.Memory(tmp_path / "memory").store(*entry(0))
    shutil.rmtree(tmp_path / "memory" / "memory.lance" / "_versions")
    with pytest.raises(ValueError, match="damaged or out of reach"):
        ml.Memory(tmp_path / "memory")


@pytest.mark.slow
def test_a_flipped_byte_gives_no_wrong_entry(tmp_path):
    """Anywhere in the files: either everything is as it was, or one sentence says that the memory is damaged."""
    memory = ml.Memory(tmp_path / "memory")
    for i in range(4):
        memory.store(*entry(i))
    files = sorted((tmp_path / "memory").rglob("*.lance")) + sorted((tmp_path / "memory").rglob("*.manifest"))
    rng, refused = random.Random(0), 0
    for place in range(120):
        file = rng.choice([file for file in files if file.is_file()])
        whole = file.read_bytes()
        at = rng.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
        try:
            kept = list(ml.Memory(tmp_path / "memory"))
            assert len(kept) == 4 and all(intact(i, one) for i, one in enumerate(kept)), (place, file, at)
        except ValueError as error:
            assert str(tmp_path / "memory") in str(error), (place, file, at)
            refused += 1
        finally:
            file.write_bytes(whole)
    assert refused > 40
    assert len(ml.Memory(tmp_path / "memory")) == 4


@pytest.mark.slow
def test_two_processes_read_while_one_writes(tmp_path):
    readers = [start(READER, tmp_path / "memory", 80) for _ in range(2)]
    assert [reader.stdout.readline() for reader in readers] == ["ready\n", "ready\n"]
    writer = start(WRITER, tmp_path / "memory", 80)
    outputs = [process.communicate(timeout=120) for process in (writer, *readers)]
    assert [errors for _, errors in outputs] == ["", "", ""]
    assert all(int(output) > 3 for output, _ in outputs[1:]), "the readers saw no growth"


def test_two_writers_lose_nothing(tmp_path):
    first, second = ml.Memory(tmp_path / "memory"), ml.Memory(tmp_path / "memory")
    for i in range(0, 12, 2):
        first.store(*entry(i))
        second.store(*entry(i + 1))
    assert len(first) == len(second) == 12
    assert all(intact(i, kept) for i, kept in enumerate(first))


def test_merging_small_files_keeps_every_entry_in_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(on_disk, "_FILES", 10)
    memory, early = ml.Memory(tmp_path / "memory"), None
    for i in range(45):
        memory.store(*entry(i))
        early = early or ml.Memory(tmp_path / "memory")
    assert memory._rows._table.stats()["fragment_stats"]["num_fragments"] <= 10
    for reader in (memory, early, ml.Memory(tmp_path / "memory")):
        assert len(reader) == 45 and all(intact(i, kept) for i, kept in enumerate(reader))


def test_a_reopened_memory_embeds_as_before(tmp_path):
    memory = ml.Memory(tmp_path / "memory", x_scale=[0.5, 2.0])
    for i in range(5):
        memory.store(*entry(i))
    again = ml.Memory(tmp_path / "memory")
    assert again.recall(*entry(3)[1:])[0].distance == 0
    assert ml.Memory(tmp_path / "memory", x_scale=(0.5, 2)).recall(*entry(3)[1:])[0].index == 3
    with pytest.raises(ValueError, match=r"x_scale is 1.0, expected \(0.5, 2.0\), with which the memory was begun"):
        ml.Memory(tmp_path / "memory", x_scale=1.0)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_another_model_is_refused_and_the_files_stay_as_they_are(tmp_path):
    memory = ml.Memory(tmp_path / "memory")
    memory.store(*entry(0))
    before = content(tmp_path)
    theta, x, y = entry(1)
    reopened = ml.Memory(tmp_path / "memory")
    for refused in [
        (theta[:1], x, y),
        ([theta[0].astype(np.float32), theta[1]], x, y),
        (theta, x[:, :1], y),
        ([theta[0] * np.nan, theta[1]], x, y),
    ]:
        with pytest.raises(ValueError, match=r"entries of this memory|NaN"):
            reopened.store(*refused)
    assert content(tmp_path) == before


@pytest.mark.parametrize("part", ["data/*.lance", "_versions/*.manifest"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.98])
def test_a_truncated_file_is_named_and_left_alone(part, kept, tmp_path):
    memory = ml.Memory(tmp_path / "memory")
    for i in range(3):
        memory.store(*entry(i))
    for file in (tmp_path / "memory" / "memory.lance").glob(part):
        os.truncate(file, int(kept * file.stat().st_size))
    before = content(tmp_path)
    with pytest.raises(ValueError, match=r"path is '.*memory', whose table is damaged or out of reach \(.*") as caught:
        ml.Memory(tmp_path / "memory")
    assert "\n" not in str(caught.value)
    assert content(tmp_path) == before


def test_what_something_else_wrote_is_refused_and_left_alone(tmp_path):
    import lancedb

    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "photo.png").write_bytes(b"mine")
    (tmp_path / "same_name" / "memory.lance" / "_versions").mkdir(parents=True)
    (tmp_path / "same_name" / "memory.lance" / "_versions" / "1.manifest").write_text("mine")
    lancedb.connect(tmp_path / "other").create_table("memory", [{"text": "mine"}])
    before = content(tmp_path)
    for name, sentence in {
        "notes.txt": "a file, expected a new folder or one that a Memory wrote",
        "folder": r"holds other files \(photo.png\), expected a folder for a memory only",
        "same_name": "whose table is damaged or out of reach",
        "other": "a table that something else wrote, expected one of a Memory",
    }.items():
        with pytest.raises(ValueError, match=f"path is '.*{name}'.*{sentence}"):
            ml.Memory(tmp_path / name)
    assert content(tmp_path) == before


def test_no_pickle_on_disk_and_a_header_that_people_can_read(tmp_path):
    memory = ml.Memory(tmp_path / "memory")
    memory.store(*entry(0))
    header = json.loads(memory._rows.header())
    assert header["signature"]["weights"][0] == {"shape": [2, 3], "dtype": "float64"}
    assert set(header["embedding"]) == {"x_scale", "features", "ridge", "seed"}
    assert not any(b"numpy" in data or b"pickle" in data for data in content(tmp_path).values())
