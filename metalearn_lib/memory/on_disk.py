"""The entries of a memory in a LanceDB table, one row each.

What a kill cannot undo: every `append` is a new version of the table, whose files are written first and become
the current version by one atomic rename. A process killed at any moment leaves the table as it was before that
rename or after it. (The operating system holds the data then; only a power cut could lose the last entries.)

Other processes may read at any time and see each version whole. Several may write: their rows then alternate. The
table itself is made in a folder of its own and renamed, so that of two processes that begin it one finds the other's.

Every row carries checksums of its bytes, which reading verifies: a file that a disk has damaged is refused, and gives
no wrong weights.
"""

import contextlib
import datetime
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from metalearn_lib.core.checks import as_path
from metalearn_lib.core.extras import import_extra

if TYPE_CHECKING:
    import lancedb

    from metalearn_lib.memory.index import Blobs

_TABLE = "memory"
_KEY = b"metalearn_lib.memory"
_KEY_CHECKSUM = b"metalearn_lib.memory.checksum"
# Merging rewrites the table. A table of b bytes is merged once in _FILES + b / _BYTES_A_FILE appends, so that an
# append costs at most _BYTES_A_FILE of rewriting, however large the table has grown.
_FILES = 100
_BYTES_A_FILE = 2**20
_KEEP_VERSIONS = datetime.timedelta(minutes=5)
_BLOBS = ("weights", "support_x", "support_y")
_CHECKSUMS = ("checksum", "embedding_checksum")
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
        if not os.path.isdir(folder):
            return
        import lancedb

        table = self._guard(lambda: lancedb.connect(self.path).open_table(_TABLE))
        if _KEY not in (table.schema.metadata or {}) or not {*_CHECKSUMS} <= {*table.schema.names}:
            raise ValueError(f"path is {self.path!r}, a table that something else wrote, expected one of a Memory")
        self._table = table

    def header(self) -> str | None:
        """The text given with the first rows; None while there are none."""
        self._open()
        if self._table is None:
            return None
        text = self._table.schema.metadata[_KEY]
        self._refuse_damaged([self._table.schema.metadata.get(_KEY_CHECKSUM) == _as_text(_checksum(0, text))])
        return text.decode()

    def append(self, header: str, weights: np.ndarray, x: np.ndarray, y: np.ndarray, embedded: np.ndarray) -> bool:
        """Adds T rows in one atomic step, unless another process has begun the table meanwhile.

        Args:
            header: kept if these are the first rows.
            weights: uint8 [T, bytes].
            x: uint8 [T, S, bytes].
            y: uint8 [T, S, bytes].
            embedded: float32 [T, C, F].

        Returns:
            False if nothing was added, since there is a table now whose header was not known.
        """
        import pyarrow as pa

        rows = [[row.tobytes() for row in column] for column in (weights, x, y, embedded)]
        examples = x.shape[1]
        checksums = [
            [_checksum(examples, *blobs) for blobs in zip(*rows[:3], strict=True)],
            [_checksum(examples, blob) for blob in rows[3]],
        ]
        fields = [(name, pa.large_binary()) for name in (*_BLOBS, "embedding")]
        fields += [("examples", pa.int32()), *((name, pa.uint32()) for name in _CHECKSUMS)]
        text = header.encode()
        schema = pa.schema(fields, {_KEY: text, _KEY_CHECKSUM: _as_text(_checksum(0, text))})
        batch = pa.Table.from_pydict(
            dict(zip(schema.names, [*rows, [examples] * len(x), *checksums], strict=True)), schema
        )
        table = self._table
        if table is None:
            return self._guard(lambda: self._begin(batch))
        self._guard(lambda: table.add(batch))
        self._compact(table)
        return True

    def _begin(self, batch: Any) -> bool:
        """Makes the table, whole, beside its place, and renames it; False if another process was first."""
        import lancedb

        os.makedirs(self.path, exist_ok=True)
        beside = tempfile.mkdtemp(prefix=".new-", dir=self.path)
        try:
            lancedb.connect(beside).create_table(_TABLE, batch)
            # Fails where there is a table: a folder that is not empty is never replaced.
            os.rename(os.path.join(beside, f"{_TABLE}.lance"), os.path.join(self.path, f"{_TABLE}.lance"))
        except OSError:
            if not os.path.isdir(os.path.join(self.path, f"{_TABLE}.lance")):
                raise
            return False
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._open()
        return True

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
            stored = zip(vectors, batch["examples"].to_pylist(), batch["embedding_checksum"].to_pylist(), strict=True)
            self._refuse_damaged(_checksum(examples, vector) == checksum for vector, examples, checksum in stored)
            width = max(map(len, vectors))
            flat = b"".join(vector.ljust(width, b"\0") for vector in vectors)
            self._seen += len(vectors)
            yield np.frombuffer(flat, np.float32).reshape(len(vectors), -1)

    def _unseen(self, table: "lancedb.table.Table") -> list[Any]:
        table.checkout_latest()
        if (n := table.count_rows()) < self._seen:
            raise ValueError(f"it has {n} entries after {self._seen}: another process removed some, open it anew")
        if n == self._seen:
            return []
        return (
            table.search()
            .select(["embedding", "examples", "embedding_checksum"])
            .offset(self._seen)
            .limit(2**31 - 1)
            .to_arrow()
            .to_batches()
        )

    def read(self, indices: Sequence[int]) -> Iterator["Blobs"]:
        """The bytes (weights, x [S, bytes], y [S, bytes]) of each index."""
        unique, table = sorted(set(indices)), self._table
        if table is None:
            return
        rows = self._guard(lambda: _rows(table, unique))
        place = {index: i for i, index in enumerate(unique)}
        columns = [rows[name] for name in (*_BLOBS, "examples", "checksum")]
        for index in indices:
            weights, x, y, examples, checksum = (column[place[index]].as_py() for column in columns)
            self._refuse_damaged([_checksum(examples, weights, x, y) == checksum])
            blobs = [np.frombuffer(blob, np.uint8) for blob in (weights, x, y)]
            yield blobs[0], blobs[1].reshape(examples, -1), blobs[2].reshape(examples, -1)

    def truncate(self, n: int) -> None:
        """Keeps the first n rows, in one atomic step."""
        self._open()
        if (table := self._table) is None:
            return
        self._guard(lambda: _remove(table, n))
        self._seen = min(self._seen, n)

    def _refuse_damaged(self, sound: Iterable[bool]) -> None:
        if not all(sound):
            raise ValueError(
                f"path is {self.path!r}, whose entries are damaged (a checksum differs); nothing was changed"
            )

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
    return table.take_offsets(indices).select([*_BLOBS, "examples", "checksum"]).to_arrow()


def _remove(table: "lancedb.table.Table", n: int) -> None:
    table.checkout_latest()
    rest = table.search().select(["examples"]).with_row_id(True).offset(n).limit(2**31 - 1).to_arrow()["_rowid"]
    if len(rest):
        table.delete(f"_rowid in ({', '.join(map(str, rest.to_pylist()))})")


def _checksum(examples: int, *blobs: bytes) -> int:
    found = zlib.crc32(str((examples, *map(len, blobs))).encode())
    for blob in blobs:
        found = zlib.crc32(blob, found)
    return found


def _as_text(checksum: int) -> bytes:
    return b"%d" % checksum
