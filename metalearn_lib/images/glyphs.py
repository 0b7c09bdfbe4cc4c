"""Characters of fifteen scripts, drawn so that they look like handwriting: the course's default images.

A character is stored as the skeleton of its strokes, 64 x 64 pixels, taken from the DejaVu Sans font
(`scripts/build_glyphs.py` rebuilds them). To draw it, the distance to the skeleton is looked up through a
random smooth warp and thresholded at the width of a random pen.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import distance_transform_edt

from metalearn_lib.core.checks import at_least, fits_in_memory, names, number_in, seeds, texts
from metalearn_lib.images.labelled import LabelledImages

SIDE = 64  # pixels of a skeleton; every length below is in these pixels

# What a drawer may change: each is drawn uniformly from ± its value. With these a nearest neighbour on
# blurred pixels finds the glyphs as hard as Omniglot's handwriting.
ROTATION = np.deg2rad(12)
SHEAR = 0.25
SCALE = 0.18  # log of the stretch along each axis
OVERALL_SCALE = 0.25  # log of the stretch along both
TRANSLATION = 5.0
DISPLACEMENT = 2.0  # standard deviation at the 4 x 4 knots
PEN = (0.9, 1.4)  # least and greatest half width of a stroke
KNOTS = 4

TEST_SCRIPTS = ("Georgian", "Hebrew", "Lao", "Nko")
VALIDATION_SCRIPTS = ("Armenian", "Tifinagh")

_CHUNK = 16  # characters drawn at once; small enough for the cache of a processor


def load_glyphs(
    drawers: int = 20,
    size: int = 28,
    scripts: Iterable[str] | None = None,
    seed: int = 0,
    displacement: float | None = None,
) -> LabelledImages:
    """The characters of some scripts, each drawn by a number of drawers.

    Args:
        drawers: number of images of each character.
        size: height and width of an image, in pixels.
        scripts: names of scripts; all of them if None.
        seed: fixes every image; a character is drawn alike whatever else is loaded with it.
        displacement: how far drawers bend strokes, see `draw_glyph`.

    Returns:
        Images [characters * drawers, size, size, 1]: a class per character, an alphabet per script.

    Raises:
        TypeError: if `scripts` are no strings.
        ValueError: if a script is unknown, drawers below 1, size below 2 or displacement below 0.
    """
    characters, alphabets = characters_of(scripts)
    images = draw_glyph("".join(characters), drawers, size, seed, displacement)
    labels = np.repeat(np.arange(len(characters), dtype=np.int32), drawers)
    return LabelledImages(images.reshape(-1, size, size, 1), labels, characters, alphabets)


def glyph_splits(
    drawers: int = 20, size: int = 28, seed: int = 0
) -> tuple[LabelledImages, LabelledImages, LabelledImages]:
    """The glyphs split by script, so that test alphabets were never seen in training.

    Args:
        drawers: number of images of each character.
        size: height and width of an image, in pixels.
        seed: fixes every image.

    Returns:
        (train, validation, test): test holds `TEST_SCRIPTS`, validation `VALIDATION_SCRIPTS`, train the rest.
    """
    held_out = set(TEST_SCRIPTS + VALIDATION_SCRIPTS)
    train = set(skeletons()[1]) - held_out
    return (
        load_glyphs(drawers, size, train, seed),
        load_glyphs(drawers, size, VALIDATION_SCRIPTS, seed),
        load_glyphs(drawers, size, TEST_SCRIPTS, seed),
    )


def characters_of(scripts: Iterable[str] | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The characters of some scripts.

    Args:
        scripts: names of scripts; all of them if None.

    Returns:
        (characters, the script of each), in the order of `load_glyphs()`.

    Raises:
        TypeError: if `scripts` are no strings.
        ValueError: if a script is unknown, or none is named.
    """
    characters, script_of, _ = skeletons()
    known = sorted(set(script_of))
    wanted = set(known if scripts is None else [scripts] if isinstance(scripts, str) else names("scripts", scripts))
    if unknown := wanted - set(known):
        raise ValueError(f"scripts has {min(unknown)!r}, expected names among {', '.join(known)}")
    if not wanted:
        raise ValueError(f"scripts is empty, expected names among {', '.join(known)}")
    kept = [(name, script) for name, script in zip(characters, script_of, strict=True) if script in wanted]
    return tuple(name for name, _ in kept), tuple(script for _, script in kept)


