"""Entries in growing arrays, and the exact search for the nearest of them."""

import numpy as np

Blobs = tuple[np.ndarray, np.ndarray, np.ndarray]


class Growing:
    """Rows of one width in an array that doubles when it is full.

    Args:
        width: numbers in a row.
        dtype: their dtype.
    """

    def __init__(self, width: int, dtype: type) -> None:
        self._data = np.empty((0, width), dtype)
        self._n = 0

    @property
    def rows(self) -> np.ndarray:
        """What was appended, [n, width] (a view)."""
        return self._data[: self._n]

    def append(self, rows: np.ndarray) -> None:
        """Adds rows [m, width]."""
        end = self._n + len(rows)
        if end > len(self._data):
            data = np.empty((max(end, 2 * len(self._data), 64), self._data.shape[1]), self._data.dtype)
            data[: self._n] = self.rows
            self._data = data
        self._data[self._n : end] = rows
        self._n = end

    def truncate(self, n: int) -> None:
        """Keeps the first n rows."""
        self._n = min(n, self._n)


class Index:
    """Embeddings of all entries, searched exactly: a matrix product finds candidates, float64 orders them."""

    def __init__(self) -> None:
        self._vectors = Growing(0, np.float32)
        self._norms = Growing(1, np.float64)

    def __len__(self) -> int:
        return len(self._norms.rows)

    def append(self, flat: np.ndarray) -> None:
        """Adds embeddings [T, C·F] float32; where C differs, classes never seen count as weights of zero."""
        width = self._vectors.rows.shape[1]
        if flat.shape[1] > width:
            wider = Growing(flat.shape[1], np.float32)
            wider.append(np.pad(self._vectors.rows, [(0, 0), (0, flat.shape[1] - width)]))
            self._vectors = wider
        else:
            flat = np.pad(flat, [(0, 0), (0, width - flat.shape[1])])
        self._vectors.append(flat)
        self._norms.append((flat.astype(np.float64) ** 2).sum(1, keepdims=True))

    def truncate(self, n: int) -> None:
        """Keeps the first n embeddings."""
        self._vectors.truncate(n)
        self._norms.truncate(n)

    @property
    def vectors(self) -> np.ndarray:
        """What was appended, [n, C·F] (a view)."""
        return self._vectors.rows

    def nearest(self, embedded: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of the index to each of T embeddings [T, C, F].

        Returns:
            Indices int64 [T, k] and distances float64 [T, k], nearest first, ties by index.
        """
        queries = embedded.reshape(len(embedded), -1)
        width = self._vectors.rows.shape[1]
        # Classes that only the query has are as far from every entry.
        apart = (queries[:, width:].astype(np.float64) ** 2).sum(1)
        queries = np.pad(queries[:, :width], [(0, 0), (0, max(width - queries.shape[1], 0))])
        indices = np.empty((len(queries), k), np.int64)
        distances = np.empty((len(queries), k))
        at_once = max(1, 2**24 // len(self))
        for start in range(0, len(queries), at_once):
            products = queries[start : start + at_once] @ self._vectors.rows.T
            for t, product in enumerate(products, start):
                indices[t], squared = self._k_nearest(queries[t], product, k)
                distances[t] = np.sqrt(squared + apart[t])
        return indices, distances

    def _k_nearest(self, query: np.ndarray, product: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        norms = self._norms.rows[:, 0]
        squared = norms - 2.0 * product
        # A float32 product of width d is off by at most d·ε·‖q‖·‖e‖: every entry that may be among the k is kept.
        own = float((query.astype(np.float64) ** 2).sum())
        margin = 2 * len(query) * np.finfo(np.float32).eps * np.sqrt(own * norms)
        kth = np.partition(squared + margin, k - 1)[k - 1]
        near = np.flatnonzero(squared - margin <= kth)
        exact = ((self._vectors.rows[near] - query.astype(np.float64)) ** 2).sum(1)
        order = np.lexsort((near, exact))[:k]
        return near[order], exact[order]
