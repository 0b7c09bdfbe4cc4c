"""Where every benchmark puts its results: rows in a JSON file of its own, tables in the README beside this file."""

import json
import os
import shutil
import tempfile
from pathlib import Path

README = Path(__file__).with_name("README.md")


def read_rows(path: Path) -> dict[str, dict]:
    """The rows that are kept in a file; none if there is no file yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep_row(path: Path, name: str, row: dict) -> None:
    """Put a row in the place of the last one of its name; all others stay."""
    replace(path, json.dumps({**read_rows(path), name: row}, indent=1, ensure_ascii=False) + "\n")


def write(section: str, text: str) -> None:
    """Replace what stands between `<!-- section: begin -->` and `<!-- section: end -->` in the README.

    Args:
        section: name of the section, which the markers have.
        text: Markdown.

    Raises:
        ValueError: if the README does not have both markers, once each and in this order.
    """
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    if page.count(begin) != 1 or rest.count(end) != 1:
        raise ValueError(f"{README.name} has no {begin} followed by {end}, expected each once, around the results")
    replace(README, f"{before}{begin}\n\n{text}\n\n{end}{after}")


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    encoded = text.encode()
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(encoded)
    if path.exists():
        shutil.copymode(path, file.name)
    else:
        os.chmod(file.name, 0o644)
    os.replace(file.name, path)
