"""Labelled images: what a set of classes is, how it is split, and how to read one from a folder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from metalearn_lib.core.checks import names, numbers, one_of, seeds, shown, whole_numbers


@dataclass(frozen=True, eq=False, repr=False)
class LabelledImages:
    """Images of classes, each class in an alphabet: what episodes are drawn from.

    Args:
        images: uint8 [n, H, W, C], 0 background to 255 ink.
        labels: int32 [n], the class of each image, 0..len(classes)-1; every class has an image.
        classes: the name of each class.
        alphabets: the group that each class belongs to, in the order of `classes`.

    Raises:
        ValueError: if the four do not fit together.
        TypeError: if images or labels have another dtype.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    alphabets: tuple[str, ...]

    def __post_init__(self) -> None:
        images, labels = numbers("images", self.images), numbers("labels", self.labels)
        classes, alphabets = names("classes", self.classes), names("alphabets", self.alphabets)
        if images.dtype != np.uint8:
            raise TypeError(f"images has dtype {images.dtype}, expected uint8 from 0 to 255")
        if images.ndim != 4 or 0 in images.shape:
            raise ValueError(f"images has shape {images.shape}, expected [n, H, W, C] with no side of 0")
        if not np.issubdtype(labels.dtype, np.integer):
            raise TypeError(f"labels has dtype {labels.dtype}, expected whole numbers")
        if labels.shape != images.shape[:1]:
            raise ValueError(f"labels has shape {labels.shape}, expected [{len(images)}], one per image")
        if len(alphabets) != len(classes):
            raise ValueError(f"alphabets has {len(alphabets)} names, expected {len(classes)}, one per class")
        low, high = labels.min(), labels.max()
        if low < 0 or high >= len(classes):
            raise ValueError(f"labels are {low}..{high}, expected 0..{len(classes) - 1}, one per class")
        counts = np.bincount(labels, minlength=len(classes))
        if not counts.all():
            raise ValueError(f"class {classes[int(counts.argmin())]!r} has no image, expected at least 1")
        fields = {"images": images, "labels": labels.astype(np.int32), "classes": classes, "alphabets": alphabets}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.images.shape[1:]))
        groups = len(set(self.alphabets))
        return f"LabelledImages({len(self)} of {size}, {len(self.classes)} classes, {groups} alphabets)"

    @property
    def counts(self) -> np.ndarray:
        """Number of images of each class, int64 [classes]."""
        return np.bincount(self.labels, minlength=len(self.classes))

    def select(self, classes: ArrayLike) -> "LabelledImages":
        """The images of some classes, relabelled 0..len(classes)-1 in the given order.

        Args:
            classes: numbers of the classes, each at most once.

        Raises:
            TypeError: if they are no whole numbers.
            ValueError: if a number is no class, or comes twice, or there is none.
        """
        chosen = numbers("classes", classes, "[n]")
        if not chosen.size or len(np.unique(chosen)) < len(chosen):
            raise ValueError(f"classes has {len(chosen)} numbers, expected at least 1, each only once")
        chosen = whole_numbers("classes", chosen, "[n]", 0, len(self.classes) - 1)
        relabel = np.full(len(self.classes), -1, np.int32)
        relabel[chosen] = np.arange(len(chosen))
        kept = relabel[self.labels] >= 0
        return LabelledImages(
            self.images[kept],
            relabel[self.labels[kept]],
            tuple(self.classes[c] for c in chosen),
            tuple(self.alphabets[c] for c in chosen),
        )

    def subset(self, alphabets: Iterable[str]) -> "LabelledImages":
        """The images of some alphabets.

        Args:
            alphabets: names of alphabets.

        Raises:
            TypeError: if they are no strings.
            ValueError: if there is no alphabet of that name, or no name is given.
        """
        wanted = {alphabets} if isinstance(alphabets, str) else set(names("alphabets", alphabets))
        known = set(self.alphabets)
        if unknown := wanted - known:
            raise ValueError(f"alphabets has {min(unknown)!r}, expected names among {sorted(known)}")
        return self.select([c for c, alphabet in enumerate(self.alphabets) if alphabet in wanted])

    def split(
        self, by: str = "class", fractions: Sequence[float] = (0.6, 0.2, 0.2), seed: int = 0
    ) -> tuple["LabelledImages", "LabelledImages", "LabelledImages"]:
        """Meta-train, validation and test sets that share no class.

        Args:
            by: "class" deals single classes out at random, "alphabet" whole alphabets.
            fractions: the shares of the three sets in the number of classes or alphabets.
            seed: fixes the split.

        Returns:
            (train, validation, test), which together hold every image once.

        Raises:
            ValueError: if `by` is unknown, the fractions are no three shares of 1, or a set would be empty.
        """
        one_of(("class", "alphabet"), by=by)
        seeds(seed=seed)
        shares = numbers("fractions", fractions, "[3]")
        if shares.min() <= 0 or abs(shares.sum() - 1) > 1e-6:
            raise ValueError(f"fractions is {shown(fractions)}, expected three positive numbers that sum to 1")
        group = np.arange(len(self.classes))
        if by == "alphabet":
            group = np.unique(self.alphabets, return_inverse=True)[1]
        groups = int(group.max()) + 1
        ends = np.rint(np.cumsum([0, *fractions]) * groups).astype(int)
        if (np.diff(ends) < 1).any():
            raise ValueError(
                f"fractions {shown(fractions)} leave a set empty when split by {by}: there are only {groups}"
            )
        order = np.random.default_rng(seed).permutation(groups)
        train, validation, test = (
            self.select(np.flatnonzero(np.isin(group, order[start:end]))) for start, end in pairwise(ends)
        )
        return train, validation, test

    def with_rotations(self) -> "LabelledImages":
        """Every class also turned by 90, 180 and 270 degrees, each turn a class of its own.

        The augmentation of Santoro et al. (2016) that MAML and prototypical networks train with on Omniglot.
        Split first: the four turns of a character must not be shared between training and test.

        Raises:
            ValueError: if the images are not square.
        """
        height, width = self.images.shape[1:3]
        if height != width:
            raise ValueError(f"images are {height}x{width}, expected squares to rotate by 90 degrees")
        quarters = range(4)
        return LabelledImages(
            np.concatenate([np.rot90(self.images, quarter, axes=(1, 2)) for quarter in quarters]),
            np.concatenate([self.labels + quarter * len(self.classes) for quarter in quarters]),
            tuple(_turned(name, quarter) for quarter in quarters for name in self.classes),
            tuple(_turned(name, quarter) for quarter in quarters for name in self.alphabets),
        )


def _turned(name: str, quarter: int) -> str:
    return f"{name} {90 * quarter}°" if quarter else name
