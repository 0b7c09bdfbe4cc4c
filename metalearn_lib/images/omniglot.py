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

from metalearn_lib.images.labelled import LabelledImages

BASE_URL = "https://github.com/brendenlake/omniglot/raw/master/python"
# Bytes and SHA-256 of the official archives.
ARCHIVES = {
    "background": (9464212, "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640"),
    "evaluation": (6462886, "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee"),
}

_DRAWING = re.compile(r"(?:^|/)([^/]+)/(character\d+)/(\d{4}_\d{2})\.png$")
_SIDE = 105  # pixels of an original drawing


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
        ValueError: if an archive is corrupt or holds no drawings of Omniglot.
    """
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"size is {size!r}, expected a whole number of pixels of at least 1")
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path {str(path)!r} does not exist, expected an archive or folder of Omniglot")
    drawings = _read_folder(path, size) if path.is_dir() else _read_zip(path, size)
    if not drawings:
        raise ValueError(f"{str(path)!r} holds no ALPHABET/characterNN/KKKK_DD.png, expected drawings of Omniglot")
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
        ValueError: if `part` is unknown, or what came is not the official archive.
        ConnectionError: if the archive cannot be fetched.
    """
    if part not in ARCHIVES:
        raise ValueError(f"part is {part!r}, expected 'background' or 'evaluation'")
    size, digest = ARCHIVES[part]
    path = (_cache() if folder is None else Path(folder)) / f"images_{part}.zip"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            came, received = _fetch(f"{BASE_URL}/{path.name}", size, file.write)
            file.flush()
            os.fsync(file.fileno())
        if received != digest:
            raise ValueError(
                f"{BASE_URL}/{path.name} sent {came} bytes with SHA-256 {received}, "
                f"expected the official {size} bytes with {digest}"
            )
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
    return path


def _fetch(url: str, size: int, write: Callable[[bytes], int]) -> tuple[int, str]:
    """Pass what a URL sends, up to a byte more than `size`, to `write`; its bytes and their SHA-256."""
    hasher, came = hashlib.sha256(), 0
    try:
        with (
            urllib.request.urlopen(url, timeout=30) as reply,
            tqdm(total=size, desc=url.rsplit("/", 1)[-1], unit="B", unit_scale=True) as bar,
        ):
            while came <= size and (block := reply.read(min(1 << 16, size + 1 - came))):
                hasher.update(block)
                came += len(block)
                bar.update(write(block))
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise ConnectionError(f"{url} cannot be fetched ({error}), expected the archive of Omniglot") from error
    return came, hasher.hexdigest()


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


def _read_folder(folder: Path, size: int) -> dict[tuple[str, ...], np.ndarray]:
    drawings = {}
    for path in sorted(folder.rglob("*.png")):
        if found := _DRAWING.search(path.as_posix()):
            drawings[found.groups()] = _decode(path.read_bytes(), str(path), size)
    if not drawings:
        for path in sorted(folder.glob("images_*.zip")):
            drawings |= _read_zip(path, size)
    return drawings


def _read_zip(path: Path, size: int) -> dict[tuple[str, ...], np.ndarray]:
    drawings = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if found := _DRAWING.search(name):
                    drawings[found.groups()] = _decode(archive.read(name), f"{path}: {name}", size)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise ValueError(f"{str(path)!r} cannot be read ({error}), expected an intact archive of Omniglot") from error
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
