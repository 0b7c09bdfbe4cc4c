"""The glyphs drawn stroke by stroke with a pen, as people drew Omniglot.

`glyphs` bends a character as a whole. Here it is taken apart into pen strokes, and each drawer also misplaces every
stroke a little, rounds corners and has an unsteady hand.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import convolve, gaussian_filter1d, label

from metalearn_lib.core.checks import at_least
from metalearn_lib.images.glyphs import SIDE, characters_of, skeletons
from metalearn_lib.images.labelled import LabelledImages

CANVAS = 105  # pixels of a drawing before it is shrunk, as Omniglot's
PEN = 6  # width of the pen on the canvas; Omniglot's is the same everywhere
SIZE = 0.8  # of a character beside its printed one

# What a drawer changes; lengths are in pixels of a skeleton, and each is the standard deviation of a normal number.
ROTATION, SHEAR, STRETCH, SCALE, SHIFT = np.deg2rad(10.5), 0.225, 0.18, 0.15, 2.5
STROKE_ROTATION, STROKE_SCALE, STROKE_SHIFT = np.deg2rad(7.5), 0.12, 1.8
BEND, WAVELENGTH = 2.4, (40.0, 120.0)  # of four waves that bend the whole character
TREMBLE = 0.5
ROUNDING = 2.5  # greatest smoothing of corners, in points of a stroke

SPACING = 2.0  # distance of the points of a stroke
STRAIGHT_ON = -0.6  # strokes that meet at a cosine below this are one stroke
SHORTEST = 4  # pixels of a branch that is more than a flaw of the skeleton

Character = Sequence[np.ndarray]  # strokes [points, 2], x and y in pixels of a skeleton from its centre


def load_strokes(
    drawers: int = 20, size: int = 28, seed: int = 0, scripts: Iterable[str] | None = None
) -> LabelledImages:
    """The characters of some scripts, drawn stroke by stroke.

    Args:
        drawers: number of images of each character.
        size: height and width of an image, in pixels; a drawing of 105 pixels is shrunk to it by averaging areas.
        seed: fixes every image; a character is drawn alike whatever else is loaded with it.
        scripts: names of scripts; all of them if None.

    Returns:
        Images [characters * drawers, size, size, 1]: a class per character, an alphabet per script.

    Raises:
        ValueError: if `drawers` or `size` is below 1, or a script is unknown.
    """
    at_least(1, drawers=drawers, size=size)
    names, alphabets = characters_of(scripts)
    drawn = [draw_strokes(_strokes_of(name), drawers, size, (seed, ord(name))) for name in names]
    labels = np.repeat(np.arange(len(names), dtype=np.int32), drawers)
    return LabelledImages(np.concatenate(drawn), labels, names, alphabets)


def draw_strokes(strokes: Character, drawers: int, size: int = 28, seed: int | Sequence[int] = 0) -> np.ndarray:
    """Write a character as so many drawers would.

    Args:
        strokes: its strokes, see `trace`.
        drawers: number of images.
        size: height and width of an image, in pixels.
        seed: fixes every image.

    Returns:
        uint8 [drawers, size, size, 1], 0 paper to 255 ink.
    """
    rng = np.random.default_rng(seed)
    of_stroke = np.repeat(np.arange(len(strokes)), [len(stroke) for stroke in strokes])
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    points = np.empty((drawers, len(of_stroke), 2))
    for drawer in range(drawers):
        rounded = [_smooth(stroke, rng.uniform(0, ROUNDING)) for stroke in strokes]
        points[drawer] = np.concatenate(rounded)
    centres = np.stack([stroke.mean(0) for stroke in strokes])[of_stroke]
    each = (drawers, len(strokes))
    turned = _affine(rng, each, STROKE_ROTATION, 0.0, STROKE_SCALE / 2, STROKE_SCALE)[:, of_stroke]
    points = np.einsum("dpij,dpj->dpi", turned, points - centres) + centres
    points += rng.normal(0, STROKE_SHIFT, (*each, 2))[:, of_stroke]
    points += _bend(points, rng)
    tremble = rng.normal(0, TREMBLE * np.sqrt(4 * np.sqrt(np.pi)), points.shape)
    points += gaussian_filter1d(tremble, 2.0, axis=1)
    whole = _affine(rng, (drawers, 1), ROTATION, SHEAR, STRETCH, SCALE)
    points = SIZE * np.einsum("dpij,dpj->dpi", whole, points) + rng.normal(0, SHIFT, (drawers, 1, 2))
    points = (points + SIDE / 2) * CANVAS / SIDE
    canvas = np.stack([_ink(np.split(own, ends)) for own in points])
    return np.rint(shrink_images(canvas, size) * 255).astype(np.uint8)[..., None]


def shrink_images(images: np.ndarray, size: int) -> np.ndarray:
    """Average images over the areas of larger pixels.

    Args:
        images: [n, H, H].
        size: height and width of the result, in pixels, at most H.

    Returns:
        float32 [n, size, size].
    """
    side = images.shape[1]
    edges = np.linspace(0, side, size + 1)
    pixels = np.arange(side)
    covered = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    share = (covered.clip(0) * size / side).astype(np.float32)
    return share @ images.astype(np.float32) @ share.T


def _affine(rng: np.random.Generator, shape: tuple[int, ...], turn: float, shear: float, stretch: float, scale: float):
    """Random linear maps [*shape, 2, 2]."""
    angle, slant, along, overall = (rng.normal(0, deviation, shape) for deviation in (turn, shear, stretch, scale))
    wide, high = np.exp(overall + along), np.exp(overall - along)
    cosine, sine = np.cos(angle), np.sin(angle)
    rows = (cosine * wide, (slant * cosine - sine) * high), (sine * wide, (slant * sine + cosine) * high)
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _bend(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smooth displacements of points [drawers, P, 2]: four waves in random directions."""
    drawers = len(points)
    angle, phase = rng.uniform(0, 2 * np.pi, (2, drawers, 1, 4))
    number = 2 * np.pi / rng.uniform(*WAVELENGTH, (drawers, 1, 4))
    wave = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * number[..., None]
    height = rng.normal(0, BEND / np.sqrt(2), (drawers, 4, 2))
    return np.sin((points[:, :, None] * wave).sum(-1) + phase) @ height


