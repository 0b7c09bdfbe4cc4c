"""Every study is stored, is not older than its declaration, and gives every rival the same search."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.studies import Results, Study, declared, results
from metalearn_course.studies import study as declarations
from metalearn_course.studies.engine import is_stale
from metalearn_course.studies.storage import STORED

ROOT = Path(__file__).parents[3]
STUDIES = declared()


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_the_stored_results_are_those_of_the_declaration(study: Study):
    assert not is_stale(study), f"make studies CHAPTER={study.chapter}"
    found = results(study.name)
    assert set(found.about["rivals"]) == set(study.rivals)
    assert found.about["seeds"] == list(study.seeds) and len(study.seeds) >= 5
    assert not set(study.tuning_seeds) & set(study.seeds)
    for scores in found.values():
        for name, score in scores.items():
            assert score.trainings == (len(study.seeds) if study.rivals[name].trained else None)


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_a_rival_is_tuned_or_says_why_not(study: Study):
    for name, rival in study.rivals.items():
        assert bool(rival.grid) != bool(rival.untuned), f"{name} has a grid and a reason to have none, or neither"


def test_results_are_small_and_of_declared_studies():
    assert {path.stem for path in STORED.glob("*.npz")} == set(STUDIES)
    assert all(path.stat().st_size < 400_000 for path in STORED.glob("*.npz"))


def test_the_page_of_evidence_is_made_of_what_the_chapters_print():
    code = "import sys; sys.path.insert(0, 'scripts'); from evidence import PAGE, page; "
    code += "sys.exit(PAGE.read_text(encoding='utf-8') != page())"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert made.returncode == 0, "run scripts/evidence.py"


def test_a_digest_does_not_see_comments_and_layout_but_every_number(small):
    path = declarations.DECLARATIONS / "small.py"
    source, before, code = path.read_text(), small.declaration(), small.code()
    path.write_text(source.replace("The docstring does not count.", "Another.").replace("  # nor does a comment", ""))
    assert (small.declaration(), small.code()) == (before, code)
    path.write_text(source.replace("0.2]", "0.3]"))
    assert small.declaration() != before and small.code() == code
    path.write_text(source.replace("SIZE = 30", "SIZE = 31"))
    assert small.declaration() != before and small.code() != code


def test_a_live_training_is_one_like_those_stored_or_stops_the_chapter():
    """Five trainings 0.9, 1.0, ..., 1.3: mean 1.1, s = √0.025; t₀.₉₉₅(4) = 4.604: half width 0.797 of one more."""
    values = np.tile(np.array([[0.9], [1.0], [1.1], [1.2], [1.3]]), (1, 4))
    study = Results({}, {"end": {"MAML": ml.Score(values, "regret")}})
    study.check_live("MAML", "end", ml.Score(np.full(4, 1.89), "regret"))
    with pytest.raises(
        AssertionError, match=r"^MAML has 1.90 ± 0.00 end, expected 1.1 ± 0.8 as in the stored trainings"
    ):
        study.check_live("MAML", "end", ml.Score(np.full(4, 1.90), "regret"))
