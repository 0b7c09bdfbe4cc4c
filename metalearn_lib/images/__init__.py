"""Images to learn from: drawn glyphs, strokes, Omniglot, or a folder of your own."""

from metalearn_lib.images.folder import load_images
from metalearn_lib.images.glyphs import characters_of, draw_glyph, glyph_splits, load_glyphs
from metalearn_lib.images.labelled import LabelledImages
from metalearn_lib.images.omniglot import download_omniglot, load_omniglot
from metalearn_lib.images.strokes import draw_strokes, load_strokes, shrink_images

__all__ = [
    "LabelledImages",
    "characters_of",
    "download_omniglot",
    "draw_glyph",
    "draw_strokes",
    "glyph_splits",
    "load_glyphs",
    "load_images",
    "load_omniglot",
    "load_strokes",
    "shrink_images",
]