def _ink(strokes: Sequence[np.ndarray]) -> np.ndarray:
    canvas = Image.new("1", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(canvas)
    for stroke in strokes:
        draw.line([*map(tuple, stroke.tolist())], fill=1, width=PEN)
        if np.ptp(stroke, axis=0).max() < PEN:
            x, y = stroke.mean(0)
            draw.ellipse((x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2), fill=1)
    return np.asarray(canvas)


@cache
def _strokes_of(character: str) -> Character:
    characters, _, drawn = skeletons()
    return trace_strokes(drawn[characters.index(character)])


def trace_strokes(skeleton: np.ndarray) -> Character:
    """Take a skeleton apart into strokes that go straight on where lines cross.

    Args:
        skeleton: lines one pixel wide, bool [SIDE, SIDE].

    Returns:
        Strokes [points, 2], x and y in pixels from the centre, with points two pixels apart.
    """
    around = np.ones((3, 3), int)
    neighbors = convolve(skeleton.astype(int), around, mode="constant") - skeleton
    crossings, number = label(skeleton & (neighbors > 2), around)
    centres = [np.argwhere(crossings == c + 1).mean(0) for c in range(number)]
    branches, count = label(skeleton & (crossings == 0), around)
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
    stroke = _smooth(stroke, 1.5)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(stroke, axis=0), axis=1))])
    places = np.linspace(0, lengths[-1], max(2, round(lengths[-1] / SPACING) + 1))
    return np.stack([np.interp(places, lengths, side) for side in stroke.T], axis=-1)


def _smooth(stroke: np.ndarray, deviation: float) -> np.ndarray:
    """A stroke with rounded corners whose ends stay."""
    if deviation < 0.1 or len(stroke) < 3:
        return stroke
    inside = gaussian_filter1d(np.pad(stroke, ((9, 9), (0, 0)), "reflect", reflect_type="odd"), deviation, axis=0)
    return inside[9:-9]
