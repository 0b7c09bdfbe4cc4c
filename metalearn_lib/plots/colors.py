"""One colour a learner, from the first chapter to the last.

Most are Okabe and Ito's, which every kind of colour vision can tell apart; three are Paul Tol's. What does not adapt or
does not learn from tasks is grey, and what knows the answer is black. Some learners share a colour; they meet in no
figure of the course.
"""

import re
from collections.abc import Iterable
from typing import Any

from metalearn_lib.core.checks import names as strings
from metalearn_lib.core.checks import texts

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK = COLORS
INDIGO, PURPLE, SAND, BROWN = "#332288", "#AA4499", "#DDCC77", "#8B5A2B"
DARK, GREY, LIGHT, UNKNOWN = "#5A5A5A", "#777777", "#BDBDBD", "#D6D6D6"

# How figures call a learner, in small letters. The one that stands first in a name decides.
_NAMES_OF = {
    BLUE: "maml / meta-learning / learned prior",
    SKY: "fomaml / first order / memory-augmented / rl² / momentum",
    INDIGO: "meta-sgd / bisection",
    GREEN: "reptile / prototyp / meta-trained / network, trained / trained network / trained convolution / corrected / "
    "neural process / conditional / learned update / learned on / thompson",
    PINK: "anil / multi-task / matching / in context / transformer / attentive / kernel ridge / posterior mean",
    ORANGE: "joint / fine-tuned / fixed, then fine-tuned / fixed, fine-tuned / pooling / population / adam / "
    "upper bound / searches in turn",
    VERMILION: "memory / the article's memory / recalled / entries / fixed / nominal / farthest / as it looks",
    BROWN: "transfer / the article's program / pre-trained / least squares / equation",
    PURPLE: "implicit / logistic",
    SAND: "nearest neighbo / pixels / straight line / n-grams",
    DARK: "from scratch / θ₀ / no pooling / gradient",
    LIGHT: "no adaptation / untrained / (nothing changes) / random / ignores the support set",
    BLACK: "oracle / exact / bayes optimum / ridge / the arm itself / knows the goal",
}
_COLOR_OF = {name: color for color, names in _NAMES_OF.items() for name in names.split(" / ")}
_LINES = ("-", "--", ":", "-.", (0, (7, 2, 2, 2, 2, 2)), (0, (1, 4)))


def color_of(name: str) -> str:
    """The colour of a learner by the name under which a figure shows it, such as "MAML, 5 steps".

    Args:
        name: the learner's name, which may say more about it; of two learners the first one counts.

    Returns:
        The colour, as "#0072B2"; a light grey for a name that is not the course's.

    Raises:
        TypeError: if `name` is no text.
    """
    texts(name=name)
    return _known(name) or UNKNOWN


def curve_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How to draw the curves of a figure: each learner in its colour, and two curves of one colour in two line styles.

    Args:
        names: the names of all curves of the figure; those that are not the course's get colours that are left.

    Returns:
        For each name arguments of `ax.plot`: "color" and "linestyle".

    Raises:
        TypeError: if `names` are no texts.
    """
    colors = {name: _known(name) for name in strings("names", names)}
    left = [color for color in COLORS if color not in colors.values()] or list(COLORS)
    unknown = [name for name, color in colors.items() if color is None]
    colors |= {name: left[i % len(left)] for i, name in enumerate(unknown)}
    drawn, styles = [], {}
    for name, color in colors.items():
        styles[name] = {"color": color, "linestyle": _LINES[drawn.count(color) % len(_LINES)]}
        drawn.append(color)
    return styles


def _known(name: str) -> str | None:
    """The colour of the learner that stands first; of those that begin together, of the longest."""
    starts = {word: re.search(rf"(?<!\w){re.escape(word)}", name.lower()) for word in _COLOR_OF}
    found = [(match.start(), -len(word), word) for word, match in starts.items() if match]
    return _COLOR_OF[min(found)[2]] if found else None
