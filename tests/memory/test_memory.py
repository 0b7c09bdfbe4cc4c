"""What is stored comes back bit by bit, recall is exact, and what does not belong is refused."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import metalearn_lib as ml

DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint32, np.bool_, ml_dtypes.bfloat16]
disk_too = pytest.mark.parametrize("on_disk", [False, True])


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def task(rng: np.random.Generator, examples: int = 5) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-5, 5, (examples, 1)).astype(np.float32)
    return x, (rng.uniform(0.1, 5) * np.sin(x - rng.uniform(0, np.pi))).astype(np.float32)


def network(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=shape).astype(np.float32) for shape in [(2, 10), (10,), (10, 2), (2,)]]


def filled(entries: int, seed: int = 0, **options) -> tuple[ml.Memory, list]:
    rng = np.random.default_rng(seed)
    stored = [(network(rng), *task(rng, 3 + i % 4)) for i in range(entries)]
    memory = ml.Memory(**options)
    for entry in stored:
        memory.store(*entry)
    return memory, stored


def thetas() -> st.SearchStrategy[list[np.ndarray]]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)

    def array(dtype: type, shape: tuple[int, ...], seed: int) -> np.ndarray:
        bits = np.random.default_rng(seed).bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize)
        drawn = np.frombuffer(bits, np.uint8) % 2 if dtype is np.bool_ else np.frombuffer(bits, dtype)
        drawn = drawn.astype(dtype)
        return np.where(np.isfinite(drawn), drawn, np.array(-0.0, dtype)).astype(dtype).reshape(shape)

    one = st.builds(array, st.sampled_from(DTYPES), shapes, st.integers(0, 2**32))
    return st.lists(one, min_size=1, max_size=4)


@disk_too
def test_any_shapes_and_dtypes_come_back_bit_by_bit(on_disk, tmp_path_factory):
    @settings(max_examples=15 if on_disk else 60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(thetas(), st.sampled_from([np.float64, np.float32, np.uint8]), st.integers(1, 6), st.integers(0, 99))
    def check(weights, x_dtype, examples, seed):
        rng = np.random.default_rng(seed)
        memory = ml.Memory(tmp_path_factory.mktemp("memory") / "new" if on_disk else None)
        stored = []
        for size in (examples, 7):
            entry = (weights, rng.integers(0, 9, (size, 3, 2)).astype(x_dtype), rng.integers(0, 4, size))
            stored.append(entry)
            memory.store(*entry)
        assert len(memory) == 2
        for entry, (theta, x, y) in zip(memory, stored, strict=True):
            assert len(entry.weights) == len(theta) and all(map(same, entry.weights, theta))
            assert same(entry.support_x, x) and same(entry.support_y, y)

    check()


@settings(max_examples=40, deadline=None)
@given(entries=st.integers(1, 40), seed=st.integers(0, 999), data=st.data())
def test_recall_is_brute_force(entries, seed, data):
    memory, stored = filled(entries, seed)
    k = data.draw(st.integers(1, entries))
    x, y = task(np.random.default_rng([seed, 1]), 6)
    embed = ml.memory.TaskEmbedding(ml.memory.median_scale(stored[0][1]))
    own = embed(x[None], y[None]).astype(np.float64)
    expected = [np.sqrt(((embed(a[None], b[None]) - own) ** 2).sum()) for _, a, b in stored]
    found = memory.recall(x, y, k)
    assert [r.index for r in found] == np.argsort(expected, kind="stable")[:k].tolist()
    np.testing.assert_allclose([r.distance for r in found], np.sort(expected)[:k], rtol=1e-6)
    assert all(same(r.entry.support_x, stored[r.index][1]) for r in found)


@settings(max_examples=30, deadline=None)
@given(entries=st.integers(1, 20), seed=st.integers(0, 999), data=st.data())
def test_a_task_recalls_itself_whatever_the_order_of_its_examples(entries, seed, data):
    memory, stored = filled(entries, seed)
    i = data.draw(st.integers(0, entries - 1))
    _, x, y = stored[i]
    [found] = memory.recall(x, y)
    assert (found.index, found.distance) == (i, 0)
    order = np.random.default_rng(seed).permutation(len(x))
    [shuffled] = memory.recall(x[order], y[order])
    assert shuffled.index == i and shuffled.distance < 1e-5


def test_in_the_process_and_on_disk_agree(tmp_path):
    here, stored = filled(30)
    there, _ = filled(30, path=tmp_path / "memory")
    reopened = ml.Memory(tmp_path / "memory")
    rng = np.random.default_rng(7)
    x, y = (np.stack(column) for column in zip(*[task(rng) for _ in range(8)], strict=True))
    indices, distances = here.recall_many(x, y, 4)
    for memory in (there, reopened):
        again, also = memory.recall_many(x, y, 4)
        np.testing.assert_array_equal(again, indices)
        np.testing.assert_array_equal(also, distances)
        assert all(map(same, memory.transfer(x[0], y[0]), here.transfer(x[0], y[0])))
        assert all(map(same, memory.transfer_many(x, y, 3), here.transfer_many(x, y, 3)))
        assert repr(memory) == repr(here)
    assert all(map(same, reopened[-1].weights, stored[-1][0]))


def test_a_batch_is_the_same_as_one_by_one():
    rng = np.random.default_rng(8)
    weights = [rng.normal(size=(20, 4, 3)), rng.normal(size=(20, 3)).astype(np.float32)]
    x, y = (np.stack(column) for column in zip(*[task(rng) for _ in range(20)], strict=True))
    one_by_one, together = ml.Memory(), ml.Memory()
    for i in range(20):
        one_by_one.store([w[i] for w in weights], x[i], y[i])
    together.store_many(weights, x, y)
    for a, b in zip(one_by_one, together, strict=True):
        assert all(map(same, a.weights, b.weights)) and same(a.support_x, b.support_x)
    for a, b in zip(one_by_one.recall_many(x, y, 3), together.recall_many(x, y, 3), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    for i in range(20):
        assert [r.index for r in together.recall(x[i], y[i], 3)] == together.recall_many(x, y, 3)[0][i].tolist()


def test_equally_near_entries_come_in_the_order_they_were_stored():
    memory, rng = ml.Memory(), np.random.default_rng(9)
    x, y = task(rng)
    for _ in range(50):
        memory.store(network(rng), x, y)
    assert [r.index for r in memory.recall(x, y, 4)] == [0, 1, 2, 3]


def test_classes_may_come_later_and_be_asked_for_before():
    rng = np.random.default_rng(10)
    x = rng.normal(size=(6, 2))
    memory = ml.Memory(x_scale=1.0)
    memory.store([np.zeros(2)], x, np.zeros(6, int))
    memory.store([np.ones(2)], x, np.arange(6) % 2)
    far = memory.recall(x, np.arange(6) % 4, 2)  # two classes more than any entry
    exact = [
        ml.memory.TaskEmbedding(1.0)(x[None], np.eye(4)[labels][None])
        for labels in (np.arange(6) % 2, np.arange(6) % 4)
    ]
    assert far[0].index == 1
    assert far[0].distance == pytest.approx(np.sqrt(((exact[0] - exact[1]) ** 2).sum()), rel=1e-5)
    memory.store([np.full(2, 2.0)], x, np.arange(6) % 4)
    assert [r.index for r in memory.recall(x, np.arange(6) % 4, 3)] == [2, 1, 0]
    assert [r.index for r in memory.recall(x, np.zeros(6, int), 1)] == [0]


def test_transfer_starts_from_the_nearest_or_from_the_mean_of_the_nearest():
    memory, rng = ml.Memory(), np.random.default_rng(11)
    x = rng.uniform(-5, 5, (5, 1))
    for i, scale in enumerate([1.0, 1.1, 9.0]):
        memory.store([np.full(3, 2.0 * i, np.float32), np.array(i)], x, scale * np.sin(x))
    first, count = memory.transfer(x, np.sin(x))
    assert same(first, np.zeros(3, np.float32)) and count == 0
    mean, count = memory.transfer(x, np.sin(x), k=2)  # of entries 0 and 1: (0 + 2) / 2; a count is not averaged
    assert same(mean, np.ones(3, np.float32)) and count == 0
    mean[:] = 7
    assert (memory[0].weights[0] == 0).all()


def test_what_was_stored_or_recalled_may_be_changed_without_harm():
    memory, rng = ml.Memory(), np.random.default_rng(12)
    weights, (x, y) = network(rng), task(rng)
    kept = [w.copy() for w in weights]
    memory.store(weights, x, y)
    weights[0][:] = 0
    memory[0].weights[1][:] = 0
    assert all(map(same, memory[0].weights, kept))


def test_the_table_shows_the_last_entries():
    assert repr(ml.Memory()) == "Memory, empty"
    memory, _ = filled(7)
    lines = repr(memory).splitlines()
    assert lines[0] == "Memory: the last 5 of 7 entries" and len(lines) == 7
    html = memory._repr_html_()
    assert html.count("<tr>") == 6 and html.count("<td>6</td>") >= 1
    labelled = ml.Memory()
    labelled.store([np.array([3.0, 4.0])], np.eye(3), np.array([0, 0, 1]))
    assert " ".join(repr(labelled).splitlines()[-1].split()) == "0 3.00 4.00 5.00 3 2 of class 0, 1 of class 1"


def test_indices():
    memory, _ = filled(3)
    assert same(memory[-1].support_x, memory[2].support_x)
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"index is {index} but the memory holds 3 entries"):
            memory[index]
    with pytest.raises(TypeError):
        memory["0"]


W = [np.zeros((2, 2), np.float32), np.zeros(2, np.float32)]
X, Y = np.zeros((4, 3), np.float32), np.array([0, 1, 0, 1], np.int32)


def put(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[1] = value
    return array


REFUSED = {
    "nan weight": ((([put(W[0], np.nan), W[1]]), X, Y), r"weights\[0\] has 1 NaN or infinite numbers out of 4"),
    "bfloat16 nan": (
        ([W[0], put(W[1].astype(ml_dtypes.bfloat16), np.inf)], X, Y),
        r"weights\[1\] has 1 NaN or infinite numbers out of 2",
    ),
    "nan x": ((W, put(X, np.nan), Y), "support_x has 1 NaN or infinite numbers out of 12"),
    "infinite y": ((W, X, put(np.zeros((4, 1)), np.inf)), "support_y has 1 NaN or infinite"),
    "empty support": ((W, X[:0], Y[:0]), r"support_x has shape \[0, 3\] and is empty, expected at least one example"),
    "unequal": ((W, X, Y[:3]), r"support_x has shape \[4, 3\], support_y \[3\], expected a target for each example"),
    "scalar x": ((W, np.float32(1), Y), r"support_x has shape \[\], expected \[S, ...\]"),
    "negative label": ((W, X, Y - 1), r"support_y has labels -1..0, expected 0..999 at most"),
    "one-hot integers": ((W, X, np.eye(4, dtype=int)), "support_y has integer shape .* expected one label for each"),
    "text": ((W, X, ["a"] * 4), "support_y has dtype <U1, expected real numbers"),
    "ragged": ((W, [[1.0], [1.0, 2.0]], Y), "support_x is list, expected an array of numbers"),
    "objects": (([None], X, Y), r"weights\[0\] has dtype object, expected real numbers"),
    "complex": (([W[0] * 1j, W[1]], X, Y), r"weights\[0\] has dtype complex64, expected real numbers"),
    "one array": ((W[0], X, Y), "weights is ndarray, expected a list of arrays"),
    "no weights": (([], X, Y), "weights is an empty list, expected at least one array"),
    "fewer weights": ((W[:1], X, Y), "weights has 1 arrays but the entries of this memory have 2"),
    "other shape": (
        ([np.zeros((3, 2), np.float32), W[1]], X, Y),
        r"weights\[0\] is float32 \[3, 2\] but .* float32 \[2, 2\]",
    ),
    "other dtype": (([W[0], np.zeros(2)], X, Y), r"weights\[1\] is float64 \[2\] but the entries .* float32 \[2\]"),
    "other x": ((W, X[:, :2], Y), r"support_x has examples of float32 \[2\] but .* float32 \[3\]"),
    "other y": ((W, X, Y.astype(np.float32)), r"support_y has targets of float32 \[\] but .* int32 \[\]"),
}


@disk_too
def test_what_does_not_belong_is_refused_in_one_sentence_and_nothing_is_lost(on_disk, tmp_path):
    memory = ml.Memory(tmp_path / "memory" if on_disk else None)
    memory.store(W, X, Y)
    for name, (entry, sentence) in REFUSED.items():
        with pytest.raises((ValueError, TypeError), match=sentence) as caught:
            memory.store(*entry)
        assert "\n" not in str(caught.value), name
    assert len(memory) == 1
    memory.store(W, X, Y)
    assert len(memory) == 2 and same(memory[0].support_x, X)


def test_recall_refuses_what_cannot_be_compared():
    memory = ml.Memory()
    with pytest.raises(ValueError, match="the memory is empty"):
        memory.recall(X, Y)
    memory.store(W, X, Y)
    with pytest.raises(ValueError, match=r"k is 2 but the memory holds 1 entries, expected 1\.\.1"):
        memory.recall(X, Y, 2)
    for k in (0, 1.0):
        with pytest.raises(ValueError, match=f"k is {k}"):
            memory.recall(X, Y, k)
    with pytest.raises(ValueError, match=r"support_x has examples \[2\] but the entries of this memory have \[3\]"):
        memory.recall(X[:, :2], Y)
    with pytest.raises(ValueError, match=r"support_y is values of a floating type but .* have integer labels"):
        memory.recall(X, Y.astype(float))
    with pytest.raises(ValueError, match=r"weights\[0\] has shape \[2, 2\], expected \[1, ...\] for as many tasks"):
        memory.store_many(W, X[None], Y[None])


def test_importing_memory_imports_neither_tensorflow_nor_lancedb():
    heavy = "{'tensorflow', 'keras', 'lancedb', 'pyarrow'} & set(sys.modules)"
    code = f"import sys; from metalearn_lib.memory.memory import Memory; Memory(); sys.exit(str({heavy} or '') or 0)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).returncode == 0
