"""What a study is: learners that are compared, the search that tunes each of them, seeds, and what is measured."""

import ast
import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metalearn_lib.evaluation import Score

DECLARATIONS = Path(__file__).parent / "declarations"


@dataclass(frozen=True)
class Rival:
    """One learner of a study.

    Args:
        train: `train(seed, **setting)` gives what was trained; `validate` and `measure` of the study take it.
        grid: the values of each argument that are tried on validation tasks, numbers in rising order.
        untuned: why nothing is tuned, where `grid` is empty.
        trained: whether another seed gives another result; an oracle or a formula is run once.
    """

    train: Callable[..., Any]
    grid: Mapping[str, Sequence] = field(default_factory=dict)
    untuned: str = ""
    trained: bool = True


@dataclass(frozen=True)
class Study:
    """Learners that are compared on the same tasks, each tuned by the same search.

    Every setting of every rival is trained with each of `tuning_seeds` and scored on validation tasks; the one that is
    best on their average is then trained with each of `seeds`, and measured on test tasks.

    Args:
        name: also that of the module that declares it.
        chapter: "07" or "06a".
        question: what the study answers, one sentence.
        budget: what every rival may spend.
        rivals: by the names under which chapters show them.
        validate: the score of what `train` gave on validation tasks, by which a setting is chosen.
        measure: scores of what `train` gave on test tasks, by name.
        seeds: of the trainings that are measured.
        tuning_seeds: of the trainings that choose the setting; several where one may be lucky.
    """

    name: str
    chapter: str
    question: str
    budget: str
    rivals: Mapping[str, Rival]
    validate: Callable[[Any], Score]
    measure: Callable[[Any], Mapping[str, Score]]
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    tuning_seeds: Sequence[int] = (100,)

    def declaration(self) -> str:
        """A digest of the whole declaration; comments, docstrings and layout do not count."""
        return _digest(self._statements())

    def code(self) -> str:
        """A digest of what a training runs: the declaration without the statement that makes the `Study`."""
        return _digest([one for one in self._statements() if not _makes_the_study(one)])

    def _statements(self) -> list[ast.stmt]:
        path = DECLARATIONS / f"{self.name}.py"
        return ast.parse(path.read_text(encoding="utf-8")).body


def declared() -> dict[str, Study]:
    """All studies by name, in the order of chapters."""
    from metalearn_course.studies import declarations

    modules = [
        importlib.import_module(f"{declarations.__name__}.{m.name}")
        for m in pkgutil.iter_modules(declarations.__path__)
    ]
    return {study.name: study for study in sorted((m.STUDY for m in modules), key=lambda s: (s.chapter, s.name))}


def _makes_the_study(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "STUDY" for target in statement.targets
    )


def _digest(statements: Sequence[ast.stmt]) -> str:
    for node in [n for statement in statements for n in ast.walk(statement)]:
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]
    text = "\n".join(ast.unparse(statement) for statement in statements if not _is_text(statement))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
