"""Rebuild metalearn_lib/images/glyphs.npz: skeletons of the characters of DejaVu Sans, by script.

    pip install -e .[glyphs]
    python scripts/build_glyphs.py [OUTPUT]

The font comes with matplotlib and fontTools with it; the skeletons need scikit-image. The result depends on
nothing else, so the same versions write the same bytes.
"""

import os
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import matplotlib
import numpy as np
from fontTools import unicodedata as scripts
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from skimage.morphology import skeletonize

SIDE = 64  # pixels of a skeleton
BOX = 46  # the longer side of a character in it: room for the warp of drawing
BLUR = 1.0  # pixels; of the bitmaps that are compared
ALIKE = 0.90  # correlation of blurred bitmaps above which two characters are one class
THICKEST = 8  # pixels from the middle of a stroke to its edge; above that it is a blob
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
OUTPUT = Path(__file__).parents[1] / "metalearn_lib" / "images" / "glyphs.npz"
# Braille's dots, and the symbols that all scripts share, are not drawn by hand.
SKIPPED = {"Braille", "Common", "Inherited", "Unknown"}


def candidates() -> list[tuple[str, str]]:
    """Every (character, script) of the font that is a letter or digit by itself, by code point."""
    found = []
    for code in sorted(TTFont(FONT).getBestCmap()):
        character = chr(code)
        script = scripts.script_name(scripts.script(character)).replace("_", " ")
        if (
            unicodedata.category(character)[0] in "LN"
            and not unicodedata.decomposition(character)
            and script not in SKIPPED
        ):
            found.append((character, script))
    return found


def bitmap(character: str) -> np.ndarray | None:
    """The character filled in, bool [SIDE, SIDE], its longer side BOX; None if it has no ink."""
    font = ImageFont.truetype(str(FONT), 4 * SIDE, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = font.getbbox(character)
    if right <= left or bottom <= top:
        return None
    large = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(large).text((-left, -top), character, fill=255, font=font)
    if (ink := large.getbbox()) is None:
        return None
    large = large.crop(ink)
    scale = BOX / max(large.size)
    width, height = (max(1, round(side * scale)) for side in large.size)
    small = large.resize((width, height), Image.Resampling.BOX)
    canvas = Image.new("L", (SIDE, SIDE))
    canvas.paste(small, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(canvas) >= 128


def distinct(bitmaps: np.ndarray) -> list[int]:
    """The bitmaps that look like none before them."""
    looks = ndimage.gaussian_filter(bitmaps.astype(np.float64), (0, BLUR, BLUR)).reshape(len(bitmaps), -1)
    looks -= looks.mean(axis=1, keepdims=True)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    alike = looks @ looks.T > ALIKE
    kept: list[int] = []
    for index in range(len(bitmaps)):
        if not alike[index, kept].any():
            kept.append(index)
    return kept


def build() -> dict[str, np.ndarray]:
    """The arrays of glyphs.npz."""
    drawn = [(character, script, bitmap(character)) for character, script in candidates()]
    drawn = [entry for entry in drawn if entry[2] is not None and not solid(entry[2])]
    drawn = [drawn[index] for index in distinct(np.stack([entry[2] for entry in drawn]))]
    names = sorted({script for _, script, _ in drawn})
    drawn.sort(key=lambda entry: (entry[1], entry[0]))
    return {
        "skeletons": np.packbits(np.stack([skeletonize(entry[2]) for entry in drawn]), axis=-1),
        "code_points": np.array([ord(entry[0]) for entry in drawn], np.uint32),
        "script": np.array([names.index(entry[1]) for entry in drawn], np.uint8),
        "script_names": np.array(names),
    }


def solid(filled: np.ndarray) -> bool:
    """Whether a character is a blob rather than strokes."""
    return bool(ndimage.distance_transform_edt(filled).max() > THICKEST)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the arrays compressed as well as zip can, whole or not at all."""
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for name, array in arrays.items():
                # A date of its own would make every build another file.
                entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w") as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


if __name__ == "__main__":
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    arrays = build()
    write(output, arrays)
    print(
        f"{output.name}: {len(arrays['code_points'])} characters of {len(arrays['script_names'])} scripts,",
        end=" ",
    )
    print(f"{output.stat().st_size / 1000:.0f} kB")
