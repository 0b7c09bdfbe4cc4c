"""Tells from the file names of a learning-management system whose submission a notebook is.

For nbgrader's `zip_collect`. Canvas writes `annalee_LATE_12345_678901_04_mathematics (1).ipynb`, Moodle a folder
`Anna Lee_12345_assignsubmission_file` for each learner. What the notebook itself was renamed to does not matter: the
assignment is the folder's. A name of no known form is a learner of that name, and a warning says so.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metalearn_lib.core.extras import import_extra

if TYPE_CHECKING:
    from nbgrader.plugins.zipcollect import FileNameCollectorPlugin
else:
    FileNameCollectorPlugin = import_extra("nbgrader.plugins.zipcollect", "class").FileNameCollectorPlugin

_FORMS = (
    re.compile(r"^(?P<name>.+?)_(?P<number>\d+)_assignsubmission_file", re.I),
    re.compile(r"^(?P<name>.+?)(?:_late)?_(?P<number>\d+)(?:_\d+)?_.", re.I),
)


class AnyName(FileNameCollectorPlugin):
    """Finds learner and assignment in the path of an extracted file."""

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """`student_id`, `file_id` and the time of the file; None for what is not a notebook.

        Args:
            submitted_file: a path `.../ASSIGNMENT/extracted/...`.
        """
        path = Path(submitted_file)
        if path.suffix != ".ipynb":
            self.log.warning(f"{path.name} does not end in .ipynb: it is not graded")
            return None
        place = max(number for number, part in enumerate(path.parts) if part == "extracted")
        student = next((found for part in reversed(path.parts[place + 1 :]) if (found := _student(part))), None)
        if student is None:
            student = _as_name(path.stem)
            self.log.warning(f"{path.name} has a name of no known form: it counts as that of {student!r}")
        # Of two files of one learner the later one counts: nbgrader compares these times.
        time = datetime.fromtimestamp(os.path.getmtime(path), UTC)
        stamp = f"{time:%Y-%m-%d %H:%M:%S.%f} UTC"
        return {"student_id": student, "file_id": path.parts[place - 1], "timestamp": stamp}


def _student(part: str) -> str | None:
    for form in _FORMS:
        if found := form.match(part):
            return f"{_as_name(found['name'])}-{found['number']}"
    return None


def _as_name(text: str) -> str:
    """Letters, digits and hyphens: nbgrader takes the name for a folder."""
    return re.sub(r"[^\w]+", "-", text, flags=re.UNICODE).strip("-_") or "nobody"
