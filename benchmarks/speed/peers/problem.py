"""The workloads of the speed benchmark, in NumPy: what is computed, from which weights, on which tasks."""

import itertools
from dataclasses import dataclass

import numpy as np

# Adam's, near the usual ones: Keras takes the decays through float32, which holds these exactly.
RATE, BETA_1, BETA_2, EPSILON = 2**-10, 0.875, 1 - 2**-10, 1e-7
NORMALISATION = 1e-3  # ε of batch normalisation
MOMENTUM = 0.9  # of its running statistics
SIZE = 28  # pixels


@dataclass(frozen=True)
class Workload:
    """What is timed: steps of `fit` or calls of `predict`.

    Args:
        method: "maml" and "prototypes" are trained; "adaptation" predicts one task's queries from NumPy to NumPy;
            "drawing" only draws meta-batches.
        network: "mlp" for sinusoids, "conv4" for images.
        tasks: number of tasks in a meta-batch.
        shots: support examples, of each class where there are classes.
        queries: query examples, likewise.
        ways: number of classes.
        inner_steps: number of inner gradient steps.
        inner_lr: their rate.
        first_order: whether second derivatives are left out.
        width: units of a hidden layer, or filters.
        drawn: whether meta-batches are drawn while training, instead of lying in memory.
        dtype: float32 for timing, float64 for agreement.
    """

    method: str
    network: str
    tasks: int = 25
    shots: int = 10
    queries: int = 10
    ways: int = 5
    inner_steps: int = 1
    inner_lr: float = 0.01
    first_order: bool = False
    width: int = 40
    drawn: bool = False
    dtype: str = "float32"

    @property
    def block(self) -> int:
        """Number of meta-batches in memory, and of steps that are handed over at once."""
        return 64 if self.network == "mlp" else 4

    @property
    def strides(self) -> int:
        """Strided convolutions as MAML's, or pooling as prototypical networks'."""
        return 1 if self.method == "prototypes" else 2


def weights(work: Workload) -> list[np.ndarray]:
    """Glorot-uniform weights in Keras's order: kernel and bias, and scale and offset of batch normalisation."""
    rng = np.random.default_rng(0)

    def kernel(*shape: int) -> np.ndarray:
        limit = np.sqrt(6 / ((shape[-2] + shape[-1]) * np.prod(shape[:-2])))
        return rng.uniform(-limit, limit, shape).astype(work.dtype)

    def constant(value: float, size: int = work.width) -> np.ndarray:
        return np.full(size, value, work.dtype)

    if work.network == "mlp":
        sizes = (1, work.width, work.width, 1)
        return [w for a, b in itertools.pairwise(sizes) for w in (kernel(a, b), constant(0, b))]
    blocks = [[kernel(3, 3, c, work.width), constant(0), constant(1), constant(0)] for c in (1, *[work.width] * 3)]
    head = [] if work.method == "prototypes" else [kernel(4 * work.width, work.ways), constant(0, work.ways)]
    return [w for block in blocks for w in block] + head


def meta_batches(work: Workload) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`block` meta-batches: support_x [block, T, S, ...], support_y, query_x, query_y."""
    rng = np.random.default_rng(1)
    lead = (work.block, work.tasks)
    if work.network == "mlp":
        x = rng.uniform(-5, 5, (*lead, work.shots + work.queries, 1))
        y = rng.uniform(0.1, 5, (*lead, 1, 1)) * np.sin(x - rng.uniform(0, np.pi, (*lead, 1, 1)))
        x, y = x.astype(work.dtype), y.astype(work.dtype)
        return x[:, :, : work.shots], y[:, :, : work.shots], x[:, :, work.shots :], y[:, :, work.shots :]
    parts = []
    pictures = rng.uniform(size=(*lead, work.ways, 1, SIZE, SIZE, 1))
    for count in (work.shots, work.queries):
        noisy = pictures + rng.uniform(size=(*lead, work.ways, count, SIZE, SIZE, 1))
        labels = np.broadcast_to(np.arange(work.ways, dtype=np.int32)[:, None], (*lead, work.ways, count))
        parts += [noisy.reshape(*lead, -1, SIZE, SIZE, 1).astype(work.dtype) / 2, labels.reshape(*lead, -1)]
    return tuple(parts)


def operations(work: Workload) -> float:
    """Floating-point operations of one step that no rearrangement saves, counted by hand.

    Only products with weights count, two operations each. A forward pass is F an example, a backward pass 2F.
    An inner step takes 3F a support example and is differentiated by a Hessian-vector product, which takes 6F more;
    in the first order by none. The queries take 3F.
    """
    if work.network == "mlp":
        forward = 2 * (2 * work.width + work.width**2)
        examples = 1
    else:
        sides = (14, 7, 4, 2) if work.strides == 2 else (28, 14, 7, 3)
        channels = (1, *[work.width] * 3)
        forward = 2 * sum(side**2 * 9 * c * work.width for side, c in zip(sides, channels, strict=True))
        examples = work.ways
    support, queries = forward * examples * work.shots, forward * examples * work.queries
    if work.method == "prototypes":
        return 3.0 * work.tasks * (support + queries)
    if work.method == "adaptation":
        return float(work.tasks * (3 * work.inner_steps * support + queries))
    return float(work.tasks * ((3 if work.first_order else 9) * work.inner_steps * support + 3 * queries))


def padding(length: int, stride: int) -> tuple[int, int]:
    """What a 3-wide kernel needs before and after `length` so that ⌈length / stride⌉ outputs come out."""
    missing = max((-(-length // stride) - 1) * stride + 3 - length, 0)
    return missing // 2, missing - missing // 2
