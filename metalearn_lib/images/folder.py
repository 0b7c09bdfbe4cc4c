"""A folder of images of your own."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from metalearn_lib.images.labelled import LabelledImages

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}


def load_images(folder: str | Path, size: int = 28) -> LabelledImages:
    """Read a folder of images: a folder per class, or a folder per alphabet with one per class in it.

    Files of other kinds and hidden files are passed over. Images of any size and mode are stretched to
    squares, transparency turns white, and all become grey (C = 1) unless one of them has colour (C = 3).
    Values are the file's brightness; to make dark ink bright, write
    `dataclasses.replace(images, images=255 - images.images)`.

    Args:
        folder: the folder that holds the classes or alphabets.
        size: height and width of the result, in pixels.

    Returns:
        Images [n, size, size, C]; classes named "class" or "alphabet/class", in the order of their names.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if a class has no image, a file is no intact image, or the levels are mixed.
    """
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size is {size!r}, expected a whole number of pixels of at least 1")
    folder = Path(folder)
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
    pictures = [_read(path, size) for paths in files.values() for path in paths]
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
            if picture.mode.startswith("I"):  # 16 bits a pixel, which convert("L") would clip at 255
                picture = Image.fromarray((np.asarray(picture, np.int64) >> 8).clip(0, 255).astype(np.uint8))
            if picture.has_transparency_data:
                paper = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(paper, picture.convert("RGBA"))
            if picture.mode == "F":
                picture = picture.convert("L")
            picture = picture.convert("RGB")
            pixels = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"file {str(path)!r} is no intact image ({error}), expected one to read") from error
    return pixels[..., :1] if (pixels == pixels[..., :1]).all() else pixels
