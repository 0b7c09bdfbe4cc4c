"""The reproduction of published results: every experiment for a few steps on made-up images, and the tables."""

import io
import json
import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import metalearn_lib as ml
from benchmarks import report
from benchmarks.alphabets import VALIDATION
from benchmarks.published import __main__ as published
from benchmarks.published import tables, training
from benchmarks.published.experiments import EXPERIMENTS

ALPHABETS = (*VALIDATION, "Angelic", "Bengali", "Futurama", "Tagalog")


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Five characters of twenty random drawings, as Omniglot's archive has them, in each of nine alphabets."""
    path = tmp_path_factory.mktemp("omniglot") / "images_background.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as file:
        for alphabet in ALPHABETS:
            for character in range(5):
                shape = rng.random((7, 7)) < 0.5
                for drawer in range(20):
                    drawing = np.kron(shape ^ (rng.random((7, 7)) < 0.02), np.ones((15, 15), bool))
                    data = io.BytesIO()
                    Image.fromarray(~drawing).save(data, "png")
                    name = f"images_background/{alphabet}/character{character + 1:02}/0001_{drawer + 1:02}.png"
                    file.writestr(name, data.getvalue())
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Results go to a README of the test's own."""
    readme = tmp_path / "README.md"
    readme.write_text("<!-- published: begin -->\n<!-- published: end -->")
    monkeypatch.setattr(report, "README", readme)
    monkeypatch.setattr(published, "ROWS", tmp_path / "results.json")
    return readme


