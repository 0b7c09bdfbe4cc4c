"""Omniglot: 1,623 handwritten characters by 20 drawers (Lake, Salakhutdinov and Tenenbaum 2015).

The background set holds 964 characters of 30 alphabets to learn from, the evaluation set 659 of 20 others.
Neither is part of this library: `load_omniglot` reads the official archives, `download_omniglot` fetches them
when asked.
"""

import hashlib
import io
import os
import re
import sys
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from metalearn_lib.core.checks import as_path, at_least, fits_in_memory, one_of
from metalearn_lib.images.labelled import LabelledImages

BASE_URL = "https://github.com/brendenlake/omniglot/raw/master/python"
# Bytes and SHA-256 of the official archives.
ARCHIVES = {
    "background": (9464212, "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640"),
    "evaluation": (6462886, "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee"),
}

_DRAWING = re.compile(r"(?:^|/)([^/]+)/(character\d+)/(\d{4}_\d{2})\.png$")
_SIDE = 105  # pixels of an original drawing
_DRAWINGS = 32_460

Drawings = dict[tuple[str, str, str], np.ndarray]  # by alphabet, character and drawer


def load_omniglot(path: str | Path, size: int = 28) -> LabelledImages:
    """Read Omniglot's drawings, without unpacking an archive.

    A drawing is shrunk to its nearest pixels, as one-bit images always are in the published protocol.

    Args:
        path: an official archive, a folder that one was unpacked to, or a folder that holds archives.
        size: height and width of the result, in pixels; the originals have 105.

    Returns:
        Images [n, size, size, 1], ink 255; a class "alphabet/character" for each character, by name.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        TypeError: if `path` is no path.
        ValueError: if an archive is corrupt or holds no drawings of Omniglot, or images of `size` do not fit into
            memory.
    """
    at_least(1, size=size)
    fits_in_memory(_DRAWINGS * size**2, size=size)
    path = as_path("path", path)
    if not path.exists():
        raise FileNotFoundError(f"path {str(path)!r} does not exist, expected an archive or folder of Omniglot")
    drawings = _read_folder(path, size) if path.is_dir() else _read_zip(path, size)
    if not drawings:
        raise ValueError(f"path {str(path)!r} holds no ALPHABET/characterNN/KKKK_DD.png, expected drawings of Omniglot")
    keys = sorted(drawings)
    characters = sorted({(alphabet, character) for alphabet, character, _ in keys})
    number = {character: index for index, character in enumerate(characters)}
    return LabelledImages(
        np.stack([drawings[key] for key in keys])[..., None],
        np.array([number[key[:2]] for key in keys], np.int32),
        tuple(f"{alphabet}/{character}" for alphabet, character in characters),
        tuple(alphabet for alphabet, _ in characters),
    )


def download_omniglot(part: str = "background", folder: str | Path | None = None) -> Path:
    """Download an official archive, unless it is there already; about 9 and 6 MB.

    The archive appears only once it is whole and its SHA-256 is the official one.

    Args:
        part: "background" or "evaluation".
        folder: where to keep it; the user's cache if None.

    Returns:
        The path of the archive, for `load_omniglot`.

    Raises:
        TypeError: if `folder` is no path.
        ValueError: if `part` is unknown, `folder` cannot be written to, or what was sent is not the official archive.
        ConnectionError: if the archive cannot be fetched.
    """
    one_of(tuple(ARCHIVES), part=part)
    folder = _cache() if folder is None else as_path("folder", folder)
    size, digest = ARCHIVES[part]
    path = folder / f"images_{part}.zip"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    except OSError as error:
        reason = f"cannot be written to ({error.strerror})"
        raise ValueError(f"folder {str(folder)!r} {reason}, expected a folder for the archive") from error
    try:
        with os.fdopen(handle, "wb") as file:
            sent, found = _fetch(f"{BASE_URL}/{path.name}", size, file.write)
            file.flush()
            os.fsync(file.fileno())
        if found != digest:
            raise ValueError(
                f"{BASE_URL}/{path.name} sent {sent} bytes with SHA-256 {found}, "
                f"expected the official {size} bytes with {digest}"
            )
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
    return path


def _fetch(url: str, size: int, write: Callable[[bytes], int]) -> tuple[int, str]:
    """Pass what a URL sends, at most one byte more than `size`, to `write`; the number of bytes and their SHA-256."""
    hasher, received = hashlib.sha256(), 0
    try:
        with (
            urllib.request.urlopen(url, timeout=30) as reply,
            tqdm(total=size, desc=url.rsplit("/", 1)[-1], unit="B", unit_scale=True) as bar,
        ):
            while received <= size and (block := reply.read(min(1 << 16, size + 1 - received))):
                hasher.update(block)
                received += len(block)
                bar.update(write(block))
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise ConnectionError(f"{url} cannot be fetched ({error}), expected the archive of Omniglot") from error
    return received, hasher.hexdigest()


def _cache() -> Path:
    """The user's cache folder for this library."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "metalearn_lib"


def _read_folder(folder: Path, size: int) -> Drawings:
    drawings: Drawings = {}
    for path in sorted(folder.rglob("*.png")):
        if found := _DRAWING.search(path.as_posix()):
            drawings[found[1], found[2], found[3]] = _decode(path.read_bytes(), str(path), size)
    if not drawings:
        for path in sorted(folder.glob("images_*.zip")):
            drawings |= _read_zip(path, size)
    return drawings


def _read_zip(path: Path, size: int) -> Drawings:
    drawings: Drawings = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if found := _DRAWING.search(name):
                    drawings[found[1], found[2], found[3]] = _decode(archive.read(name), f"{path}: {name}", size)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        sentence = f"path {str(path)!r} cannot be read ({error}), expected an intact archive of Omniglot"
        raise ValueError(sentence) from error
    return drawings


def _decode(data: bytes, name: str, size: int) -> np.ndarray:
    """A drawing as uint8 [size, size] with ink 255; on file ink is 0."""
    try:
        drawing = Image.open(io.BytesIO(data))
        if (drawing.mode, drawing.size) != ("1", (_SIDE, _SIDE)):
            raise ValueError(f"it is {drawing.mode} {drawing.size}")
        pixels = np.asarray(drawing.resize((size, size), Image.Resampling.NEAREST))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name!r} is corrupt ({error}), expected a one-bit PNG of {_SIDE}x{_SIDE}") from error
    return np.where(pixels, 0, 255).astype(np.uint8)
