"""What a learner sees needs no widget, no script and no network: static pages, VS Code and Colab show it alike."""

from html.parser import HTMLParser

import pytest
from IPython.core.interactiveshell import InteractiveShell

from metalearn_course.exercises.chapters.mathematics import chapter
from metalearn_course.exercises.engine.verdict import Verdict

VERDICTS = {
    "blank": chapter.one_update.check(),
    "a mistake": chapter.update.check(lambda theta, x, y, alpha: theta),
    "an exception": chapter.update.check(lambda theta, x, y, alpha: 1 / 0),
    "a wrong choice": chapter.two_curvatures.check("a"),
    "right": chapter.two_curvatures.check("b"),
    "a hint": chapter.meta_gradient.hint(),
    "a solution": chapter.meta_gradient.solution(),
    "progress": chapter.progress(),
    "tags in an answer": chapter.two_curvatures.check("<script>alert(1)</script>"),
}


class Reader(HTMLParser):
    """The elements, the attributes and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=VERDICTS)
def test_the_html_stands_on_its_own(verdict: Verdict) -> None:
    page = Reader(verdict._repr_html_())
    assert not page.open and page.seen <= {"div", "b", "br", "code", "pre"}
    assert {name for name, _ in page.attributes} == {"style"}
    styles = {rule.partition(":")[0].strip() for _, style in page.attributes for rule in style.split(";")}
    # Neither a background nor a colour of the text: both are the page's own, light or dark.
    assert styles <= {"border-left", "padding", "max-width", "color", "font-family"}
    assert "url(" not in verdict._repr_html_()


@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=VERDICTS)
def test_the_plain_text_says_the_same(verdict: Verdict) -> None:
    words = "".join(Reader(verdict._repr_html_()).text.split())
    assert words == "".join(repr(verdict).replace("`", "").split())


@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=VERDICTS)
def test_a_notebook_stores_these_two_only(verdict: Verdict) -> None:
    data, metadata = InteractiveShell().display_formatter.format(verdict)
    assert set(data) == {"text/plain", "text/html"} and not metadata


def test_the_sign_tells_without_its_colour() -> None:
    assert {kind: repr(VERDICTS[kind])[0] for kind in ("right", "a mistake", "blank", "a hint")} == {
        "right": "✔",
        "a mistake": "✘",
        "blank": "…",
        "a hint": "·",
    }
