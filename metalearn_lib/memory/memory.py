"""The memory M = {(θ₁, D₁), ..., (θₙ, Dₙ)}: the weights that learning reached, with the task that led there.

`store` adds an entry, iteration walks over them, `recall` finds the entries whose tasks are nearest to a new
support set, and `transfer` gives weights to start from. What "near" means is in `metalearn_lib.memory.task_embedding`.
"""

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import at_least, instances
from metalearn_lib.memory.display import Entry, Recollection, as_html, as_text, cells
from metalearn_lib.memory.in_process import InProcess
from metalearn_lib.memory.index import Index
from metalearn_lib.memory.on_disk import OnDisk
from metalearn_lib.memory.serialization import Signature, from_bytes, from_header, to_bytes, to_header
from metalearn_lib.memory.task_embedding import TaskEmbedding, median_scale
from metalearn_lib.memory.validation import checked_support, checked_weights

__all__ = ["Entry", "Memory", "Recollection"]


class Memory:
    """The memory M = {(θᵢ, Dᵢ)}, in the process or on disk.

    All entries belong to one model and one kind of task: they share the shapes and dtypes of θ and of an example,
    which the first entry fixes; the number of examples may differ. What is refused leaves the memory as it was.
    On disk, an entry survives the death of the process from the moment `store` returns, and other processes may
    read meanwhile and see what is added.

    Args:
        path: a folder for a memory on disk (a LanceDB table), made by the first `store`; None keeps it in the
            process.
        x_scale: length over which an answer is expected to stay the same, in the units of x, or one length for each
            feature; None takes half the median distance between the examples of the first support set stored.

    Raises:
        TypeError: if `path` is no path, or `x_scale` no number.
        ValueError: if `path` is a URL, or holds something else, or a damaged memory, or one with another `x_scale`.
    """

    def __init__(self, path: str | PathLike | None = None, x_scale: float | Sequence[float] | None = None) -> None:
        self._x_scale = None if x_scale is None else TaskEmbedding.of(x_scale).x_scale
        self._begun: tuple[Signature, TaskEmbedding] | None = None
        self._rows: InProcess | OnDisk = InProcess() if path is None else OnDisk(path)
        self._index = Index()
        self._look()

    def _meet(self) -> None:
        """Learns what the entries look like, if another Memory has begun the table."""
        if self._begun is None and (header := self._rows.header()) is not None:
            signature, embed = from_header(header)
            if self._x_scale not in (None, embed.x_scale):
                raise ValueError(
                    f"x_scale is {self._x_scale}, expected {embed.x_scale}, with which the memory was begun"
                )
            self._begun = signature, embed

    def _kind(self) -> tuple[Signature, TaskEmbedding]:
        """What all entries look like, and how their tasks are embedded."""
        if self._begun is None:
            raise ValueError("the memory is empty: store an entry before recalling one")
        return self._begun

    def _look(self) -> None:
        """Takes in what was stored since the last look, here or by another process."""
        self._meet()
        for embedded in self._rows.news():
            self._index.append(embedded)

    def store(self, weights: Sequence[ArrayLike], support_x: ArrayLike, support_y: ArrayLike) -> None:
        """Adds the entry (θ, D).

        Args:
            weights: θ, as `model.get_weights()` gives it; any shapes and numeric dtypes.
            support_x: the examples of D [S, ...], S ≥ 1.
            support_y: labels [S] of an integer type, or values [S, ...] of a floating type.

        Raises:
            TypeError, ValueError: if anything is not numeric, not finite, empty, or of another model or task.
        """
        arrays = checked_weights(weights)
        x, y = checked_support(support_x, support_y, 1)
        self._store([w[None] for w in arrays], x[None], y[None])

    def store_many(self, weights: Sequence[ArrayLike], support_x: ArrayLike, support_y: ArrayLike) -> None:
        """Adds T entries at once: all of them or, where one is refused, none.

        Args:
            weights: arrays [T, ...], the θ of each task.
            support_x: [T, S, ...].
            support_y: [T, S] or [T, S, ...].

        Raises:
            TypeError, ValueError: as `store`.
        """
        arrays = checked_weights(weights)
        x, y = checked_support(support_x, support_y, 2)
        for i, w in enumerate(arrays):
            if w.shape[:1] != x.shape[:1]:
                raise ValueError(f"weights[{i}] has shape {list(w.shape)}, expected [{len(x)}, ...] for as many tasks")
        self._store(arrays, x, y)

    def _store(self, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> None:
        signature = Signature.of(weights, x, y)
        blobs = signature.pack(weights), to_bytes(x, 2), to_bytes(y, 2)
        while True:  # twice at most: where another process begins the table meanwhile
            self._meet()
            if self._begun is None:
                embed = TaskEmbedding.of(median_scale(x[0]) if self._x_scale is None else self._x_scale)
            else:
                own, embed = self._begun
                own.refuse_other(signature)
            if self._rows.append(to_header(signature, embed), *blobs, embed(x, y)):
                self._begun = signature, embed
                return

    def truncate(self, num_entries: int) -> None:
        """Forgets all but the first entries. Other processes that have a memory on disk open must open it anew.

        Args:
            num_entries: how many to keep, 0..len(memory).

        Raises:
            TypeError, ValueError: if it is not a whole number in 0..len(memory).
        """
        at_least(0, num_entries=num_entries)
        if num_entries > len(self):
            raise ValueError(f"num_entries is {num_entries} but the memory holds {len(self)} entries")
        self._rows.truncate(num_entries)
        self._index.truncate(num_entries)

    @property
    def on_disk(self) -> bool:
        """Whether the entries outlive the process."""
        return isinstance(self._rows, OnDisk)

    def state(self) -> dict[str, np.ndarray]:
        """The entries of a memory in the process as arrays, for `load_state`; ValueError if it is on disk."""
        if isinstance(self._rows, OnDisk):
            raise ValueError("the memory is on disk: its entries are saved already")
        if not len(self):
            return {}
        header = np.frombuffer(to_header(*self._kind()).encode(), np.uint8)
        return {**self._rows.state(), "embeddings": self._index.vectors, "header": header}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Holds the entries that `state` gave, and no others, in the process.

        Args:
            state: as `state` gave it.

        Raises:
            ValueError: if it is anything else.
        """
        if not isinstance(state, dict) or (state and len(state) != 6):
            raise ValueError(f"state is a {type(state).__name__}, expected the arrays that `Memory.state()` gave")
        self._rows, self._index, self._begun = InProcess(), Index(), None
        if state:
            self._rows = InProcess.of_state(state)
            self._index.append(np.asarray(state["embeddings"], np.float32))
            self._begun = from_header(bytes(state["header"]).decode())

    def __len__(self) -> int:
        self._look()
        return len(self._index)

    def __getitem__(self, index: int) -> Entry:
        instances((int, np.integer), "a whole number", index=index)
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"index is {index} but the memory holds {n} entries")
        return self._entries([index % n])[0]

    def __iter__(self) -> Iterator[Entry]:
        n = len(self)
        if not n:
            return
        at_once = max(1, min(256, 2**24 // max(1, self._kind()[0].weight_bytes)))
        for start in range(0, n, at_once):
            yield from self._entries(range(start, min(start + at_once, n)))

    def _entries(self, indices: Sequence[int]) -> list[Entry]:
        s, _ = self._kind()
        entries = []
        for blob, x, y in self._rows.read(indices):
            examples = (len(x),)
            entries.append(Entry(s.unpack(blob), from_bytes(x, s.x, examples), from_bytes(y, s.y, examples)))
        return entries

    def recall(self, support_x: ArrayLike, support_y: ArrayLike, k: int = 1) -> list[Recollection]:
        """The k entries whose tasks are nearest to a support set, nearest first.

        Args:
            support_x: [S, ...].
            support_y: [S] or [S, ...].
            k: how many, 1..len(memory).

        Returns:
            k Recollections; of equally near ones the earlier entry comes first.

        Raises:
            TypeError, ValueError: if the support set is not of the kind stored, or k not in 1..len(memory).
        """
        x, y = checked_support(support_x, support_y, 1)
        indices, distances = self._nearest(x[None], y[None], k)
        entries = self._entries(indices[0].tolist())
        found = zip(indices[0].tolist(), distances[0].tolist(), entries, strict=True)
        return [Recollection(*one) for one in found]

    def recall_many(self, support_x: ArrayLike, support_y: ArrayLike, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """`recall` for T support sets at once, without the entries.

        Args:
            support_x: [T, S, ...].
            support_y: [T, S] or [T, S, ...].
            k: how many for each, 1..len(memory).

        Returns:
            Indices int64 [T, k] and distances float64 [T, k], nearest first.

        Raises:
            TypeError, ValueError: as `recall`.
        """
        return self._nearest(*checked_support(support_x, support_y, 2), k)

    def _nearest(self, x: np.ndarray, y: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        n = len(self)
        signature, embed = self._kind()
        at_least(1, k=k)
        if k > n:
            raise ValueError(f"k is {k} but the memory holds {n} entries, expected 1..{n}")
        signature.refuse_other_task(x, y)
        return self._index.nearest(embed(x, y), int(k))

    def transfer(self, support_x: ArrayLike, support_y: ArrayLike, k: int = 1) -> list[np.ndarray]:
        """Weights to start from on a new task: those of the nearest entry, or the mean of the k nearest.

        A mean of weights makes sense where all θ descend from one start, as a learner's do: on sinusoids (two layers
        of 40, 1,000 entries, a start that Reptile trained) the error without any step falls from 0.46 (k = 1) to
        0.33 (k = 5). Where every θ had its own random start it rises (3.97 to 4.63). A mean weighted by nearness
        was no better. Weights of an integer type come from the nearest entry.

        Args:
            support_x: [S, ...].
            support_y: [S] or [S, ...].
            k: how many entries to start from.

        Returns:
            θ, arrays of the shapes and dtypes stored.

        Raises:
            TypeError, ValueError: as `recall`.
        """
        x, y = checked_support(support_x, support_y, 1)
        return [w[0] for w in self._transfer(x[None], y[None], k)]

    def transfer_many(self, support_x: ArrayLike, support_y: ArrayLike, k: int = 1) -> list[np.ndarray]:
        """`transfer` for T support sets at once.

        Args:
            support_x: [T, S, ...].
            support_y: [T, S] or [T, S, ...].
            k: how many entries to start from.

        Returns:
            Arrays [T, ...] of the dtypes stored.

        Raises:
            TypeError, ValueError: as `recall`.
        """
        return self._transfer(*checked_support(support_x, support_y, 2), k)

    def _transfer(self, x: np.ndarray, y: np.ndarray, k: int) -> list[np.ndarray]:
        indices, _ = self._nearest(x, y, k)
        blobs = np.stack([blob for blob, _, _ in self._rows.read(indices.ravel().tolist())])
        recalled = self._kind()[0].unpack(blobs.reshape(*indices.shape, -1))
        return [
            w[:, 0] if k == 1 or w.dtype.kind in "iub" else w.astype(np.float64).mean(1).astype(w.dtype)
            for w in recalled
        ]

    def _shown(self) -> tuple[str, list[tuple[str, ...]]]:
        n = len(self)
        if not n:
            return "Memory, empty", []
        last = range(max(0, n - 5), n)
        some = f"the last {len(last)} of " if n > len(last) else ""
        return f"Memory: {some}{n} entries", [cells(i, e) for i, e in zip(last, self._entries(last), strict=True)]

    def __repr__(self) -> str:
        return as_text(*self._shown())

    def _repr_html_(self) -> str:
        return as_html(*self._shown())
