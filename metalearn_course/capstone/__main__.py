"""Judges every project of a folder, and writes leaderboard.md and leaderboard.csv beside them.

python -m metalearn_course.capstone FOLDER
"""

import argparse
import os
import secrets
from pathlib import Path

from metalearn_course.capstone.families import draw_families
from metalearn_course.capstone.judge import Result, judge, read_project, rivals_of
from metalearn_course.capstone.leaderboard import as_csv, as_markdown, rank


def main() -> None:
    """Judge the projects of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with a .py file or a notebook for each project")
    parser.add_argument("--seed", type=int, help="of the families, by default one that nobody can guess")
    parser.add_argument("--tasks", type=int, default=60, help="in each family")
    parser.add_argument("--user", help="the account that projects run as, if root judges")
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.iterdir() if path.suffix in (".py", ".ipynb"))
    if not paths:
        parser.error(f"folder is {given.folder}, expected a folder with projects (.py or .ipynb)")
    seed = secrets.randbits(62) if given.seed is None else given.seed
    print(f"families of the seed {seed}")
    families = draw_families(seed, given.tasks)
    rivals, results = rivals_of(families), []
    for path in paths:
        print(f"{path.stem} ...", flush=True)
        try:
            results.append(judge(read_project(path), path.stem, families, given.user))
        except ValueError as error:
            results.append(Result(path.stem, problems={"all": str(error)}))
        rows = rank(results, rivals)  # written after each: what was judged is not lost
        _write(given.folder / "leaderboard.md", as_markdown(rows, rivals))
        _write(given.folder / "leaderboard.csv", as_csv(rows))
    print((given.folder / "leaderboard.md").read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    main()
