"""How many plausible wrong answers the checks name.

    python -m benchmarks.wrong_answers

The answers beside this file were written from the prompts alone, by somebody who knew neither the solutions nor the
mistakes that the exercises recognise. A check names an answer if it recognises the mistake, or says what was seen (a
shape, a missing value), and not "Not yet".
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.chapters import all_chapters


def main() -> None:
    chapters = {chapter.name: chapter for chapter in all_chapters()}
    counts: dict[str, Counter[str]] = {}
    for file in sorted(Path(__file__).parent.glob("*.json")):
        for answer in json.loads(file.read_text(encoding="utf-8")):
            exercise = chapters[answer["chapter"]].exercises[answer["exercise"]]
            names = {"np": np, "ml": ml}
            exec(answer["source"], names)
            verdict = exercise.check(names[answer["exercise"]])
            named = verdict.mistake or "Not yet" not in verdict.text
            kind = "passes" if verdict.kind == "pass" else "named" if named else "not named"
            counts.setdefault(answer["chapter"], Counter())[kind] += 1
            if kind != "named":
                print(f"{kind}: {answer['chapter']}, {answer['exercise']}: {answer['slip']}")
    for chapter, of in counts.items():
        print(f"{chapter}: {of['named']} of {of.total()} named, {of['passes']} pass")


if __name__ == "__main__":
    main()
