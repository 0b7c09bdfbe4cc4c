"""How entries are serialized, and what all entries of one memory share.

An entry is kept as bytes: the weights θ one after another in one blob, the support set in two. The `Signature`,
the shapes and dtypes that all entries of a memory share, turns them back into the same bits, without pickle.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import ml_dtypes  # noqa: F401  (registers bfloat16 and its kin with NumPy)
import numpy as np

from metalearn_lib.memory.task_embedding import TaskEmbedding


@dataclass(frozen=True)
class Spec:
    """Shape and dtype of one array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


@dataclass(frozen=True)
class Signature:
    """The shapes and dtypes that all entries of a memory share.

    Args:
        weights: one Spec for each array of θ.
        x: the Spec of one support example.
        y: the Spec of one target.
    """

    weights: tuple[Spec, ...]
    x: Spec
    y: Spec

    @classmethod
    def of(cls, weights: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray) -> "Signature":
        """The signature of checked arrays: weights [T, ...], x [T, S, ...], y [T, S, ...]."""
        specs = tuple(Spec(w.shape[1:], w.dtype.name) for w in weights)
        return cls(specs, Spec(x.shape[2:], x.dtype.name), Spec(y.shape[2:], y.dtype.name))

    def refuse_other(self, new: "Signature") -> None:
        """Raises ValueError if `new`, of an entry to be stored, is not this signature."""
        own = self
        if len(new.weights) != len(own.weights):
            raise ValueError(
                f"weights has {len(new.weights)} arrays but the entries of this memory have {len(own.weights)}: "
                "they belong to another model"
            )
        named = [(f"weights[{i}] is", *pair) for i, pair in enumerate(zip(new.weights, own.weights, strict=True))]
        named += [("support_x has examples of", new.x, own.x), ("support_y has targets of", new.y, own.y)]
        for what, given, expected in named:
            if given != expected:
                raise ValueError(f"{what} {given} but the entries of this memory have {expected} there")

    def refuse_other_task(self, x: np.ndarray, y: np.ndarray) -> None:
        """Raises ValueError if support sets x, y cannot be compared with the tasks of this memory."""
        labels, own_labels = y.dtype.kind in "iub", np.dtype(self.y.dtype).kind in "iub"
        if x.shape[2:] != self.x.shape:
            name, given, expected = "support_x has examples", list(x.shape[2:]), list(self.x.shape)
        elif labels != own_labels:
            name, given, expected = "support_y is", _meaning(labels), _meaning(own_labels)
        elif not labels and y.shape[2:] != self.y.shape:
            name, given, expected = "support_y has targets", list(y.shape[2:]), list(self.y.shape)
        else:
            return
        raise ValueError(f"{name} {given} but the entries of this memory have {expected}")

    @property
    def weight_bytes(self) -> int:
        return sum(spec.nbytes for spec in self.weights)

    def pack(self, weights: Sequence[np.ndarray]) -> np.ndarray:
        """Weights [T, ...] as bytes, uint8 [T, weight_bytes]."""
        return np.concatenate([to_bytes(w, 1) for w in weights], 1)

    def unpack(self, blobs: np.ndarray) -> list[np.ndarray]:
        """The weights [..., *shape] in blobs [..., weight_bytes] of `pack`, as copies."""
        weights, start = [], 0
        for spec in self.weights:
            part = np.ascontiguousarray(blobs[..., start : start + spec.nbytes])
            weights.append(from_bytes(part, spec, blobs.shape[:-1]))
            start += spec.nbytes
        return weights


def to_header(signature: Signature, embedding: TaskEmbedding) -> str:
    """What a memory on disk must know to read its entries and to embed new tasks as the old ones."""
    return json.dumps({"signature": asdict(signature), "embedding": asdict(embedding)})


def from_header(text: str) -> tuple[Signature, TaskEmbedding]:
    """The inverse of `to_header`."""
    fields = json.loads(text)
    signature, embedding = fields["signature"], fields["embedding"]

    def spec(f: dict) -> Spec:
        return Spec(tuple(f["shape"]), f["dtype"])

    if isinstance(embedding["x_scale"], list):
        embedding["x_scale"] = tuple(embedding["x_scale"])
    weights = tuple(map(spec, signature["weights"]))
    return Signature(weights, spec(signature["x"]), spec(signature["y"])), TaskEmbedding(**embedding)


def to_bytes(array: np.ndarray, axes: int) -> np.ndarray:
    """An array as bytes uint8 [*leading axes, bytes of one item]."""
    leading = array.shape[:axes]
    nbytes = int(np.prod(array.shape[axes:], dtype=np.int64)) * array.itemsize
    return np.frombuffer(array.tobytes(), np.uint8).reshape(*leading, nbytes)


def from_bytes(blob: np.ndarray, spec: Spec, leading: tuple[int, ...]) -> np.ndarray:
    """The inverse of `to_bytes`, as a copy that can be written to."""
    return np.frombuffer(bytearray(blob.tobytes()), spec.dtype).reshape((*leading, *spec.shape))


def _meaning(labels: bool) -> str:
    return "integer labels" if labels else "values of a floating type"
