"""Omniglot: reading archives whole, torn and foreign, and downloads that are whole or do not appear."""

import hashlib
import io
import shutil
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import metalearn_lib as ml
from metalearn_lib.images import omniglot

OFFICIAL = Path(__file__).parents[3] / "shared" / "omniglot" / "images_background.zip"
DRAWINGS = {("Greek", "character01"): 3, ("Greek", "character02"): 2, ("Angelic", "character01"): 1}


def drawing(index: int, side: int = 105) -> np.ndarray:
    """Paper (True) with a square of ink that tells the drawing."""
    paper = np.ones((side, side), bool)
    paper[15 * index : 15 * index + 15, :15] = False
    return paper


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def official(root: str = "images_background/") -> dict[str, bytes]:
    """Members laid out as in the official archives, in no order, with what a Mac adds."""
    members = {}
    for index, ((alphabet, character), count) in enumerate(DRAWINGS.items()):
        for drawer in range(count, 0, -1):
            name = f"{root}{alphabet}/{character}/{index + 1:04}_{drawer:02}.png"
            members[name] = png(drawing(2 * index + drawer - 1))
    return members | {f"__MACOSX/{root}Greek/character01/._0001_01.png": b"no picture"}


def assert_read(images, size: int = 28) -> None:
    assert images.classes == ("Angelic/character01", "Greek/character01", "Greek/character02")
    assert images.alphabets == ("Angelic", "Greek", "Greek")
    assert images.labels.tolist() == [0, 1, 1, 1, 2, 2]
    for image, index in zip(images.images[..., 0], [4, 0, 1, 2, 2, 3], strict=True):
        # The nearest pixel to the middle of pixel i of `size`.
        near = ((np.arange(size) + 0.5) * 105 / size).astype(int)
        np.testing.assert_array_equal(image, np.where(drawing(index)[near][:, near], 0, 255))


def test_an_archive_an_unpacked_folder_and_a_folder_of_archives_read_alike(tmp_path):
    archive = tmp_path / "some name.zip"
    archive.write_bytes(packed(official()))
    assert_read(ml.images.load_omniglot(archive))
    assert_read(ml.images.load_omniglot(str(archive), size=20), 20)
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(archive, unpacked)
    assert_read(ml.images.load_omniglot(unpacked))
    assert_read(ml.images.load_omniglot(unpacked / "images_background"))
    both = tmp_path / "both"
    both.mkdir()
    members = official()
    for part, alphabet in (("background", "Greek"), ("evaluation", "Angelic")):
        kept = {name: data for name, data in members.items() if f"/{alphabet}/" in name}
        (both / f"images_{part}.zip").write_bytes(packed(kept))
    assert_read(ml.images.load_omniglot(both))


@pytest.mark.skipif(not OFFICIAL.exists(), reason="shared/omniglot/images_background.zip is not beside the repository")
def test_the_background_set_is_all_there():
    images = ml.images.load_omniglot(OFFICIAL)
    assert images.images.shape == (19280, 28, 28, 1)
    assert (len(images.classes), len(set(images.alphabets))) == (964, 30)
    assert (images.counts == 20).all()
    assert set(np.unique(images.images)) == {0, 255}
    assert 0.05 < (images.images > 0).mean() < 0.10  # strokes on paper, not paper on strokes


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read"),
        (b"<html>not found</html>", "cannot be read"),
        (packed(official())[:700], "cannot be read"),
        (packed({"photos/cat/1.png": png(drawing(0))}), "holds no ALPHABET/characterNN/KKKK_DD.png, expected"),
        (packed({"A/character01/0001_01.png": b"GIF89a"}), "is corrupt"),
        (packed({"A/character01/0001_01.png": png(drawing(0))[:60]}), "is corrupt"),
        (packed({"A/character01/0001_01.png": png(drawing(0, 64))}), r"is corrupt \(it is 1 \(64, 64\)\)"),
        (packed({"A/character01/0001_01.png": png(np.zeros((105, 105), np.uint8))}), r"is corrupt \(it is L"),
    ],
)
def test_what_is_no_archive_of_omniglot_is_refused_by_name(tmp_path, content, sentence):
    path = tmp_path / "torn.zip"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"torn\.zip.*{sentence}") as error:
        ml.images.load_omniglot(path)
    assert "\n" not in str(error.value)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
