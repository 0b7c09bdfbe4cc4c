"""What an audit found, as text and as a table."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from metalearn_lib.core.checks import shown

PASSED, FAILED, DECLARED, UNTRAINED, NOT_APPLICABLE = VERDICTS = (
    "passed",
    "failed",
    "declared",
    "untrained",
    "not applicable",
)
COLORS: dict[str, str] = dict(zip(VERDICTS, ("#009E73", "#D55E00", "#0072B2", "#777777", "#777777"), strict=True))


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        name: of the check.
        verdict: "passed", "failed", "declared" for what would be a fault if the learner did not say so itself,
            "untrained" for what may be a fault only after training, or "not applicable".
        sentence: what was measured.
        mistake: the mistake that the check looks for.
    """

    name: str
    verdict: str
    sentence: str
    mistake: str


@dataclass(frozen=True)
class Report:
    """The findings of an audit, by name: `report["leakage"].verdict`.

    Args:
        title: what was audited.
        findings: one for each check.
    """

    title: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        return [finding.name for finding in self.findings if finding.verdict == FAILED]

    def __getitem__(self, name: str) -> Finding:
        """The finding of one check.

        Raises:
            KeyError: if there is no such check.
        """
        by_name = {finding.name: finding for finding in self.findings}
        if name not in by_name:
            raise KeyError(f"name is {shown(name)}, expected {' or '.join(map(repr, by_name))}")
        return by_name[name]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __repr__(self) -> str:
        lines = [self.title]
        for finding in self.findings:
            start = f"{finding.name:18}{finding.verdict:16}"
            text = finding.sentence
            if finding.verdict == FAILED:
                text += f" Mistake: {finding.mistake}."
            lines += textwrap.wrap(text, 112, initial_indent=start, subsequent_indent=" " * len(start))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        left = 'style="text-align: left"'
        head = "".join(f"<th {left}>{name}</th>" for name in ("check", "verdict", "measured", "looks for"))
        rows = []
        for finding in self.findings:
            verdict = f'<b style="color: {COLORS[finding.verdict]}">{finding.verdict}</b>'
            cells = (escape(finding.name), verdict, escape(finding.sentence), escape(finding.mistake))
            rows.append("<tr>" + "".join(f"<td {left}>{cell}</td>" for cell in cells) + "</tr>")
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return f"<div><p>{escape(self.title)}</p>{table}</div>"
