"""One page about a class: how many points it has, and what should be taught again."""

import json
from collections import Counter
from collections.abc import Mapping

from metalearn_course.exercises.engine.chapter import Chapter
from metalearn_course.exercises.grading.verdicts import Graded

MOST_COMMON = 10


def report(chapter: Chapter, graded: Mapping[str, Graded | str]) -> str:
    """A page in Markdown.

    Args:
        chapter: that of the assignment.
        graded: by student: what is stored, or why there is nothing.
    """
    done = {student: entry for student, entry in graded.items() if isinstance(entry, Graded)}
    lines = [f"# {chapter.name}: {len(graded)} submissions", "", f"{_levels(done)}", ""]
    lines += [*_distribution(chapter, done), "", *_exercises(chapter, done), "", *_mistakes(chapter, done)]
    missing = {student: why for student, why in graded.items() if isinstance(why, str)}
    if missing:
        lines += ["", "## Not graded", ""]
        lines += [f"- {json.dumps(student, ensure_ascii=False)}: {why}" for student, why in sorted(missing.items())]
    return "\n".join(lines) + "\n"


def _levels(done: Mapping[str, Graded]) -> str:
    levels = Counter(entry.level for entry in done.values())
    counts = ", ".join(f"{count} as {level}" for level, count in sorted(levels.items()))
    return f"Isolated from everything else: {counts or 'none'} (docs/teaching.md says what each level holds)."


def _distribution(chapter: Chapter, done: Mapping[str, Graded]) -> list[str]:
    most = len(chapter.exercises)
    points = Counter(sum(v.kind == "pass" for v in entry.verdicts.values()) for entry in done.values())
    widest = max(points.values(), default=1)
    rows = [f"| {n} | {points[n]} | {'█' * round(30 * points[n] / widest)} |" for n in range(most, -1, -1)]
    return ["## Points", "", "| points | students | |", "| ---: | ---: | --- |", *rows]


def _exercises(chapter: Chapter, done: Mapping[str, Graded]) -> list[str]:
    lines = ["## Exercises", "", "| exercise | right | not filled in | a known mistake | wrong otherwise |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for name in chapter.exercises:
        verdicts = [entry.verdicts[name] for entry in done.values() if name in entry.verdicts]
        counts = Counter("known" if v.kind == "wrong" and v.mistake else v.kind for v in verdicts)
        lines.append(f"| {name} | {counts['pass']} | {counts['blank']} | {counts['known']} | {counts['wrong']} |")
    return lines


def _mistakes(chapter: Chapter, done: Mapping[str, Graded]) -> list[str]:
    counts: Counter[tuple[str, str]] = Counter()
    said: dict[tuple[str, str], str] = {}
    for entry in done.values():
        for name, verdict in entry.verdicts.items():
            if verdict.kind == "wrong" and verdict.mistake:
                counts[name, verdict.mistake] += 1
                # What follows is about one answer: the case, and what came.
                said.setdefault((name, verdict.mistake), verdict.text.partition("\n")[0])
    lines = ["## What to teach again", ""]
    for (name, mistake), count in counts.most_common(MOST_COMMON):
        lines.append(f"- {count} of {len(done)}, {name}, `{mistake}`: {said[name, mistake]}")
    return lines if counts else [*lines, "No known mistake was made."]
