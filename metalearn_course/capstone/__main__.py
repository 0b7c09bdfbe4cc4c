"""Judges every project of a folder, and writes leaderboard.md and leaderboard.csv beside them.

python -m metalearn_course.capstone FOLDER --seed 2026
"""

import argparse
from pathlib import Path

from metalearn_course.capstone.families import draw_families
from metalearn_course.capstone.judge import Result, judge, read_project, rivals_of
from metalearn_course.capstone.leaderboard import as_csv, as_markdown, rank


def main() -> None:
    """Judge the projects of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with a .py file or a notebook for each project")
    parser.add_argument("--seed", type=int, required=True, help="of the families; keep it to yourself")
    parser.add_argument("--tasks", type=int, default=60, help="in each family")
    parser.add_argument("--user", help="the account that projects run as, if root judges")
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.iterdir() if path.suffix in (".py", ".ipynb"))
    if not paths:
        parser.error(f"folder is {given.folder}, expected a folder with projects (.py or .ipynb)")
    families = draw_families(given.seed, given.tasks)
    rivals, results = rivals_of(families), []
    for path in paths:
        print(f"{path.stem} ...", flush=True)
        try:
            results.append(judge(read_project(path), path.stem, families, given.seed, given.user))
        except ValueError as error:
            results.append(Result(path.stem, problems={"all": str(error)}))
        rows = rank(results, rivals)  # written after each: what was judged is not lost
        (given.folder / "leaderboard.md").write_text(as_markdown(rows, rivals), encoding="utf-8")
        (given.folder / "leaderboard.csv").write_text(as_csv(rows), encoding="utf-8")
    print((given.folder / "leaderboard.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
