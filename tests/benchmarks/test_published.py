"""The reproduction of published results: every experiment for a few steps on made-up images, and the tables."""

import io
import json
import re
import zipfile
from pathlib import Path

import experiments
import keras
import numpy as np
import published
import pytest
import report
import training
from PIL import Image

import metalearn_lib as ml

REFERENCES = Path(__file__).parents[3] / "shared" / "REFERENCES.md"
ALPHABETS = (*training.VALIDATION, "Angelic", "Bengali", "Futurama", "Tagalog")


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
    monkeypatch.setattr(published, "ROWS", tmp_path / "results" / "published.json")
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


@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_every_experiment_runs_and_keeps_its_row(name, archive, small, elsewhere, capsys):
    published.main([name, "--omniglot", str(archive), "--steps", "2", "--episodes", "4"])
    row = json.loads(published.ROWS.read_text())[name]
    assert (row["steps"], row["episodes"], row["seed"]) == (2, 4, training.SEED)
    columns = published.TABLES[experiments.EXPERIMENTS[name].table][1]
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
    assert page.count("not run") == len(experiments.EXPERIMENTS) - 1


def test_one_experiment_is_run_again_alone():
    published.keep("sinusoid-maml", {"steps": 1})
    published.keep("protonet-characters", {"steps": 2})
    published.keep("sinusoid-maml", {"steps": 3})
    assert published.kept() == {"sinusoid-maml": {"steps": 3}, "protonet-characters": {"steps": 2}}


def test_a_measured_figure_stands_before_the_published_one_and_a_missing_one_is_a_dash():
    row = {"scores": {"5-way 1-shot": "97.1 ± 0.2"}, "steps": 1500, "minutes": 3.0, "processor minutes": 2.5}
    lines = published.table("Omniglot", {"protonet-characters": row}).splitlines()
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
    assert set(cells) == {n for n, e in experiments.EXPERIMENTS.items() if e.table == "Omniglot"}
    header = next(line for line in lines if line.startswith("| experiment"))
    assert {line.count("|") for line in lines if line.startswith("|")} == {header.count("|")}


def test_a_mean_that_diverged_is_told_in_powers_of_ten():
    score = ml.Score(np.array([1.0, 4e6]), "mean squared error")
    # Student's t at one degree of freedom is 12.7 and the deviation of the mean is 2e6.
    assert published._figure(score) == "2e+06 ± 3e+07"
    assert published._figure(ml.Score(np.array([0.5, 1.0]), "accuracy")) == "75 ± 318"


@pytest.mark.skipif(not REFERENCES.exists(), reason="the list of reference numbers is not beside this checkout")
def test_published_figures_are_those_of_the_references():
    text = REFERENCES.read_text(encoding="utf-8")
    tidy = {}
    for line in text.splitlines():
        if (line.startswith("|") and "±" in line) or re.match(r"\| (ProtoNet|Matching|Reptile)", line):
            name, *figures = [cell.strip() for cell in line.strip("|").split("|")]
            tidy[name] = [re.sub(r"±\.", " ± 0.", re.sub(r"±(?=\d)", " ± ", figure)) for figure in figures]
    ours = {name: list(figures) for name, figures in published.PUBLISHED.items()}
    assert ours["MAML"] == tidy["MAML (T)"]
    assert ours["FOMAML"] == tidy["FOMAML (T)"]
    assert ours["Prototypical network"] == tidy["ProtoNet"]
    assert ours["Matching network"] == tidy["Matching networks"]
    assert ours["Meta-SGD"] == tidy["Meta-SGD"]
    both = [figure.split(" / ") for figure in tidy["Reptile / (T)"]]
    assert [ours["Reptile"], ours["Reptile, transductive"]] == [list(column) for column in zip(*both, strict=True)]
    anil = tidy["ANIL (its own MAML)"]
    assert ours["ANIL"] == [None, None, *(figure.split(" (")[0] for figure in anil[2:])]
    sinusoids = re.search(r"MAML ([\d. /]+) · pre-train on all tasks ([\d. /]+)\.\n", text)
    for name, figures in zip(("MAML", "Pre-training"), sinusoids.groups(), strict=True):
        assert [float(f) for f in ours[f"{name}, sinusoids"]] == [float(f) for f in figures.split(" / ")]


def test_test_classes_are_apart_from_training_and_from_what_settings_were_chosen_on(archive):
    images = ml.images.load_omniglot(archive)
    parts = training.protocols(images)
    for seen, test in parts.values():
        characters = [{name.split(" ")[0] for name in part.classes} for part in (seen, test)]
        assert not characters[0] & characters[1]
        assert characters[0] | characters[1] == set(images.classes)
        assert not any(name.startswith(training.VALIDATION) for name in characters[1])
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
