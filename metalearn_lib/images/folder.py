"""A folder of images of your own."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from metalearn_lib.core.checks import as_path, at_least, fits_in_memory
from metalearn_lib.images.labelled import LabelledImages

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}


def load_images(folder: str | Path, size: int = 28) -> LabelledImages:
    """Read a folder of images: a folder per class, or a folder per alphabet with one per class in it.

    Files of other kinds and hidden files are skipped. Images of any size and mode are stretched to
    squares, transparency turns white, and all become grey (C = 1) unless one of them has colour (C = 3).
    Values are the file's brightness: 16 bits a pixel, and floats from 0 to 1, are scaled to 0..255. To make dark
    ink bright, write `dataclasses.replace(images, images=255 - images.images)`.

    Args:
        folder: the folder that holds the classes or alphabets.
        size: height and width of the result, in pixels.

    Returns:
        Images [n, size, size, C]; classes named "class" or "alphabet/class", in the order of their names.

    Raises:
        FileNotFoundError: if there is no such folder.
        TypeError: if `folder` is no path.
        ValueError: if a class has no image, a file is no intact image or holds values of an unknown range, the levels
            are mixed, or images of `size` do not fit into memory.
    """
    at_least(1, size=size)
    folder = as_path("folder", folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"folder {str(folder)!r} does not exist, expected a folder of images")
    files: dict[tuple[str, str], list[Path]] = {}
    for first in _folders(folder):
        if seconds := _folders(first):
            if _images(first):
                raise ValueError(f"folder {str(first)!r} holds images beside folders, expected one or the other")
            files |= {(first.name, f"{first.name}/{second.name}"): _images(second) for second in seconds}
        else:
            files[folder.name, first.name] = _images(first)
    if not files:
        raise ValueError(f"folder {str(folder)!r} has no folder in it, expected one per class")
    for (_, name), paths in files.items():
        if not paths:
            raise ValueError(f"folder {str(folder / name)!r} has no image in it, expected at least 1")
    every = [path for paths in files.values() for path in paths]
    fits_in_memory(3 * len(every) * size**2, size=size)
    pictures = [_read(path, size) for path in every]
    channels = max(picture.shape[-1] for picture in pictures)
    return LabelledImages(
        np.stack([np.broadcast_to(picture, (size, size, channels)) for picture in pictures]),
        np.repeat(np.arange(len(files)), [len(paths) for paths in files.values()]),
        tuple(name for _, name in files),
        tuple(alphabet for alphabet, _ in files),
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _read(path: Path, size: int) -> np.ndarray:
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode[0] in "IF":  # 16 or 32 bits a pixel, which convert("L") would clip at 255
                picture = Image.fromarray(_in_bytes(np.asarray(picture), picture.mode))
            if picture.has_transparency_data:
                paper = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(paper, picture.convert("RGBA"))
            picture = picture.convert("RGB")
            pixels = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"file {str(path)!r} is no intact image ({error}), expected one to read") from error
    return pixels[..., :1] if (pixels == pixels[..., :1]).all() else pixels


def _in_bytes(pixels: np.ndarray, mode: str) -> np.ndarray:
    """Grey values of Pillow's modes "I;16" and "I" (16 bits in 32) and "F" (0 to 1) as uint8.

    Raises:
        ValueError: for values of an unknown range.
    """
    low, high = pixels.min(), pixels.max()
    if mode == "F":
        if not 0 <= low <= high <= 1:
            raise ValueError(f"its values are floats from {low:g} to {high:g}, of which 0 to 1 can be read")
        return np.rint(255 * pixels).astype(np.uint8)
    if not 0 <= low <= high < 2**16 or (mode == "I" and 0 < high < 2**8):
        raise ValueError(f"its values are 32-bit numbers from {low} to {high}, of which 16 bits can be read")
    return (pixels >> 8).astype(np.uint8)
