"""What a learner sees: a sentence, in colour as HTML, and as plain text elsewhere."""

import html
import re
from dataclasses import dataclass

_LOOK = {"pass": ("✔", "#009E73"), "wrong": ("✘", "#D55E00"), "blank": ("…", "#888888"), "note": ("·", "#0072B2")}


@dataclass(frozen=True)
class Verdict:
    """The result of checking an answer.

    Args:
        kind: "pass", "wrong", "blank", or "note" for a hint or a solution.
        text: Markdown's `code` between backticks, and code in lines that start with four spaces; else plain text.
        mistake: the name of the mistake that was recognised, if any.
    """

    kind: str
    text: str
    mistake: str = ""

    def __repr__(self) -> str:
        return f"{_LOOK[self.kind][0]} {self.text}"

    def _repr_html_(self) -> str:
        sign, colour = _LOOK[self.kind]
        blocks = [_block(block) for block in self.text.split("\n\n")]
        style = f"border-left: 4px solid {colour}; padding: 0.2em 0.8em; max-width: 50em"
        return f'<div style="{style}"><b style="color: {colour}">{sign}</b> ' + "<br><br>".join(blocks) + "</div>"


def _block(text: str) -> str:
    if all(line.startswith("    ") or not line for line in text.splitlines()):
        return f'<pre style="font-family: monospace">{html.escape(text)}</pre>'
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text)).replace("\n", "<br>")
