"""The one-shot benchmark from end to end, on a made-up archive in Omniglot's layout."""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import metalearn_lib as ml
from benchmarks import report
from benchmarks.alphabets import VALIDATION
from benchmarks.one_shot import __main__ as one_shot
from benchmarks.one_shot import testing, training
from tests.test_project import ROOT

SCRIPT_OF = {"Angelic": "Armenian", "Futurama": "Hebrew", "Greek": "Greek", "Tagalog": "Lao"}


@pytest.fixture
def archive(tmp_path) -> Path:
    """Five characters of ten drawers in each of four alphabets, as 105 x 105 one-bit drawings."""
    path = tmp_path / "images_background.zip"
    with zipfile.ZipFile(path, "w") as file:
        for alphabet, script in SCRIPT_OF.items():
            glyphs = ml.images.load_glyphs(drawers=10, size=105, scripts=script).select(range(5))
            for index, (drawing, label) in enumerate(zip(glyphs.images, glyphs.labels, strict=True)):
                data = io.BytesIO()
                Image.fromarray(drawing[..., 0] < 128).save(data, "png")
                name = f"images_background/{alphabet}/character{label + 1:02}/0001_{index % 10 + 1:02}.png"
                file.writestr(name, data.getvalue())
    return path


@pytest.mark.slow
def test_the_benchmark_runs_from_end_to_end(archive, tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- one_shot: begin -->old<!-- one_shot: end -->")
    monkeypatch.setattr(report, "README", readme)
    monkeypatch.setattr(one_shot, "DRAWERS", 6)
    monkeypatch.setattr(testing, "SETTINGS", ((5, 1), (20, 1)))  # half of them, for half the time
    one_shot.main(["--omniglot", str(archive), "--steps", "3", "--episodes", "8"])
    printed = capsys.readouterr().out.strip()
    assert "--steps 3 --episodes 8` took" in printed
    assert "Held out: " in printed
    assert readme.read_text() == f"<!-- one_shot: begin -->\n\n{printed}\n\n<!-- one_shot: end -->"
    rows = [row.strip("| ").split(" | ") for row in printed.splitlines() if row.startswith("| ")][2:]
    # Two learners on three alphabets, on the two that glyphs lack, three on the one held out; mixed and within.
    assert [row[0] for row in rows] == ["all 3"] * 4 + ["the 3 of foreign scripts"] * 4 + ["1 held out"] * 6
    assert [row[2] for row in rows] == (["mixed"] * 2 + ["within"] * 2) * 2 + ["mixed"] * 3 + ["within"] * 3
    for row in rows:
        assert re.fullmatch(r"\d+(\.\d+)? ± \d+(\.\d+)? %", row[3])
        assert 20 < float(row[3].split(" ")[0]) <= 100  # chance is 20 %
        assert row[4] == "–"  # fewer than 20 characters


def test_nobody_is_tested_on_what_settings_were_chosen_or_weights_trained_on():
    names = (*VALIDATION, "Hebrew", "Asomtavruli_(Georgian)", "N_Ko", "Futurama", "Tagalog", "Angelic")
    images = ml.images.LabelledImages(np.zeros((len(names), 28, 28, 1), np.uint8), np.arange(len(names)), names, names)
    learned, tests, held_out, foreign = (set(part.alphabets) for part in testing.split(images))
    assert not tests & set(VALIDATION)
    assert learned | tests == set(names)
    assert held_out < tests
    assert not held_out & learned
    assert foreign == {"Futurama", "Tagalog", "Angelic"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "0"], "steps is 0, expected a whole number of at least 1"),
        (["--episodes", "1"], "episodes is 1, expected a whole number of at least 2"),
        ([], "Omniglot came with the alphabets Greek, expected two or more to test on"),
    ],
)
def test_what_cannot_be_tested_is_said_before_training(archive, monkeypatch, arguments, sentence):
    only = ml.images.load_omniglot(archive).subset("Greek")
    monkeypatch.setattr(ml.images, "load_omniglot", lambda *_: only)
    with pytest.raises(SystemExit, match=sentence):
        one_shot.main(["--omniglot", str(archive), *arguments])


def test_mirrors_and_turns_are_classes_of_their_own():
    shape = np.zeros((1, 4, 4, 1), np.uint8)
    shape[0, 0, :3] = shape[0, 1, 0] = 255  # no turn of its mirror image is the shape itself
    eight = training.turned_and_mirrored(ml.images.LabelledImages(shape, np.zeros(1, np.int32), ("a",), ("A",)))
    assert len(set(eight.classes)) == len(np.unique(eight.images, axis=0)) == 8
    assert eight.labels.tolist() == list(range(8))


def test_looking_embeddings_up_is_learning_from_the_images():
    """Its own test program against `ml.score` on the images themselves."""
    images = ml.images.load_glyphs(drawers=10, scripts="Hebrew")
    learner = training.nearest_blurred_pixels()
    learner.compile()
    (score, *_) = testing.test({"pixels": learner}, images, within=False, count=20)
    tasks = ml.tasks.episodes(images, 5, 1, training.QUERIES, meta_batch_size=20, seed=training.SEED + 1)
    np.testing.assert_array_equal(score["pixels"].values, ml.score(learner, tasks, 20).values)


def test_views_are_the_image_and_its_four_diagonal_moves():
    """The mean of the views of one bright pixel is a fifth at itself and at its four diagonal neighbours."""
    image = np.zeros((1, 5, 5, 1), np.float32)
    image[0, 2, 2] = 1
    same = keras.Sequential([keras.Input((5, 5, 1)), keras.layers.Identity()])
    expected = np.zeros((5, 5))
    expected[[2, 1, 1, 3, 3], [2, 1, 3, 1, 3]] = 0.2
    np.testing.assert_allclose(training.five_views(same).predict(image, verbose=0)[0, ..., 0], expected, rtol=1e-6)


def test_a_wrong_path_gets_one_sentence(tmp_path):
    nowhere = tmp_path / "nowhere.zip"
    command = [sys.executable, "-m", "benchmarks.one_shot", "--omniglot", nowhere]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stdout == ""
    sentence = f"path {str(nowhere)!r} does not exist, expected an archive or folder of Omniglot"
    assert run.stderr.splitlines()[-1] == sentence  # after the lines that TensorFlow starts with
    assert "Traceback" not in run.stderr
