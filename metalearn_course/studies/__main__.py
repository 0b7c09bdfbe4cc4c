"""Run studies whose stored results are missing or older than their declaration.

    python -m metalearn_course.studies            all of them
    python -m metalearn_course.studies 07         those of a chapter; or the name of one
    python -m metalearn_course.studies --list     what is stored, and what is stale

Each process works on one thread. Start as many as there are cores, here or on other machines that see the same
folder: they share the work, and one that was killed can be started again.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from metalearn_course.studies.engine import is_stale, run
from metalearn_course.studies.study import declared


def main() -> None:
    """Run or list what the command line names."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    parser = argparse.ArgumentParser(
        prog="python -m metalearn_course.studies", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("which", nargs="*", help="chapters, or names of studies; all if none is given")
    parser.add_argument("--folder", type=Path, default=Path(".studies"), help="shared by all workers")
    parser.add_argument("--list", action="store_true", help="say what is stored and what is stale")
    arguments = parser.parse_args()
    studies = declared()
    known = {*studies, *(study.chapter for study in studies.values())}
    for one in arguments.which:
        if one not in known:
            parser.error(f"which is {one!r}, expected chapters or names of studies: {', '.join(sorted(known))}")
    chosen = [s for s in studies.values() if not arguments.which or {s.name, s.chapter} & set(arguments.which)]
    if arguments.list:
        for study in chosen:
            print(f"{study.chapter:4}{study.name:30}{'stale' if is_stale(study) else 'stored'}")
        return
    for study in chosen:
        if is_stale(study):
            print(f"{study.name}: stored in {run(study, arguments.folder)}", flush=True)


if __name__ == "__main__":
    main()