@pytest.mark.filterwarnings("ignore")
def test_any_damage_is_a_clear_sentence_or_harmless(tmp_path, data):
    content = bytearray(packed(official()))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(3):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    try:
        ml.images.load_omniglot(path)
    except ValueError as error:
        assert "damaged.zip" in str(error)
        assert "\n" not in str(error)


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere' does not exist, expected an archive or folder of Omniglot"):
        ml.images.load_omniglot(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no ALPHABET"):
        ml.images.load_omniglot(tmp_path)
    with pytest.raises(ValueError, match="size is 0, expected a whole number of at least 1"):
        ml.images.load_omniglot(tmp_path, size=0)


@contextmanager
def server(content: bytes, announced: int | None = None, status: int = 200):
    """A server on this machine that sends `content`: its address, and the paths asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if announced is None else announced))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/python", asked
        finally:
            listening.shutdown()


@pytest.fixture
def archive(monkeypatch) -> bytes:
    """The archive that stands in for the official one."""
    content = packed(official())
    monkeypatch.setitem(omniglot.ARCHIVES, "background", (len(content), hashlib.sha256(content).hexdigest()))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return content


def test_a_download_is_kept_and_not_fetched_again(archive, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(omniglot, "_cache", lambda: tmp_path / "cache" / "metalearn_lib")
    with server(archive) as (address, asked):
        monkeypatch.setattr(omniglot, "BASE_URL", address)
        path = ml.images.download_omniglot()
        assert path == tmp_path / "cache" / "metalearn_lib" / "images_background.zip"
        assert_read(ml.images.load_omniglot(path))
        assert "images_background.zip: 100%" in capfd.readouterr().err
        assert ml.images.download_omniglot() == path
        assert asked == ["/python/images_background.zip"]
        path.write_bytes(b"damaged")
        assert_read(ml.images.load_omniglot(ml.images.download_omniglot()))
        assert len(asked) == 2
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("sent", "kind", "sentence"),
    [
        (
            lambda c: {"content": c[:300]},
            ValueError,
            r"sent 300 bytes with SHA-256 .*, expected the official \d+ bytes",
        ),
        (lambda c: {"content": c[:-1] + b"x"}, ValueError, "with SHA-256"),
        (lambda c: {"content": c + b"x" * 10**6}, ValueError, "with SHA-256"),
        (lambda c: {"content": c[:300], "announced": len(c)}, ValueError, "sent 300 bytes"),
        (lambda c: {"content": b"", "status": 404}, ConnectionError, r"cannot be fetched \(HTTP Error 404"),
    ],
    ids=["short", "altered", "long", "cut off", "missing"],
)
def test_a_download_that_is_not_whole_leaves_what_was_there(archive, tmp_path, monkeypatch, sent, kind, sentence):
    (tmp_path / "images_background.zip").write_bytes(b"what was there")
    with server(**sent(archive)) as (address, _):
        monkeypatch.setattr(omniglot, "BASE_URL", address)
        with pytest.raises(kind, match=sentence) as error:
            ml.images.download_omniglot("background", tmp_path)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["images_background.zip"]
    assert (tmp_path / "images_background.zip").read_bytes() == b"what was there"


def test_no_connection_and_unknown_parts_are_said(archive, tmp_path, monkeypatch):
    with server(archive) as (address, _):
        pass  # closed again: nobody listens there now
    monkeypatch.setattr(omniglot, "BASE_URL", address)
    with pytest.raises(ConnectionError, match=r"cannot be fetched \(.*refused.*\), expected the archive of Omniglot"):
        ml.images.download_omniglot("background", tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="part is 'test', expected 'background' or 'evaluation'"):
        ml.images.download_omniglot("test", tmp_path)


def test_the_cache_is_the_user_s(monkeypatch, tmp_path):
    monkeypatch.setattr(omniglot.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert omniglot._cache() == tmp_path / "metalearn_lib"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert omniglot._cache() == tmp_path / ".cache" / "metalearn_lib"
