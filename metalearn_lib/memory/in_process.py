"""The entries of a memory that lives in the process."""

from collections.abc import Iterator, Sequence

import numpy as np

from metalearn_lib.memory.index import Blobs, Growing


class InProcess:
    """The entries of a memory that lives in the process, as bytes."""

    def __init__(self) -> None:
        self._columns: list[Growing] = []
        self._ends = Growing(1, np.int64)
        self._news: list[np.ndarray] = []

    def header(self) -> None:
        """None: a memory in the process starts empty."""

    def append(self, header: str, weights: np.ndarray, x: np.ndarray, y: np.ndarray, embedded: np.ndarray) -> bool:
        """Adds T entries: weights [T, bytes], x and y [T, S, bytes], embeddings [T, C, F]."""
        if not self._columns:
            self._columns = [Growing(column.shape[-1], np.uint8) for column in (weights, x, y)]
        examples = len(self._columns[1].rows)
        self._columns[0].append(weights)
        for column, new in zip(self._columns[1:], (x, y), strict=True):
            column.append(new.reshape(-1, new.shape[-1]))
        self._ends.append(examples + x.shape[1] * np.arange(1, len(x) + 1)[:, None])
        self._news.append(embedded.reshape(len(embedded), -1))
        return True

    def news(self) -> Iterator[np.ndarray]:
        """The embeddings [T, C·F] of entries that earlier calls have not given."""
        while self._news:
            yield self._news.pop(0)

    def read(self, indices: Sequence[int]) -> Iterator[Blobs]:
        """The bytes (weights, x [S, bytes], y [S, bytes]) of each index."""
        weights, x, y = (column.rows for column in self._columns)
        for i in indices:
            part = slice(int(self._ends.rows[i - 1, 0]) if i else 0, int(self._ends.rows[i, 0]))
            yield weights[i], x[part], y[part]

    def truncate(self, n: int) -> None:
        """Keeps the first n entries."""
        if n < len(self._ends.rows):
            examples = int(self._ends.rows[n - 1, 0]) if n else 0
            for column, kept in zip(self._columns, (n, examples, examples), strict=True):
                column.truncate(kept)
            self._ends.truncate(n)

    def state(self) -> dict[str, np.ndarray]:
        """All entries: uint8 weights [n, bytes], support_x and support_y [examples, bytes], int64 ends [n, 1]."""
        columns = zip(("weights", "support_x", "support_y"), self._columns, strict=True)
        return {**{name: column.rows for name, column in columns}, "ends": self._ends.rows}

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray]) -> "InProcess":
        """The entries that `state` gave."""
        made = cls()
        for name in ("weights", "support_x", "support_y"):
            column = Growing(state[name].shape[1], np.uint8)
            column.append(state[name])
            made._columns.append(column)
        made._ends.append(state["ends"])
        return made