def draw_glyph(
    characters: str, drawers: int = 20, size: int = 28, seed: int = 0, displacement: float | None = None
) -> np.ndarray:
    """Draw characters as so many drawers would.

    Drawer d of a character is the same however many drawers there are and whatever else is drawn.

    Args:
        characters: characters that `load_glyphs` has.
        drawers: number of images of each.
        size: height and width of an image, in pixels.
        seed: fixes every image.
        displacement: how far drawers bend strokes: the standard deviation of their smooth displacement, in 64ths of
            the height of an image; None for `DISPLACEMENT`.

    Returns:
        uint8 [characters, drawers, size, size, 1], 0 paper to 255 ink.

    Raises:
        TypeError: if `characters` is no text.
        ValueError: if a character is unknown, there is none, drawers is below 1, size below 2, displacement below 0, or
            so many images do not fit into memory.
    """
    displacement = DISPLACEMENT if displacement is None else displacement
    texts(characters=characters)
    at_least(1, drawers=drawers)
    at_least(2, size=size)
    seeds(seed=seed)
    number_in(f"[0, {SIDE})", displacement=displacement)
    known = {character: index for index, character in enumerate(skeletons()[0])}
    unknown = [character for character in characters if character not in known]
    if unknown or not characters:
        found = f"has {unknown[0]!r}" if unknown else "is empty"
        raise ValueError(f"characters {found}, expected some of the {len(known)} glyphs that load_glyphs() has")
    # Drawing takes some ten numbers of 4 bytes for each pixel of a chunk.
    pixels = len(characters) + 40 * min(len(characters), _CHUNK)
    fits_in_memory(pixels * drawers * size**2, drawers=drawers, size=size)
    images = np.empty((len(characters), drawers, size, size, 1), np.uint8)
    step = SIDE / size
    for first in range(0, len(characters), _CHUNK):
        chunk = characters[first : first + _CHUNK]
        random = np.stack([_random(character, drawers, seed) for character in chunk])
        random = random.reshape(-1, random.shape[-1])
        x, y = _warp(random, size, displacement)
        # Lengths in the skeleton are this much longer: without it strokes swell where the warp stretches.
        x_down, x_right = np.gradient(x, np.float32(step), axis=(1, 2))
        y_down, y_right = np.gradient(y, np.float32(step), axis=(1, 2))
        jacobian = np.sqrt(np.maximum(np.abs(x_right * y_down - x_down * y_right), np.float32(0.05)))
        glyph = np.repeat([known[character] for character in chunk], drawers)
        pen = (PEN[0] + (PEN[1] - PEN[0]) * (random[:, 0] + 1) / 2).astype(np.float32)
        ink = (pen[:, None, None] - _look_up(glyph, x, y) / jacobian) / np.float32(step) + np.float32(0.5)
        images[first : first + _CHUNK] = np.rint(ink.clip(0, 1) * 255).reshape(len(chunk), drawers, size, size, 1)
    return images


def _random(character: str, drawers: int, seed: int) -> np.ndarray:
    """What sets the drawers of a character apart: uniform in ±1, [drawers, 8 + 2 * KNOTS²]."""
    return np.random.default_rng([seed, ord(character)]).uniform(-1, 1, (drawers, 8 + 2 * KNOTS**2))


def _warp(random: np.ndarray, size: int, displacement: float) -> tuple[np.ndarray, np.ndarray]:
    """Where in its skeleton each pixel of an image looks: x and y, float32 [n, size, size].

    Only sums and products of float32 act on pixels, in a fixed order: every processor draws the same image.
    """
    angle, shear = (random[:, 1:3] * (ROTATION, SHEAR)).T
    stretch_x, stretch_y = np.exp(SCALE * random[:, 3:5] + OVERALL_SCALE * random[:, 5:6]).T
    cosine, sine = np.cos(angle), np.sin(angle)
    rows = (
        (cosine / stretch_x, (sine + shear * cosine) / stretch_x),
        (-sine / stretch_y, (cosine - shear * sine) / stretch_y),
    )
    places = (np.arange(size) + 0.5) / size
    spline = CubicSpline(np.linspace(0, 1, KNOTS), np.eye(KNOTS))(places).astype(np.float32)
    shift = (TRANSLATION * random[:, 6:8]).astype(np.float32)[..., None]
    across, down = (((places - 0.5) * SIDE).astype(np.float32) - shift).swapaxes(0, 1)
    # A uniform number in ±1 has a standard deviation of 1 / √3.
    knots = (displacement * np.sqrt(3) * random[:, 8:]).astype(np.float32).reshape(-1, 2, KNOTS, KNOTS, 1)
    warped = []
    for axis, (by_x, by_y) in enumerate(rows):
        along = np.asarray(sum(knots[:, axis, :, k] * spline[:, k] for k in range(KNOTS)))  # [n, KNOTS, size]
        displaced = sum(along[:, k, None, :] * spline[:, k, None] for k in range(KNOTS))
        displaced += (by_x.astype(np.float32)[:, None] * across)[:, None, :]
        displaced += (by_y.astype(np.float32)[:, None] * down)[:, :, None]
        warped.append(displaced + np.float32((SIDE - 1) / 2))
    return warped[0], warped[1]


def _look_up(glyph: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance to the skeletons of glyphs [n] at x, y [n, size, size], between pixels bilinear."""
    field = _distances().reshape(-1)
    x, y = (side.clip(0, np.float32(SIDE - 1.001)) for side in (x, y))
    left, top = x.astype(np.int32), y.astype(np.int32)
    x -= left
    y -= top
    at = (glyph * SIDE**2)[:, None, None] + top * SIDE + left
    upper = field[at] + x * (field[at + 1] - field[at])
    lower = field[at + SIDE] + x * (field[at + SIDE + 1] - field[at + SIDE])
    return upper + y * (lower - upper)


@cache
def skeletons() -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """The characters, the script of each, and its skeleton, bool [characters, SIDE, SIDE]."""
    with np.load(Path(__file__).with_name("glyphs.npz"), allow_pickle=False) as file:
        characters = tuple(map(chr, file["code_points"]))
        scripts = tuple(file["script_names"][file["script"]].tolist())
        return characters, scripts, np.unpackbits(file["skeletons"], axis=-1).astype(bool)


@cache
def _distances() -> np.ndarray:
    """The distance of every pixel to the skeleton of its glyph, float32 [characters, SIDE, SIDE]."""
    return np.stack([np.asarray(distance_transform_edt(~skeleton)) for skeleton in skeletons()[2]]).astype(np.float32)
