"""Chapter 6c: which language is a name of, with one name of each of five languages of branches never seen."""

import functools

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.applications.language.names import (
    cldr_names,
    grouped_by,
    labelled_names,
    read_names,
    script_of_name,
)
from metalearn_course.applications.language.ngrams import convolution, weighted_profile
from metalearn_course.studies import Rival, Study
from metalearn_lib.evaluation.score import fingerprint

TASKS = 300


@functools.cache
def parts():
    """Training, validation and test languages, apart by branch."""
    return grouped_by(labelled_names(cldr_names()), "branch").split("alphabet", seed=0)


def drawn(images, **settings):
    """Episodes of five ways, one shot, five queries."""
    return ml.tasks.gather_tasks(ml.tasks.episodes(images, meta_batch_size=10, seed=1, **settings), TASKS)


@functools.cache
def episodes():
    """Validation episodes, and test episodes of the three settings and of training languages in Latin letters."""
    train, validation, test = parts()
    latin = grouped_by(test, "script").subset("LATIN")
    return {
        "validation": drawn(validation),
        "any script": drawn(test),
        "all Latin": drawn(latin),
        "one branch": drawn(grouped_by(latin, "branch"), within_alphabet=True),
        "training languages, all Latin": drawn(grouped_by(train, "script").subset("LATIN")),
    }


def prototypical(model, rate):
    """A prototypical network on names."""
    learner = ml.PrototypicalNetwork(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    return learner


def fitted(learner, seed, steps):
    """Trained on 20-way episodes; answers are the learner's."""
    stream = ml.tasks.episodes(parts()[0], ways=20, shots=1, queries=5, meta_batch_size=2, seed=1_000 + seed)
    learner.fit(stream, steps_per_epoch=steps, verbose=0)
    return functools.partial(learner.predict, batch_size=50)


def free(seed, lr, steps):
    """A convolution over bytes."""
    return fitted(prototypical(convolution(), lr), seed, steps)


def untrained(seed):
    """The same with random weights."""
    return functools.partial(prototypical(convolution(), 0.001).predict, batch_size=50)


def counted(seed):
    """Profiles of n-grams."""
    return functools.partial(prototypical(weighted_profile(), 0.001).predict, batch_size=50)


@functools.cache
def rarity():
    """The logarithm of the inverse document frequency of each n-gram, up to its logarithm."""
    train = parts()[0]
    some = np.random.default_rng(0).choice(len(train), 3_000, replace=False)
    profiles = weighted_profile().predict(np.float32(train.images[some] / 255), verbose=0)  # pyright: ignore[reportArgumentType]
    return np.log(np.log(1 / (profiles > 0).mean(axis=0).clip(1 / 3_000)))


def inverse(seed):
    """Profiles of n-grams, weighted by rarity."""
    learner = prototypical(weighted_profile(), 0.001)
    learner.model.get_layer("emphasis").log_weights.assign(rarity())
    return functools.partial(learner.predict, batch_size=50)


def learned(seed, lr, steps):
    """Profiles of n-grams with learned weights."""
    return fitted(prototypical(weighted_profile(), lr), seed, steps)


def by_script(seed):
    """The language written in the script of the query; ties are broken at random."""

    def answer(task):
        script_of = np.vectorize(script_of_name)
        support, query = (script_of(read_names(task[name])) for name in ("support_x", "query_x"))
        same = query[:, :, None] == support[:, None]
        return same + 0.001 * np.random.default_rng(0).random(same.shape)

    return answer


def on(answer, name):
    """The accuracy on the episodes of a setting."""
    task, query_y = episodes()[name]
    return ml.score_predictions(answer(task), query_y, fingerprint(task["query_x"]))


STUDY = Study(
    name="languages",
    chapter="06c",
    question="Of which of five languages of unseen branches is a name, with one name of each?",
    budget="Learned from 20-way episodes of 84 languages; the number of steps is tuned",
    rivals={
        "script alone": Rival(by_script, untuned="looks at the script", trained=False),
        "untrained convolution": Rival(untrained, untuned="it is not trained"),
        "trained convolution": Rival(
            free, {"lr": (0.0003, 0.001, 0.003, 0.01), "steps": (25, 50, 100, 200, 400, 800, 1_600, 3_200)}
        ),
        "n-grams, all alike": Rival(counted, untuned="counts", trained=False),
        "n-grams, inverse frequency": Rival(inverse, untuned="a rule", trained=False),
        "n-grams, learned weights": Rival(learned, {"lr": (0.005, 0.02, 0.08), "steps": (25, 50, 100, 200, 400)}),
    },
    validate=lambda answer: on(answer, "validation"),
    measure=lambda answer: {name: on(answer, name) for name in episodes() if name != "validation"},
)
