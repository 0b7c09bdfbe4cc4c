"""What an entry of a memory looks like, and the checks at its door.

An entry is kept as bytes: the weights θ one after another in one blob, the support set in two. The `Signature`,
the shapes and dtypes that all entries of a memory share, turns them back into the same bits, without pickle.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import ml_dtypes  # noqa: F401  (registers bfloat16 and its kin with NumPy)
import numpy as np
from numpy.typing import ArrayLike

from metalearn_lib.memory.task_embedding import MAX_CLASSES, TaskEmbedding


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
        for what, came, expected in named:
            if came != expected:
                raise ValueError(f"{what} {came} but the entries of this memory have {expected} there")

    def refuse_other_task(self, x: np.ndarray, y: np.ndarray) -> None:
        """Raises ValueError if support sets x, y cannot be compared with the tasks of this memory."""
        labels, own_labels = y.dtype.kind in "iub", np.dtype(self.y.dtype).kind in "iub"
        if x.shape[2:] != self.x.shape:
            name, came, expected = "support_x has examples", list(x.shape[2:]), list(self.x.shape)
        elif labels != own_labels:
            name, came, expected = "support_y is", _meaning(labels), _meaning(own_labels)
        elif not labels and y.shape[2:] != self.y.shape:
            name, came, expected = "support_y has targets", list(y.shape[2:]), list(self.y.shape)
        else:
            return
        raise ValueError(f"{name} {came} but the entries of this memory have {expected}")

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


def checked_weights(weights: Sequence[ArrayLike]) -> list[np.ndarray]:
    """The arrays of θ, each finite.

    Raises:
        TypeError: if `weights` is no sequence of numeric arrays.
        ValueError: if it is empty or holds NaN or infinity.
    """
    if isinstance(weights, np.ndarray | str | bytes) or not hasattr(weights, "__len__"):
        raise TypeError(f"weights is {type(weights).__name__}, expected a list of arrays, as get_weights() gives")
    if not len(weights):
        raise ValueError("weights is an empty list, expected at least one array")
    return [_finite(f"weights[{i}]", w) for i, w in enumerate(weights)]


def checked_support(support_x: ArrayLike, support_y: ArrayLike, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """A support set (axes = 1) or T of them (axes = 2), finite, with a target for each example.

    Raises:
        TypeError: if they are not numeric.
        ValueError: if they are empty, not finite, of unequal lengths, or with labels outside 0..MAX_CLASSES − 1.
    """
    x, y = _finite("support_x", support_x), _finite("support_y", support_y)
    lead = ["[S, ...]", "[T, S, ...]"][axes - 1]
    for name, array in ("support_x", x), ("support_y", y):
        if array.ndim < axes:
            raise ValueError(f"{name} has shape {list(array.shape)}, expected {lead}")
    if x.shape[:axes] != y.shape[:axes]:
        raise ValueError(
            f"support_x has shape {list(x.shape)}, support_y {list(y.shape)}, expected a target for each example"
        )
    if 0 in x.shape or 0 in y.shape:
        raise ValueError(f"support_x has shape {list(x.shape)} and is empty, expected at least one example")
    if y.dtype.kind in "iub":
        if np.prod(y.shape[axes:]) != 1:
            raise ValueError(f"support_y has integer shape {list(y.shape)}, expected one label for each example")
        if y.min() < 0 or y.max() >= MAX_CLASSES:
            raise ValueError(f"support_y has labels {y.min()}..{y.max()}, expected 0..{MAX_CLASSES - 1} at most")
    return x, y


def _finite(name: str, value: ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(value)
        array = array.astype(array.dtype.newbyteorder("="), order="C", copy=False)
        number = array.dtype.kind in "fiub" or array.dtype.name in _EXTENDED
    except (ValueError, TypeError):
        raise TypeError(f"{name} is {type(value).__name__}, expected an array of numbers") from None
    if not number:
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    if array.dtype.kind not in "iub" and not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(f"{name} has {bad} NaN or infinite numbers out of {array.size}, expected finite ones")
    return array


_EXTENDED = ("bfloat16", "float8_e4m3fn", "float8_e5m2")


def _meaning(labels: bool) -> str:
    return "integer labels" if labels else "values of a floating type"
