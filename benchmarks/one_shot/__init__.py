"""How well a network that saw drawn glyphs alone recognises real handwriting."""
