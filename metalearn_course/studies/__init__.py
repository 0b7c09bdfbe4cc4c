"""The evidence behind the chapters: what was trained, how often, how every rival was tuned, and what came out.

`declarations` says what a study is, `engine` runs it, `stored` keeps the results, `storage` reads and writes them.
"""

from metalearn_course.studies.storage import Results, results
from metalearn_course.studies.study import Rival, Study, declared

__all__ = ["Results", "Rival", "Study", "declared", "results"]