@pytest.fixture
def small(monkeypatch) -> None:
    """A small network in place of the four convolutions, and no XLA, which takes longer than these few steps."""

    def network(num_outputs: int | None = None, pooling: bool = False) -> keras.Model:
        layers = [keras.layers.AveragePooling2D(4), keras.layers.Flatten(), keras.layers.BatchNormalization()]
        return keras.Sequential([keras.Input((28, 28, 1)), *layers, keras.layers.Dense(num_outputs or 64)])

    compiled = ml.Learner.compile
    monkeypatch.setattr(ml.networks, "conv4", network)
    monkeypatch.setattr(
        ml.Learner, "compile", lambda self, *args, **kwargs: compiled(self, *args, jit_compile=False, **kwargs)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_and_keeps_its_row(name, archive, small, elsewhere, capsys):
    published.main([name, "--omniglot", str(archive), "--steps", "2", "--episodes", "4"])
    row = json.loads(published.ROWS.read_text())[name]
    assert (row["steps"], row["episodes"], row["seed"]) == (2, 4, training.SEED)
    columns = tables.TABLES[EXPERIMENTS[name].table][1]
    assert row["scores"]
    assert set(row["scores"]) <= set(columns)
    for figure in row["scores"].values():
        assert re.fullmatch(r"\d[\d.e+]* ± \d[\d.e+]*", figure)
    printed = capsys.readouterr().out
    assert printed.startswith(f"{name}: 2 steps\n")
    page = elsewhere.read_text()
    assert page.removeprefix("<!-- published: begin -->").removesuffix("<!-- published: end -->").strip() in printed
    (line,) = re.findall(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
    assert " | 2" in line
    assert "not run" not in line
    assert page.count("not run") == len(EXPERIMENTS) - 1


def test_a_measured_figure_stands_before_the_published_one_and_a_missing_one_is_a_dash():
    row = {"scores": {"5-way 1-shot": "97.1 ± 0.2"}, "steps": 1500, "minutes": 3.0, "processor minutes": 2.5}
    lines = tables.table("Omniglot", {"protonet-characters": row}).splitlines()
    cells = {line.split("`")[1]: line.strip("| ").split(" | ") for line in lines if line.startswith("| `")}
    assert cells["protonet-characters"][2:] == [
        "97.1 ± 0.2 (98.8)",
        "– (99.7)",
        "– (96.0)",
        "– (98.9)",
        "1,500",
        "3.0 (2.5)",
    ]
    assert cells["protonet-alphabets"][2:] == ["– (98.8)", "– (99.7)", "– (96.0)", "– (98.9)", "not run", "–"]
    assert set(cells) == {n for n, e in EXPERIMENTS.items() if e.table == "Omniglot"}
    header = next(line for line in lines if line.startswith("| experiment"))
    assert {line.count("|") for line in lines if line.startswith("|")} == {header.count("|")}


def test_a_mean_that_diverged_is_told_in_powers_of_ten():
    score = ml.Score(np.array([1.0, 4e6]), "mean squared error")
    # Student's t at one degree of freedom is 12.7 and the deviation of the mean is 2e6.
    assert tables.figure(score) == "2e+06 ± 3e+07"
    assert tables.figure(ml.Score(np.array([0.5, 1.0]), "accuracy")) == "75 ± 318"


# Copied a second time, so that a slip in one copy shows: after 1, 5 and 10 steps; 5-way 1-, 5-shot, 20-way 1-, 5-shot.
SECOND_COPY = {
    "MAML, sinusoids": ".67 .38 .35",
    "Pre-training, sinusoids": "2.41 2.23 2.19",
    "MAML": "98.7±0.4 99.9±0.1 95.8±0.3 98.9±0.2",
    "FOMAML": "98.3±0.5 99.2±0.2 89.4±0.5 97.9±0.1",
    "Reptile": "95.39 98.90 88.14 96.65",
    "Reptile, transductive": "97.68 99.48 89.43 97.12",
    "Prototypical network": "98.8 99.7 96.0 98.9",
    "Matching network": "98.1 98.9 93.8 98.5",
    "Meta-SGD": "99.53±0.26 99.93±0.09 95.93±0.38 98.97±0.19",
    "ANIL": "– – 96.2±0.5 98.0±0.3",
}


def test_both_copies_of_the_published_figures_agree():
    for name, figures in tables.PUBLISHED.items():
        printed = ["–" if figure is None else figure.replace(" ± ", "±") for figure in figures]
        assert printed == [re.sub(r"^\.", "0.", figure) for figure in SECOND_COPY[name].split()], name
    assert tables.PUBLISHED.keys() == SECOND_COPY.keys()


def test_every_published_figure_says_where_it_stands_and_every_experiment_has_some():
    for source in tables.SOURCES:
        assert re.fullmatch(r"[A-Z][\w ,]+ 20\d\d", source["paper"]), source
        assert "table" in source["where"], source
    for experiment in EXPERIMENTS.values():
        figures = tables.PUBLISHED[experiment.published]
        assert len(figures) in (3, len(tables.TABLES[experiment.table][1]))


def test_test_classes_are_apart_from_training_and_from_what_settings_were_chosen_on(archive):
    images = ml.images.load_omniglot(archive)
    parts = training.protocols(images)
    for seen, test in parts.values():
        characters = [{name.split(" ")[0] for name in part.classes} for part in (seen, test)]
        assert not characters[0] & characters[1]
        assert characters[0] | characters[1] == set(images.classes)
        assert not any(name.startswith(VALIDATION) for name in characters[1])
        assert len(test.classes) == 4 * len(characters[1])
    seen, test = parts["alphabets"]
    assert not set(seen.alphabets) & set(test.alphabets)
    # A quarter of the four alphabets that may be tested; 423 of 1,623 of the 45 characters.
    assert [len(part[1].classes) for part in parts.values()] == [4 * 5, 4 * 12]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["mamba"], "NAME is 'mamba', expected one of sinusoid-maml, "),
        (["protonet-alphabets"], "--omniglot is missing, expected the path of an official archive or a folder of them"),
        (["protonet-alphabets", "--omniglot", "nowhere.zip"], "path 'nowhere.zip' does not exist"),
        (["sinusoid-maml", "--steps", "0"], "steps is 0, expected a whole number of at least 1"),
        (["sinusoid-maml", "--episodes", "1"], "episodes is 1, expected a whole number of at least 2"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is(arguments, sentence):
    with pytest.raises(SystemExit, match=re.escape(sentence)):
        published.main(arguments)
    assert not published.ROWS.exists()


def test_too_few_alphabets_get_one_sentence():
    images = ml.images.LabelledImages(np.zeros((2, 28, 28, 1), np.uint8), np.arange(2), ("a", "b"), ("Greek", "Latin"))
    with pytest.raises(ValueError, match="Omniglot came with the alphabets Latin to test on, expected at least 3"):
        training.protocols(images)
