"""The entries of a memory in a LanceDB table, one row each.

What a kill cannot undo: every `append` is a new version of the table, whose files are written first and become
the current version by one atomic rename. A process killed at any moment leaves the table as it was before that
rename or after it. (The operating system holds the data then; only a power cut could lose the last entries.)

Other processes may read at any time and see each version whole. Several may write: their rows then alternate.
"""

import contextlib
import datetime
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from metalearn_lib.core.checks import as_path
from metalearn_lib.core.extras import import_extra

if TYPE_CHECKING:
    import lancedb

    from metalearn_lib.memory.index import Blobs

_TABLE = "memory"
_KEY = b"metalearn_lib.memory"
# Merging rewrites the table. A table of b bytes is merged once in _FILES + b / _BYTES_A_FILE appends, so that an
# append costs at most _BYTES_A_FILE of rewriting, however large the table has grown.
_FILES = 100
_BYTES_A_FILE = 2**20
_KEEP_VERSIONS = datetime.timedelta(minutes=5)
_BLOBS = ("weights", "support_x", "support_y")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # two letters at least: one is a drive

T = TypeVar("T")


class OnDisk:
    """Rows (θ, x, y, embedding) as bytes in the table `memory` of the LanceDB folder `path`.

    A text, the header, is written into the table's schema together with the first rows, in one version. Each
    append leaves a small file; from a hundred on these are merged, so that thousands of single ones stay quick to
    add and to read. Files of earlier versions are removed after five minutes.

    Args:
        path: the folder; the first `append` makes it.

    Raises:
        ImportError: if the extra `memory` is not installed.
        TypeError: if `path` is no path.
        ValueError: if `path` is a URL, or holds something else or a damaged table.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        import_extra("lancedb", "memory")
        import_extra("pyarrow", "memory")
        self.path = os.fspath(as_path("path", path))
        if _SCHEME.match(self.path):
            raise ValueError(f"path is {os.fspath(path)!r}, expected a folder of this machine: URLs are not supported")
        self._table: lancedb.table.Table | None = None
        self._seen = 0
        if os.path.lexists(self.path) and not os.path.isdir(self.path):
            raise ValueError(f"path is {self.path!r}, a file, expected a new folder or one that a Memory wrote")
        self._open()

    def _open(self) -> None:
        if self._table is not None or not os.path.isdir(self.path):
            return
        inside = {name for name in os.listdir(self.path) if not name.startswith(".")}
        folder = os.path.join(self.path, f"{_TABLE}.lance")
        if inside - {f"{_TABLE}.lance"}:
            some = ", ".join(sorted(inside)[:3])
            raise ValueError(
                f"path is {self.path!r} and holds other files ({some}), expected a folder for a memory only"
            )
        # A first `append` that was killed leaves a folder without any version: a memory that is still empty.
        if not os.path.isdir(os.path.join(folder, "_versions")) or not os.listdir(os.path.join(folder, "_versions")):
            return
        import lancedb

        table = self._guard(lambda: lancedb.connect(self.path).open_table(_TABLE))
        if _KEY not in (table.schema.metadata or {}):
            raise ValueError(f"path is {self.path!r}, a table that something else wrote, expected one of a Memory")
        self._table = table

    def header(self) -> str | None:
        """The text given with the first rows; None while there are none."""
        self._open()
        return None if self._table is None else self._table.schema.metadata[_KEY].decode()

    def append(self, header: str, weights: np.ndarray, x: np.ndarray, y: np.ndarray, embedded: np.ndarray) -> None:
        """Adds T rows in one atomic step.

        Args:
            header: kept if these are the first rows.
            weights: uint8 [T, bytes].
            x: uint8 [T, S, bytes].
            y: uint8 [T, S, bytes].
            embedded: float32 [T, C, F].
        """
        import lancedb
        import pyarrow as pa

        columns = {**dict(zip(_BLOBS, (weights, x, y), strict=True)), "embedding": embedded}
        schema = pa.schema([(name, pa.large_binary()) for name in columns] + [("examples", pa.int32())])
        rows = [pa.array([row.tobytes() for row in column], pa.large_binary()) for column in columns.values()]
        rows.append(pa.array([x.shape[1]] * len(x), pa.int32()))
        batch = pa.Table.from_arrays(rows, schema=schema.with_metadata({_KEY: header.encode()}))
        table = self._table
        if table is None:
            self._table = self._guard(lambda: lancedb.connect(self.path).create_table(_TABLE, batch))
            return
        self._guard(lambda: table.add(batch))
        self._compact(table)

    def _compact(self, table: "lancedb.table.Table") -> None:
        stats: Any = table.stats()  # a dictionary, whatever its annotation says
        if stats["fragment_stats"]["num_fragments"] < _FILES + stats["total_bytes"] // _BYTES_A_FILE:
            return
        with contextlib.suppress(RuntimeError):  # another writer was at it; the rows are stored either way
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)

    def news(self) -> Iterator[np.ndarray]:
        """The embeddings float32 [T, C·F] of rows that earlier calls have not given, padded with zeros."""
        self._open()
        table = self._table
        if table is None:
            return
        for batch in self._guard(lambda: self._unseen(table)):
            vectors = batch["embedding"].to_pylist()
            width = max(map(len, vectors))
            flat = b"".join(vector.ljust(width, b"\0") for vector in vectors)
            self._seen += len(vectors)
            yield np.frombuffer(flat, np.float32).reshape(len(vectors), -1)

    def _unseen(self, table: "lancedb.table.Table") -> list[Any]:
        table.checkout_latest()
        if table.count_rows() == self._seen:
            return []
        return table.search().select(["embedding"]).offset(self._seen).limit(2**31 - 1).to_arrow().to_batches()

    def read(self, indices: Sequence[int]) -> Iterator["Blobs"]:
        """The bytes (weights, x [S, bytes], y [S, bytes]) of each index."""
        unique, table = sorted(set(indices)), self._table
        if table is None:
            return
        rows = self._guard(lambda: _rows(table, unique))
        place = {index: i for i, index in enumerate(unique)}
        columns = [rows[name] for name in (*_BLOBS, "examples")]
        for index in indices:
            weights, x, y, examples = (column[place[index]].as_py() for column in columns)
            blobs = [np.frombuffer(blob, np.uint8) for blob in (weights, x, y)]
            yield blobs[0], blobs[1].reshape(examples, -1), blobs[2].reshape(examples, -1)

    def _guard(self, action: Callable[[], T]) -> T:
        """Does it, and says in one sentence what LanceDB found wrong with the files."""
        try:
            return action()
        except (RuntimeError, OSError, ValueError) as error:
            reason = str(error).splitlines()[0].split(", /")[0]
            raise ValueError(
                f"path is {self.path!r}, whose table is damaged or out of reach ({reason}); nothing was changed"
            ) from error


def _rows(table: "lancedb.table.Table", indices: list[int]) -> Any:
    table.checkout_latest()  # an earlier version's files may have been merged and removed since
    return table.take_offsets(indices).select([*_BLOBS, "examples"]).to_arrow()
