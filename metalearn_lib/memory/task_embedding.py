"""Embeds a support set as a vector; nearby vectors mean tasks with similar solutions.

The embedding is the weight vector of the simplest learner there is, fitted to the support set in closed form:
kernel ridge regression on random Fourier features. With the Gaussian kernel
k(x, x') = exp(−‖x − x'‖² / 2·x_scale²) and S examples (X, Y), the fitted function is

    f(x) = k(x, X) α,   α = (K + λI)⁻¹ Y,   K = k(X, X)

and the distance between two tasks is the distance ‖f − g‖ of their functions in the kernel's own space. It asks
how different the *answers* are, not where the examples happened to fall. Random features φ with
k(x, x') ≈ φ(x)·φ(x') turn f into a vector w = φ(X)ᵀα, so that ‖f − g‖ is an ordinary Euclidean distance.

The other natural choice, the maximum mean discrepancy between the two sets of pairs (x, y), asks both questions at
once: from 10 points of a sinusoid, its nearest of 1,000 tasks is 5 to 10 times as far away (mean squared
difference of the two functions).

Sources: Rahimi & Recht, "Random features for large-scale kernel machines", NeurIPS 2007 (φ); Saunders et al.,
"Ridge regression learning algorithm in dual variables", ICML 1998 (α); Bertinetto et al., "Meta-learning with
differentiable closed-form solvers", ICLR 2019 (ridge regression as a learner); Gretton et al., "A kernel two-sample
test", JMLR 2012 (maximum mean discrepancy).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist

from metalearn_lib.core.checks import at_least, numbers, positive, real_numbers, seeds, shown
from metalearn_lib.memory.validation import checked_support

_TASKS_AT_ONCE = 2_048
_LARGEST = 1e15


def median_scale(support_x: ArrayLike) -> float:
    """Half of the median distance between two examples of a support set: the default `x_scale`.

    Args:
        support_x: examples [S, ...].

    Returns:
        A length in the units of x; 1.0 where all examples coincide or there is only one.

    Raises:
        TypeError: if `support_x` does not hold numbers.
        ValueError: if it is empty, or a number NaN or infinite.
    """
    x = numbers("support_x", support_x, "[S, ...]").astype(np.float64)
    if not x.size:
        raise ValueError(f"support_x has shape {x.shape}, expected at least one example")
    x = x.reshape(len(x), -1)
    scale = float(np.median(pdist(x))) / 2 if len(x) > 1 else 0.0
    return scale if np.isfinite(scale) and scale > 0 else 1.0


@dataclass(frozen=True)
class TaskEmbedding:
    """Support sets as vectors whose Euclidean distance is the distance between the functions they show.

    The order of the examples does not matter and their number may differ from task to task. All is computed in
    float64 by NumPy from a seed, so that another processor gives the same vectors up to rounding.

    Args:
        x_scale: length over which an answer is expected to stay the same, in the units of x; a tuple gives one
            for each feature of the flattened x, where their units differ.
        features: number F of random features (even); the kernel is approximated with an error of order 1/√F.
        ridge: λ, the variance of the noise to expect in the targets, relative to that of the function.
        seed: fixes the random features.

    Raises:
        TypeError: if `x_scale` does not hold numbers.
        ValueError: if a length is not positive and finite, or another number out of range.
    """

    x_scale: float | tuple[float, ...]
    features: int = 128
    ridge: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        scale = real_numbers("x_scale", self.x_scale)
        if scale.ndim > 1 or not scale.size or not np.all(np.isfinite(scale) & (scale > 0)):
            raise ValueError(f"x_scale is {shown(self.x_scale)}, expected a positive length or one per feature of x")
        at_least(2, features=self.features)
        if self.features % 2:
            raise ValueError(f"features is {self.features}, expected an even number")
        positive(ridge=self.ridge)
        seeds(seed=self.seed)
        object.__setattr__(self, "x_scale", tuple(map(float, scale)) if scale.ndim else float(scale))

    @classmethod
    def of(cls, x_scale: ArrayLike) -> "TaskEmbedding":
        """The embedding for a scale or a sequence of scales, see `TaskEmbedding`."""
        return cls(x_scale)  # pyright: ignore[reportArgumentType]  # __post_init__ makes one of the two types of it

    def map(self, x: ArrayLike) -> np.ndarray:
        """Random Fourier features φ with φ(x)·φ(x') ≈ k(x, x') and ‖φ(x)‖ = 1.

        Args:
            x: flattened examples [..., d].

        Returns:
            Features [..., F], float64.

        Raises:
            TypeError: if `x` does not hold numbers.
            ValueError: if a number is NaN or infinite, or `x_scale` has another number of lengths than x has features.
        """
        x = numbers("x", x)
        if not x.ndim:
            raise ValueError(f"x is {x}, expected flattened examples [..., d]")
        return self._map(x)

    def __call__(self, support_x: ArrayLike, support_y: ArrayLike) -> np.ndarray:
        """The embeddings of T support sets.

        Args:
            support_x: examples [T, S, ...].
            support_y: targets: labels [T, S] of an integer type, or values [T, S, ...] of a floating type.

        Returns:
            [T, C, F] float32: one weight vector for each of C outputs. Labels are one-hot, C = largest label + 1;
            a class that a task lacks would have weights of zero: tasks with different C compare after zero-padding.

        Raises:
            TypeError: if an array does not hold numbers.
            ValueError: if the shapes do not fit, a number is NaN or infinite, `x_scale` does not fit x, or the numbers
                are too large for the arithmetic.
        """
        x, y = checked_support(support_x, support_y, 2)
        x = x.reshape(*x.shape[:2], -1)
        outputs = int(y.max()) + 1 if y.dtype.kind in "iub" else int(np.prod(y.shape[2:]))
        embedded = np.empty((len(x), outputs, self.features), np.float32)
        for start in range(0, len(x), _TASKS_AT_ONCE):
            part = slice(start, start + _TASKS_AT_ONCE)
            with np.errstate(over="ignore", invalid="ignore"):
                embedded[part] = self._fit(x[part].astype(np.float64), _targets(y[part], outputs))
        if not np.abs(embedded).max() < _LARGEST:
            largest = [float(np.abs(a.astype(np.float64)).max()) for a in (x, y)]
            raise ValueError(
                f"support_x reaches ±{largest[0]:.3g} and support_y ±{largest[1]:.3g}, "
                "expected numbers that float32 can square"
            )
        return embedded

    def _map(self, x: np.ndarray) -> np.ndarray:
        scale = np.asarray(self.x_scale, np.float64)
        if scale.ndim and scale.size != x.shape[-1]:
            raise ValueError(f"x_scale has {scale.size} lengths but examples of support_x have {x.shape[-1]} features")
        angles = (x / scale) @ _frequencies(self.seed, x.shape[-1], self.features // 2)
        return np.concatenate([np.cos(angles), np.sin(angles)], -1) / np.sqrt(self.features // 2)

    def _fit(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        features = self._map(x)
        transposed = features.swapaxes(1, 2)
        if x.shape[1] <= self.features:
            kernel = features @ transposed + self.ridge * np.eye(x.shape[1])
            weights = transposed @ np.linalg.solve(kernel, y)
        else:  # the same weights from F equations in place of S
            covariance = transposed @ features + self.ridge * np.eye(self.features)
            weights = np.linalg.solve(covariance, transposed @ y)
        return weights.swapaxes(1, 2)


@lru_cache(maxsize=8)
def _frequencies(seed: int, inputs: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((inputs, count))


def _targets(y: np.ndarray, outputs: int) -> np.ndarray:
    if y.dtype.kind in "iub":
        return (y.reshape(*y.shape[:2], 1) == np.arange(outputs)).astype(np.float64)
    return y.reshape(*y.shape[:2], outputs).astype(np.float64)
