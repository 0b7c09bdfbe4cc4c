"""Skeletons of characters taken apart into the strokes that a pen would make."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from scipy.ndimage import convolve, gaussian_filter1d, label

from metalearn_lib.images.glyphs import SIDE

SPACING = 2.0  # distance of the points of a stroke
STRAIGHT_ON = -0.6  # strokes that meet at a cosine below this are one stroke
SHORTEST = 4  # pixels of a branch that is more than a flaw of the skeleton

Character = Sequence[np.ndarray]  # strokes [points, 2], x and y in pixels of a skeleton from its centre


def trace_strokes(skeleton: np.ndarray) -> Character:
    """Take a skeleton apart into strokes that go straight on where lines cross.

    Args:
        skeleton: lines one pixel wide, bool [SIDE, SIDE].

    Returns:
        Strokes [points, 2], x and y in pixels from the centre, with points two pixels apart.
    """
    around = np.ones((3, 3), int)
    neighbors = convolve(skeleton.astype(int), around, mode="constant") - skeleton
    crossings, number = cast(tuple[np.ndarray, int], label(skeleton & (neighbors > 2), around))
    centres = [np.argwhere(crossings == c + 1).mean(0) for c in range(number)]
    branches, count = cast(tuple[np.ndarray, int], label(skeleton & (crossings == 0), around))
    strokes, ends = [], []
    for branch in range(1, count + 1):
        line = _walk(np.argwhere(branches == branch))
        touched = [_touches(crossings, line[0]), _touches(crossings, line[-1])]
        if len(line) == 1:
            touched[1] = -1
        if len(line) < SHORTEST and touched != [-1, -1] and -1 in touched:
            continue
        before, after = ([centres[c]] if c >= 0 else [] for c in touched)
        strokes.append(np.array([*before, *line, *after], float))
        ends.append(touched)
    for crossing in range(number):
        _join(strokes, ends, crossing)
    middle = (SIDE - 1) / 2
    return [_evenly(stroke[:, ::-1] - middle) for stroke in strokes]


def _walk(pixels: np.ndarray) -> np.ndarray:
    """The pixels of a branch in the order of the pen."""
    left = [*map(tuple, pixels.tolist())]
    near = [sum(max(abs(a - c), abs(b - d)) == 1 for c, d in left) for a, b in left]
    line = [left.pop(int(np.argmin(near)))]
    while left:
        a, b = line[-1]
        distances = [(a - c) ** 2 + (b - d) ** 2 for c, d in left]
        nearest = int(np.argmin(distances))
        if distances[nearest] > 8:
            break
        line.append(left.pop(nearest))
    return np.array(line)


def _touches(crossings: np.ndarray, pixel: np.ndarray) -> int:
    """The crossing next to a pixel, −1 for none."""
    y, x = pixel
    return int(crossings[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max()) - 1


def _join(strokes: list[np.ndarray], ends: list[list[int]], crossing: int) -> None:
    """Join the strokes that go straight on at a crossing, the straightest pair first."""
    while True:
        meeting = [(i, end) for i, touched in enumerate(ends) for end in (0, 1) if touched[end] == crossing]
        best, pair = STRAIGHT_ON, None
        for k, a in enumerate(meeting):
            for b in meeting[k + 1 :]:
                cosine = float(_leaving(strokes, *a) @ _leaving(strokes, *b))
                if a[0] != b[0] and cosine < best:
                    best, pair = cosine, (a, b)
        if pair is None:
            return
        (i, end_i), (j, end_j) = pair
        first = strokes[i] if end_i == 1 else strokes[i][::-1]
        second = strokes[j] if end_j == 0 else strokes[j][::-1]
        joined, touched = np.concatenate([first, second[1:]]), [ends[i][1 - end_i], ends[j][1 - end_j]]
        for k in sorted((i, j), reverse=True):
            del strokes[k], ends[k]
        strokes.append(joined)
        ends.append(touched)


def _leaving(strokes: list[np.ndarray], index: int, end: int) -> np.ndarray:
    """The direction in which a stroke leaves one of its ends, a vector of length 1."""
    stroke = strokes[index] if end == 0 else strokes[index][::-1]
    step = stroke[min(6, len(stroke) - 1)] - stroke[0]
    return step / max(np.linalg.norm(step), 1e-9)


def _evenly(stroke: np.ndarray) -> np.ndarray:
    """A stroke with points `SPACING` apart, without the steps of its pixels."""
    stroke = smooth(stroke, 1.5)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(stroke, axis=0), axis=1))])
    places = np.linspace(0, lengths[-1], max(2, round(lengths[-1] / SPACING) + 1))
    return np.stack([np.interp(places, lengths, side) for side in stroke.T], axis=-1)


def smooth(stroke: np.ndarray, deviation: float) -> np.ndarray:
    """A stroke with rounded corners whose ends stay."""
    if deviation < 0.1 or len(stroke) < 3:
        return stroke
    inside = gaussian_filter1d(np.pad(stroke, ((9, 9), (0, 0)), "reflect", reflect_type="odd"), deviation, axis=0)
    return inside[9:-9]
