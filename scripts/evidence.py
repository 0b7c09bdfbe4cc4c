"""Writes docs/evidence.md: every claim that a chapter prints, with the study that it rests on.

.venv/bin/python scripts/evidence.py
"""

import json
import os
import re
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from metalearn_course.studies import Results, results
from metalearn_course.studies.storage import how_tuned

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "evidence.md"
# What ml.claim prints.
CLAIM = re.compile(
    r"^(?P<text>.+): (?P<number>\S+ ± .+?), (?P<bound>(?:above|below) .+) \((?P<rests>[^()]*tasks)\)$", re.M
)
STUDY = re.compile(r"studies\.results\(\"(\w+)\"\)")

INTRODUCTION = """# Evidence

Every headline of the chapters, with its number. `scripts/evidence.py` makes this page from what the chapters print
and from the stored studies; `make studies` runs a study whose declaration has changed.

A number is a mean with its 95 % interval: over trainings and tasks where trainings are named (two-way crossed random
effects), else over tasks, for the one learner or rule that stands there. The bound is what the chapter asserts: it
stops where the interval crosses it. A study tunes every learner by the same search on validation tasks, takes no best
value from the edge of a grid, and then trains it anew with other seeds.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    parts = [INTRODUCTION]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title = re.search(r"^# (.+)$", "".join(cells[0]["source"]), re.M)
        rows, studies = claims(cells)
        if rows:
            parts.append(f"## [{title[1] if title else path.stem}](../notebooks/{path.name})\n")
            parts.append(
                "| claim | number | bound | rests on | study |\n| --- | --- | --- | --- | --- |\n"
                + "\n".join(rows)
                + "\n"
            )
            parts += [described(results(name)) for name in studies]
    return "\n".join(parts)


def claims(cells: list[dict]) -> tuple[list[str], list[str]]:
    """The rows of a chapter's table, and the studies that it reads."""
    rows, studies = [], []
    for cell in cells:
        found = STUDY.findall("".join(cell["source"])) if cell["cell_type"] == "code" else []
        studies += [name for name in found if name not in studies]
        for output in cell.get("outputs", []):
            for claim in CLAIM.finditer("".join(output.get("text", []))):
                study = f"`{studies[-1]}`" if studies and "trainings" in claim["rests"] else "the chapter itself"
                rows.append(
                    "| "
                    + " | ".join(
                        [*(claim[part].replace("|", "/") for part in ("text", "number", "bound", "rests")), study]
                    )
                    + " |"
                )
    return rows, studies


def described(study: Results) -> str:
    about = study.about
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    budget = f"{about['budget']}; {len(about['seeds'])} trainings, {about['minutes']} minutes of one core ({versions})."
    lines = [f"**`{about['study']}`** {about['question']} {budget}\n"]
    lines += [f"- {name}: {how_tuned(rival)}" for name, rival in about["rivals"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
