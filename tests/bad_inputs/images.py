"""Wrong arguments of `ml.images`."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import metalearn_lib as ml
from tests.bad_inputs.right import IMAGES
from tests.bad_inputs.rows import (
    ARRAY,
    LARGE,
    NAN,
    NOT_NEGATIVE,
    OBJECT,
    PATH,
    SEED,
    STRINGS,
    TEXT,
    WHOLE,
    Named,
    line,
    no_default,
    put,
)

_folder = tempfile.TemporaryDirectory()
FILE, EMPTY, NOWHERE, PICTURES = (Path(_folder.name) / name for name in ("file.txt", "empty", "nowhere", "pictures"))
FILE.write_text("no image")
EMPTY.mkdir()
(PICTURES / "cat").mkdir(parents=True)
Image.new("L", (4, 4)).save(PICTURES / "cat" / "1.png")

PARTS = {name: getattr(IMAGES, name) for name in ("images", "labels", "classes", "alphabets")}
NO_SCRIPTS = (*STRINGS, [], "Klingon", ["Lao", "Klingon"])
NO_FRACTIONS = (*ARRAY, 0.5, (0.5, 0.5), (NAN, 0.5, 0.5), (0.5, 0.6, -0.1), (1, 1, 1), (1e-9, 0.5, 0.5))
DISPLACEMENT = (*no_default(NOT_NEGATIVE), 64)
STROKES = {"strokes": [np.array([[0.0, 0.0], [3.0, 4.0]])], "drawers": 1}
POINTS = STROKES["strokes"][0]
NO_STROKES = (*OBJECT, [], ["text"], [None], [POINTS[:0]], [POINTS[0]], [put(POINTS, NAN)], [np.zeros((2, 3))])
SQUARE = np.zeros((1, 4, 4))

TABLE = [
    line(
        ml.images.LabelledImages,
        PARTS,
        images=(*ARRAY, IMAGES.images / 255, IMAGES.images[0], IMAGES.images[:0]),
        labels=(*ARRAY, IMAGES.labels + 0.5, IMAGES.labels - 1, IMAGES.labels + 1, IMAGES.labels[:1]),
        classes=(*STRINGS, None, Named("alphabets", ["a"])),
        alphabets=(*STRINGS, None, ["a"]),
    ),
    line(IMAGES.select, classes=(*ARRAY, [], [0, 0], [-1], [LARGE], [0.5], 3, [NAN])),
    line(IMAGES.subset, alphabets=(*STRINGS, None, "Klingon", ["Greek", "Klingon"])),
    line(IMAGES.split, by=(*TEXT, "drawer"), fractions=NO_FRACTIONS, seed=SEED),
    line(ml.images.characters_of, scripts=NO_SCRIPTS),
    line(ml.images.load_images, {"folder": PICTURES}, size=(*WHOLE, 10**6)),
    line(ml.images.load_images, folder=(*PATH, NOWHERE, EMPTY, PICTURES / "cat")),
    line(ml.images.load_omniglot, {"path": EMPTY}, size=(*WHOLE, 10**6)),
    line(ml.images.load_omniglot, path=(*PATH, NOWHERE, FILE, EMPTY, PICTURES)),
    line(ml.images.download_omniglot, part=(*TEXT, "test"), folder=(*no_default(PATH), FILE, FILE / "below")),
    line(ml.images.load_glyphs, {"scripts": "Lao"}, drawers=(*WHOLE, LARGE), size=(*WHOLE, 1, 10**6), seed=SEED),
    line(ml.images.load_glyphs, scripts=NO_SCRIPTS, displacement=DISPLACEMENT),
    line(ml.images.glyph_splits, drawers=(*WHOLE, LARGE), size=(*WHOLE, 10**6), seed=SEED),
    line(ml.images.draw_glyph, {"characters": "A"}, drawers=(*WHOLE, LARGE), size=(*WHOLE, 1, 10**6), seed=SEED),
    line(ml.images.draw_glyph, {"characters": "A"}, characters=(*TEXT, "", "\u0410"), displacement=DISPLACEMENT),
    line(ml.images.load_strokes, {"scripts": "Lao"}, drawers=(*WHOLE, LARGE), size=(*WHOLE, 106), seed=SEED),
    line(ml.images.load_strokes, scripts=NO_SCRIPTS),
    line(ml.images.draw_strokes, STROKES, strokes=NO_STROKES, drawers=(*WHOLE, LARGE), size=(*WHOLE, 106), seed=SEED),
    line(ml.images.shrink_images, {"images": SQUARE, "size": 2}, size=(*WHOLE, 5)),
    line(ml.images.shrink_images, {"size": 2}, images=(*ARRAY, SQUARE[0], SQUARE[..., :3], put(SQUARE, NAN))),
]
