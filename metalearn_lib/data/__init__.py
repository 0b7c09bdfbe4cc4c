"""Images to learn from: drawn glyphs, Omniglot, or a folder of your own."""

from metalearn_lib.data.glyphs import draw, glyph_splits, load_glyphs
from metalearn_lib.data.images import LabelledImages, load_images

__all__ = ["LabelledImages", "draw", "glyph_splits", "load_glyphs", "load_images"]
