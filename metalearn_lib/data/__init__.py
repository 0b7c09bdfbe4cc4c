"""Images to learn from: drawn glyphs, Omniglot, or a folder of your own."""

from metalearn_lib.data.glyphs import draw, glyph_splits, load_glyphs
from metalearn_lib.data.images import LabelledImages, load_images
from metalearn_lib.data.omniglot import download_omniglot, load_omniglot

__all__ = [
    "LabelledImages",
    "download_omniglot",
    "draw",
    "glyph_splits",
    "load_glyphs",
    "load_images",
    "load_omniglot",
]
