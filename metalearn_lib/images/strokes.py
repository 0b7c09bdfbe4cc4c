"""The glyphs drawn stroke by stroke with a pen, as people drew Omniglot.

`glyphs` bends a character as a whole. Here it is taken apart into pen strokes, and each drawer also misplaces every
stroke a little, rounds corners and has an unsteady hand.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter1d

from metalearn_lib.core.checks import at_least, fits_in_memory, instances, numbers, seeds, whole_in
from metalearn_lib.images.glyphs import SIDE, characters_of, skeletons
from metalearn_lib.images.labelled import LabelledImages
from metalearn_lib.images.tracing import Character, smooth, trace_strokes

CANVAS = 105  # pixels of a drawing before it is shrunk, as Omniglot's
PEN = 6  # width of the pen on the canvas; Omniglot's is the same everywhere
SIZE = 0.8  # of a character beside its printed one

# What a drawer changes; lengths are in pixels of a skeleton, and each is the standard deviation of a normal number.
ROTATION, SHEAR, STRETCH, SCALE, SHIFT = np.deg2rad(10.5), 0.225, 0.18, 0.15, 2.5
STROKE_ROTATION, STROKE_SCALE, STROKE_SHIFT = np.deg2rad(7.5), 0.12, 1.8
BEND, WAVELENGTH = 2.4, (40.0, 120.0)  # of four waves that bend the whole character
TREMBLE = 0.5
ROUNDING = 2.5  # greatest smoothing of corners, in points of a stroke


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
        TypeError: if `scripts` are no strings.
        ValueError: if `drawers` is below 1, `size` not in 1..105, a script is unknown, or so many images do not fit
            into memory.
    """
    _check_drawing(drawers, size, seed)
    names, alphabets = characters_of(scripts)
    fits_in_memory(len(names) * drawers * size**2, drawers=drawers, size=size)
    drawn = [_draw(_strokes_of(name), drawers, size, np.random.default_rng((seed, ord(name)))) for name in names]
    labels = np.repeat(np.arange(len(names), dtype=np.int32), drawers)
    return LabelledImages(np.concatenate(drawn), labels, names, alphabets)


def draw_strokes(strokes: Character, drawers: int, size: int = 28, seed: int = 0) -> np.ndarray:
    """Write a character as so many drawers would.

    Args:
        strokes: its strokes [points, 2], see `trace_strokes`.
        drawers: number of images.
        size: height and width of an image, in pixels, at most 105.
        seed: fixes every image.

    Returns:
        uint8 [drawers, size, size, 1], 0 paper to 255 ink.

    Raises:
        TypeError: if `strokes` is no list or tuple of arrays.
        ValueError: if there is no stroke, one has another shape or no point, or a number is out of range.
    """
    _check_drawing(drawers, size, seed)
    instances((list, tuple), "a list of strokes", strokes=strokes)
    arrays = [numbers(f"strokes[{i}]", stroke, "[points, 2]") for i, stroke in enumerate(strokes)]
    if not arrays or not all(map(len, arrays)):
        raise ValueError(f"strokes has arrays of {[*map(len, arrays)]} points, expected at least one with a point")
    return _draw(arrays, drawers, size, np.random.default_rng(seed))


def _check_drawing(drawers: int, size: int, seed: int) -> None:
    at_least(1, drawers=drawers)
    whole_in(1, CANVAS, size=size)
    seeds(seed=seed)
    fits_in_memory(8 * drawers * CANVAS**2, drawers=drawers)


def _draw(strokes: Character, drawers: int, size: int, rng: np.random.Generator) -> np.ndarray:
    of_stroke = np.repeat(np.arange(len(strokes)), [len(stroke) for stroke in strokes])
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    points = np.empty((drawers, len(of_stroke), 2))
    for drawer in range(drawers):
        rounded = [smooth(stroke, rng.uniform(0, ROUNDING)) for stroke in strokes]
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

    Raises:
        TypeError: if `images` are no numbers.
        ValueError: if they are not square, or `size` is not in 1..H.
    """
    images = numbers("images", images, "[n, H, H]")
    side = images.shape[1]
    if side != images.shape[2]:
        raise ValueError(f"images has shape {images.shape}, expected squares [n, H, H]")
    whole_in(1, side, size=size)
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
