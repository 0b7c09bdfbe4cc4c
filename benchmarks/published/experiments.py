"""The experiments: what stands in each row, with which settings and for how many steps."""

from collections.abc import Callable
from dataclasses import dataclass

import metalearn_lib as ml
from benchmarks.published.training import (
    SCALE,
    Scores,
    gradient_steps,
    linear_decay,
    maml_sinusoids,
    matching_network,
    metric,
    pretraining_sinusoids,
    prototypical_network,
)

ALPHA = 0.4  # of the inner loops


@dataclass(frozen=True)
class Experiment:
    """A row of a table.

    Args:
        table: the table it belongs to, "Sinusoids" or "Omniglot".
        learner: what was trained, with what is special about it.
        published: which of the published rows it stands beside.
        run: `run(images, steps, count)` trains for `steps` steps, of each network if there are several, and tests on
            `count` tasks a cell; `images` is None for sinusoids.
        steps: of the outer loop, fixed beforehand so that a run can be repeated.
        published_steps: those of the paper; None where the paper trains until nothing improves.
        recipe: the settings, and where they differ from the paper's.
    """

    table: str
    learner: str
    published: str
    run: Callable[[ml.images.LabelledImages | None, int, int], Scores]
    steps: int
    published_steps: int | None
    recipe: str


EXPERIMENTS = {
    "sinusoid-maml": Experiment(
        "Sinusoids",
        "MAML",
        "MAML, sinusoids",
        maml_sinusoids(10),
        70_000,
        70_000,
        "as in the paper: trained with 10 shots, 10 queries and one inner step, α = 0.01 in every step of training and "
        "test, Adam 1e-3, 25 tasks a step. The published figures are of 5 shots in the test. Here 100 queries a test "
        "task, which narrows the interval, and Glorot's initialisation.",
    ),
    "sinusoid-maml-5": Experiment(
        "Sinusoids",
        "MAML, trained with 5 shots",
        "MAML, sinusoids",
        maml_sinusoids(5),
        70_000,
        70_000,
        "the same, trained with as many shots as the published test has.",
    ),
    "sinusoid-pretraining": Experiment(
        "Sinusoids",
        "Pre-training on all tasks",
        "Pre-training, sinusoids",
        pretraining_sinusoids,
        70_000,
        70_000,
        "one network for all tasks, on the same 25 x 20 examples a step, then gradient steps on the test task with "
        "MAML's α = 0.01; the paper tunes the step size.",
    ),
    "protonet-characters": Experiment(
        "Omniglot",
        "Prototypical network",
        "Prototypical network",
        metric(prototypical_network, "characters"),
        1_000,
        None,
        "as in the paper: four convolutions with max pooling, 60 ways, 5 queries, squared distances, running averages "
        "in the test. Not as in the paper: one network trained with one shot answers all columns (there, one for each "
        "number of shots); 713 characters to train on (there 1,200) and 251 to test on (there 423), all with their "
        f"turns; embeddings times {SCALE} and Adam from 1e-2 down along a cosine (there 1e-3, halved every 2,000 "
        "episodes, until nothing improved), which reach further in few steps.",
    ),
    "protonet-alphabets": Experiment(
        "Omniglot",
        "Prototypical network, alphabets held out",
        "Prototypical network",
        metric(prototypical_network, "alphabets"),
        1_000,
        None,
        "the same, tested on the 192 characters of six alphabets that it has not seen: harder than the published test.",
    ),
    "matching": Experiment(
        "Omniglot",
        "Matching network",
        "Matching network",
        metric(matching_network, "characters"),
        300,
        None,
        "as the prototypical network above; without full context embeddings; cosine similarities times 10 (there 1).",
    ),
    "fomaml": Experiment(
        "Omniglot",
        "First-order MAML, transductive",
        "FOMAML",
        gradient_steps(
            lambda model: ml.MAML(model, inner_lr=ALPHA, first_order=True, batch_norm="transductive"),
        ),
        1_500,
        60_000,
        "as in the paper: the network of its public code, 32 tasks a step, one inner step, three in the test, one "
        f"query a class, which transduction knows. Not as in the paper: characters as above; α = {ALPHA} on the mean "
        "cross-entropy (there 0.4 on the sum over five classes, which is 2.0); the inner loop also adapts batch "
        "normalisation's scale and shift; Adam from 4e-3 down along a cosine (there 1e-3).",
    ),
    "maml": Experiment(
        "Omniglot",
        "MAML, transductive",
        "MAML",
        gradient_steps(lambda model: ml.MAML(model, inner_lr=ALPHA, batch_norm="transductive")),
        600,
        60_000,
        "as `fomaml`, with second derivatives.",
    ),
    "maml-support": Experiment(
        "Omniglot",
        "MAML, statistics of the support set",
        "MAML",
        gradient_steps(lambda model: ml.MAML(model, inner_lr=ALPHA)),
        400,
        60_000,
        "the same, but no query helps another; the published figure is transductive.",
    ),
    "meta-sgd": Experiment(
        "Omniglot",
        "Meta-SGD, transductive",
        "Meta-SGD",
        gradient_steps(
            lambda model: ml.MAML(model, inner_lr=ALPHA, learn_inner_lr=True, batch_norm="transductive"),
            steps_in_test=1,
        ),
        400,
        60_000,
        f"as `maml`, with a learned rate for each weight, which starts from {ALPHA}; one inner step in the test too.",
    ),
    "anil": Experiment(
        "Omniglot",
        "ANIL, transductive",
        "ANIL",
        gradient_steps(
            lambda model: ml.MAML(model, inner_lr=ALPHA, inner_steps=5, adapted="head", batch_norm="transductive"),
            steps_in_test=5,
            meta_batch_size=16,
            ways=20,
        ),
        300,
        30_000,
        "as `maml`, 20 ways, 16 tasks a step, five inner steps in training and test.",
    ),
    "reptile": Experiment(
        "Omniglot",
        "Reptile, statistics of the support set",
        "Reptile",
        gradient_steps(
            lambda model: ml.Reptile(model, inner_lr=ALPHA, inner_steps=5),
            steps_in_test=50,
            meta_batch_size=5,
            training_shots=10,
            optimizer=linear_decay,
        ),
        300,
        100_000,
        "as in the paper: 10 shots in training, five inner steps, 50 in the test, 5 tasks a step, an outer step from 1 "
        f"down to 0. Not as in the paper: the inner loop is gradient descent with α = {ALPHA} on all 50 examples "
        "(there Adam 1e-3 on batches of 10).",
    ),
}
