"""A learner has one colour, and the learners of a figure have colours that all can tell apart."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import metalearn_lib as ml

color_of, curve_styles = ml.plots.color_of, ml.plots.curve_styles

ONE_LEARNER = [
    ("MAML", "MAML, 5 steps", "meta-learning (MAML)", "MAML online", "maml"),
    ("FOMAML", "FOMAML, 3 steps", "first order"),
    ("implicit MAML", "implicit"),
    ("from scratch", "  from scratch, 20 steps", "from θ₀", "θ₀", "one gradient step", "no pooling"),
    ("joint training", "joint training, fine-tuned", "joint, fine-tuned", "fixed, then fine-tuned", "pooling"),
    ("prototypes", "prototypical network", "prototypical network, leaking", "Prototypes"),
    ("nearest neighbour", "nearest neighbor", "pixels, nearest neighbour", "nearest neighbour on pixels"),
    ("memory", "recalled", "the article's memory", "mean of 5 recalled", "1000 entries", "from the recalled θ"),
    ("in context", "transformer"),
    ("neural process", "conditional (mean)", "neural process: largest σ"),
    ("learned update", "learned on linear regression"),
    ("no adaptation", "untrained", "at random", "random entry", "(nothing changes)"),
    ("oracle", "oracle's entry", "exact: largest σ", "Bayes optimum"),
    ("corrected", "corrected: MAML, new tasks"),
]

# The figures of the course with more than one learner.
FIGURES = [
    ("joint training", "from scratch, 1000 steps", "nearest neighbour", "kernel ridge", "MAML, 1 step"),
    ("from scratch", "transfer from one task", "joint, fine-tuned", "multi-task, new head", "meta-learning (MAML)"),
    ("nearest neighbour", "prototypical network"),
    ("θ₀", "random entry", "mean of 5 recalled", "oracle's entry"),
    ("memory, no step", "MAML, 1 step"),
    ("MAML", "from scratch", "joint training", "the article's program, mended", "nearest neighbour", "oracle"),
    ("prototypical network", "  the same, untrained", "MAML, 3 steps", "  from scratch, 20 steps", "nearest neighbour"),
    ("from scratch", "fixed model", "fine-tuned", "MAML", "straight line", "equations", "(nothing changes)", "oracle"),
    ("population", "from scratch", "learned prior", "neural process"),
    ("untrained convolution", "trained convolution", "n-grams, all alike"),
    ("from scratch", "fixed model", "fixed, fine-tuned", "MAML, 3 steps", "equation, all terms", "the arm itself"),
    ("pooling", "no pooling", "Bayes optimum", "MAML"),
    ("nominal", "fine-tuned", "MAML", "least squares", "oracle"),
    ("no adaptation", "from scratch", "joint training", "Reptile", "ANIL", "FOMAML", "MAML", "Meta-SGD"),
    ("first order", "implicit"),
    ("nearest neighbour", "matching", "prototypes"),
    ("blurred pixels", "network, random weights", "network, trained"),
    ("blurred pixels", "pre-trained", "meta-trained"),
    ("ridge, λ = σ²", "least squares", "one gradient step", "in context"),
    ("five gradient steps", "the article's memory", "memory-augmented network", "in context", "ridge, λ = σ²"),
    ("MAML, 1 step", "in context"),
    ("exact", "conditional (mean)", "attentive", "ignores the support set"),
    ("at random", "farthest from all known", "attentive: largest σ", "exact: largest σ"),
    ("at random", "farthest from all known", "neural process: largest σ", "bisection"),
    ("gradient descent", "momentum", "Adam", "learned update"),
    ("MAML, α = 0.05", "Meta-SGD"),
    ("at random", "upper bound", "Thompson", "posterior mean", "RL²"),
    ("knows the goal", "searches in turn, then remembers", "at random", "RL²"),
    ("as it looks", "corrected", "nearest neighbour"),
    ("untrained", "as it looks: one step", "corrected: five steps"),
]

# What those see who lack one kind of cones (Machado, Oliveira and Fernandes, 2009), in linear RGB.
VISIONS = {
    "all": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8727]]  # white is (1, 1, 1)


def seen(color: str, vision: list) -> np.ndarray:
    """A colour in CIELAB, where a distance of 2.3 can just be seen."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(vision @ linear, 0, 1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("names", ONE_LEARNER, ids=lambda names: names[0])
def test_a_learner_keeps_its_colour_whatever_else_is_said(names):
    assert len({color_of(name) for name in names}) == 1
    assert color_of(names[0]) != color_of("a name that is not the course's")


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("names", FIGURES, ids=lambda names: ", ".join(names)[:40])
def test_every_kind_of_colour_vision_tells_the_learners_of_a_figure_apart(names, vision):
    for one, other in itertools.combinations(map(color_of, names), 2):
        distance = np.linalg.norm(seen(one, VISIONS[vision]) - seen(other, VISIONS[vision]))
        assert distance > 15, (one, other)


def test_the_first_learner_in_a_name_counts_and_parts_of_words_do_not():
    assert color_of("trained by prototypes, asked by matching") == color_of("prototypes")
    assert color_of("bridges") == color_of("nothing known") != color_of("ridge")


def test_two_curves_of_one_learner_have_two_line_styles():
    styles = curve_styles(["MAML, 1 step", "ridge, λ = ¼", "MAML, 10 steps"])
    one, ridge, ten = styles.values()
    assert one["color"] == ten["color"] == color_of("MAML") != ridge["color"]
    assert one["linestyle"] == ridge["linestyle"] == "-" != ten["linestyle"]


def test_unknown_curves_get_colours_that_no_other_curve_of_the_figure_has():
    styles = curve_styles(["first", "MAML", "second", "Reptile", "third", "fourth"])
    colors = [style["color"] for style in styles.values()]
    assert len(set(colors)) == 6 and {style["linestyle"] for style in styles.values()} == {"-"}


def test_as_many_curves_as_one_likes_differ_in_colour_or_line():
    styles = curve_styles([f"curve {number}" for number in range(30)])
    assert len({str(style) for style in styles.values()}) == 30
