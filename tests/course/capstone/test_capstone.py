"""The capstone: its families, its simple learners, what a project may send, and the order of the three examples."""

from pathlib import Path

import numpy as np
import pytest

from metalearn_course.capstone.families import KINDS, draw_families
from metalearn_course.capstone.judge import TRAININGS, Result, judge, read_project, rivals_of
from metalearn_course.capstone.leaderboard import as_csv, as_markdown, rank
from metalearn_course.capstone.rivals import RIVALS, answers, kernel_ridge
from metalearn_lib.evaluation.score import Score, score_predictions

EXAMPLES = Path(__file__).resolve().parents[3] / "exercises" / "capstone" / "examples"
QUALITY = ["learned_before", "solid_work", "first_try"]


def test_families_follow_from_the_seed_and_differ() -> None:
    one, again, other = (draw_families(seed, 4) for seed in (1, 1, 2))
    assert [family.name for family in one] == list(KINDS)
    for a, b in zip(one, again, strict=True):
        assert all(np.array_equal(a.tasks[key], b.tasks[key]) for key in a.tasks)
        assert np.array_equal(a.query_y, b.query_y)
    for a, b in zip(one, other, strict=True):
        assert a.tasks["query_x"].shape != b.tasks["query_x"].shape or (a.tasks["query_x"] != b.tasks["query_x"]).any()


def test_a_family_is_learned_from_its_support_set() -> None:
    """Every kind has something to be learned: with the support set of another task a learner is worse."""
    for family in draw_families(3, 40):
        swapped = {key: array if key == "query_x" else np.roll(array, 1, axis=0) for key, array in family.tasks.items()}
        own, other = (
            score_predictions(answers(kernel_ridge, tasks), family.query_y) for tasks in (family.tasks, swapped)
        )
        gain = own - other if family.ways else other - own
        assert gain.low > 0, family.name


def test_kernel_ridge_leaves_each_example_out() -> None:
    """Its formula for the error of the example that is left out, against leaving it out: of a linear smoother with a
    fixed kernel, r_i / (1 - H_ii), here as (K⁻¹ y)_i / (K⁻¹)_ii."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 1))
    near = np.exp(-((x[:, None] - x) ** 2).sum(-1)) + 0.1 * np.eye(9)
    inverse = np.linalg.inv(near)
    for i in range(9):
        rest = np.arange(9) != i
        predicted = near[i, rest] @ np.linalg.solve(near[np.ix_(rest, rest)], y[rest])
        assert y[i] - predicted == pytest.approx((inverse @ y)[i] / inverse[i, i])


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "NameError"),
        ("def learn(x, y):\n    return lambda q: q[:, :0]", "expected"),
        ("def learn(x, y):\n    raise OSError('no')", "OSError"),
        ("def learn(x, y):\n    return lambda q: 'text'", "ValueError"),
        ("import os\nos._exit(0)", "ended the program"),
        ("def learn(x, y):\n    open('/etc/passwd', 'a')", "PermissionError"),
    ],
    ids=["nothing", "shape", "raises", "text", "exits", "writes"],
)
def test_a_project_that_fails_gets_a_sentence_and_the_others_their_scores(source: str, sentence: str) -> None:
    families = draw_families(4, 12)[:2]
    result = judge(source, "project", families)
    assert not result.scores and set(result.problems) == {family.name for family in families}
    assert all(sentence in problem for problem in result.problems.values()), result.problems


def test_a_project_that_looks_at_the_queries_together_is_found() -> None:
    source = (
        "def learn(x, y):\n"
        "    return lambda q: (q.reshape(len(q), -1)[:, :1] - q.reshape(len(q), -1)[:, :1].mean()) + y.mean()"
    )
    result = judge(source, "project", draw_families(4, 12)[:1])
    assert "as if it came alone" in result.problems["curves"]


def test_a_project_is_told_nothing_from_which_the_families_follow() -> None:
    """Whoever draws the families by the seed that `prepare` gets finds other ones: with the families' own seed this
    project would have an error of 0."""
    source = (
        "import numpy as np\n"
        "from metalearn_course.capstone.families import draw_families\n"
        "def prepare(seed):\n"
        "    global KNOWN\n"
        "    KNOWN = draw_families(seed, 12)[0]\n"
        "def learn(x, y):\n"
        "    found = [t for t in range(12) if np.array_equal(KNOWN.tasks['support_x'][t], x)]\n"
        "    return lambda q: KNOWN.query_y[found[0]] if found else y.mean() + 0 * q"
    )
    assert judge(source, "project", draw_families(1_000_000, 12)[:1]).scores["curves"].mean > 0.1


def test_families_of_too_few_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="tasks is 4, expected a whole number of at least 9"):
        judge("", "project", draw_families(1, 4))


def test_the_order_and_what_is_said() -> None:
    rng = np.random.default_rng(0)
    rivals = {"a": {"x": Score(rng.normal(1, 0.1, 20), "mean squared error", "a")}}
    rivals["b"] = {"x": Score(rng.uniform(0.4, 0.6, 20), "accuracy", "b")}

    def result(name: str, error: float, accuracy: float) -> Result:
        scores = {
            "a": Score(
                np.full((TRAININGS, 20), error) + 0.01 * rng.normal(size=(TRAININGS, 20)), "mean squared error", "a"
            ),
            "b": Score(np.full((TRAININGS, 20), accuracy) + 0.01 * rng.normal(size=(TRAININGS, 20)), "accuracy", "b"),
        }
        return Result(name, scores)

    faulty = result("faulty", 0.1, 0.9)
    faulty.problems["b"] = "A query must be answered as if it came alone: yes."
    rows = rank([result("level", 1.0, 0.5), faulty, result("best", 0.5, 0.8)], rivals)
    assert rows[0].name == "best"
    assert rows[0].wins == 1.0 and {row.name: row.wins for row in rows}["faulty"] == 0.5
    assert all(score.low > 0 for score in rows[0].ahead.values())
    page, table = as_markdown(rows, rivals), as_csv(rows)
    assert "| 1 | best | 100% | 2, 0 |" in page and "as if it came alone" in page
    assert len(table.splitlines()) == 1 + 2 * 3


def test_a_notebook_is_read_as_its_code(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["no"]}, {"cell_type": "code", "source": ["x = 1\\n", "y = '
        '2"]}]}'
    )
    assert read_project(tmp_path / "a.ipynb") == "x = 1\ny = 2"
    (tmp_path / "b.ipynb").write_text("no notebook")
    with pytest.raises(ValueError, match=r"b\.ipynb, expected a notebook"):
        read_project(tmp_path / "b.ipynb")


def test_the_examples_are_three_of_different_quality() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(QUALITY)
    assert set(RIVALS) == {"nearest example", "class means", "kernel ridge"}


@pytest.mark.trains
@pytest.mark.parametrize("seed", [11, 12, 13, 14, 15])
def test_the_examples_are_ranked_as_they_should_be(seed: int) -> None:
    families = draw_families(seed, 40)
    results = [judge(read_project(EXAMPLES / f"{name}.py"), name, families) for name in QUALITY]
    assert not any(result.problems for result in results), [result.problems for result in results]
    rows = rank(results, rivals_of(families))
    assert [row.name for row in rows] == QUALITY, [(row.name, row.wins) for row in rows]
