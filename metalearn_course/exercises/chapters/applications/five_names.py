"""Page 6c: languages from five names."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_CLASSES, SUPPORT_UNUSED, TRANSDUCTION
from metalearn_course.exercises.engine.wrong_learners import untrained

LETTERS, LONGEST = 26, 12


def _languages(rng, number, names):
    """Names of invented languages, bytes [number, names, 1, 12, 1]; each language is a Markov chain over 26 letters."""
    common = rng.dirichlet(np.full(LETTERS, 0.3), size=LETTERS)
    found = np.zeros((number, names, LONGEST), "uint8")
    for language in found:
        chain = (0.3 * common + 0.7 * rng.dirichlet(np.full(LETTERS, 0.1), size=LETTERS)).cumsum(axis=1)
        words = [rng.integers(LETTERS, size=names)]
        for _ in range(LONGEST - 1):
            words.append(np.minimum((rng.random((names, 1)) > chain[words[-1]]).sum(axis=1), LETTERS - 1))
        length = rng.integers(6, LONGEST + 1, size=(names, 1))
        language[:] = np.where(np.arange(LONGEST) < length, np.stack(words, axis=1) + ord("a"), 0)
    return found[:, :, None, :, None]


def _draw_names(rng):
    training, others = np.split(_languages(rng, 80, 40), 2)
    chosen = [rng.choice(len(others), 5, replace=False) for _ in range(100)]
    spelt = np.stack([others[five][:, rng.permutation(40)[:9]] for five in chosen]).astype("float32") / 255
    labels = np.tile(np.arange(5)[:, None], (100, 1, 9))
    order, query_order = rng.permutation(25), rng.permutation(20)

    def part(names, at, order):
        return names[:, :, at].reshape(100, len(order), *names.shape[3:])[:, order]

    first, last = slice(0, 5), slice(5, 9)
    new = {
        "support_x": part(spelt, first, order),
        "support_y": part(labels, first, order).astype("int32"),
        "query_x": part(spelt, last, query_order),
    }
    return (new, training), part(labels, last, query_order).astype("int32")


five_names_exercise = Training(
    "A language from five names (page 6c)",
    """
    A task has five invented languages, five names of each, and names whose language is wanted; a name is a row of 12
    bytes, [1, 12, 1], with zeros at its end, as a picture: divided by 255 (`training` is not). `training` [40, 40, 1,
    12, 1] holds 40 names of each of 40 *other* languages. Train a learner on them and return class scores for the
    queries of `new`. Page 6c's embedding is `weighted_profile()` from `metalearn_course.applications.language.ngrams`:
    it learns which combinations of letters count. It takes names of 40 bytes: pad with zeros.
    `ml.images.LabelledImages(x, labels, names, alphabets)` makes a data set to draw `ml.tasks.episodes` from. Wanted:
    an accuracy above 45 %; untrained, with all combinations alike, it has about 40 %.
    """,
    draw=_draw_names,
    bar=0.45,
    probes=FOR_CLASSES,
    hints=(
        "`np.pad` the axis of the bytes from 12 to 40; `LabelledImages(x.reshape(-1, 1, 40, 1), "
        "np.repeat(np.arange(40), 40), names, names)` with forty names of languages as text.",
        "`ml.PrototypicalNetwork(weighted_profile())`, the cross-entropy of logits, Adam with 0.03, 100 steps of 8 "
        "tasks (5 ways, 5 shots, 4 queries).",
    ),
)


@five_names_exercise.reference(
    "Nothing was learned about the new languages before they came. What was learned is which differences between names "
    "are worth looking at; and counting n-grams, without any learning, is most of it: see page 6c."
)
def five_names(new, training, seed):
    """Scores [T, Q, 5] of the languages of the queries of `new`, after training on others with this seed."""
    import keras

    from metalearn_course.applications.language.ngrams import weighted_profile

    def padded(x):
        return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, 28), (0, 0)])

    keras.utils.set_random_seed(seed)
    names = tuple(f"language {number}" for number in range(40))
    spelt = padded(training).reshape(-1, 1, 40, 1).astype("uint8")
    languages = ml.images.LabelledImages(spelt, np.repeat(np.arange(40), 40), names, names)
    tasks = ml.tasks.episodes(languages, 10, 5, 4, 8, seed)
    learner = ml.PrototypicalNetwork(weighted_profile())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(0.01), loss, steps_per_execution=20)
    learner.fit(tasks, steps_per_epoch=200, verbose=0)
    return learner.predict({key: x if x.ndim == 2 else padded(x) for key, x in new.items()}, verbose=0)


def _profiles(x):
    codes = np.pad(np.rint(x[..., 0, :, 0] * (255 if x.max() <= 1 else 1)).astype(int), [(0, 0), (0, 0), (1, 1)])
    found = np.zeros((*x.shape[:2], 1024))
    for a, b in zip(np.moveaxis(codes, -1, 0)[:-1], np.moveaxis(codes, -1, 0)[1:], strict=True):
        at = (np.maximum(a - 96, 0) * 32 + np.maximum(b - 96, 0))[..., None]
        np.put_along_axis(found, at, np.take_along_axis(found, at, -1) + 1, -1)
    found = np.sqrt(found[..., 1:])
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


@five_names_exercise.also_right
def by_counting_pairs_of_letters(tasks, others, number):
    every = _profiles(others.reshape(40, 40, 1, 12, 1))
    within = (every - every.mean(axis=1, keepdims=True)).var(axis=(0, 1))
    weight = 1 / (within + 0.1 * within.max())
    support, query = _profiles(tasks["support_x"]), _profiles(tasks["query_x"])
    centres = np.einsum("tsd,tsc->tcd", support, np.eye(5)[tasks["support_y"]]) / 5
    return np.einsum("tqd,tcd,d->tqc", query, centres, weight)


@five_names_exercise.mistake(
    "It is hardly better than chance. A name is a row of bytes, and bytes are no amounts: 'b' is not between 'a' and "
    "'c'. Count combinations of letters, or embed each letter.",
    shows=lambda case, got: five_names_exercise.score_of(case, got).mean < 0.36,
)
def bytes_as_numbers(new, training, seed):
    support, query = (new[key][:, :, 0, :, 0] for key in ("support_x", "query_x"))
    centres = np.einsum("tsd,tsc->tcd", support, np.eye(5)[new["support_y"]]) / 5
    return -((query[:, :, None] - centres[:, None]) ** 2).sum(-1)


@five_names_exercise.mistake(
    "The accuracy is that of all combinations of letters weighted alike: the embedding has learned nothing yet.",
    shows=lambda case, got: 0.36 <= five_names_exercise.score_of(case, got).mean < 0.44,
)
def all_alike(new, training, seed):
    from metalearn_course.applications.language.ngrams import weighted_profile

    longer = {key: x if x.ndim == 2 else np.pad(x, [(0, 0)] * 3 + [(0, 28), (0, 0)]) for key, x in new.items()}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return untrained(longer, seed, lambda: ml.PrototypicalNetwork(weighted_profile()), loss)


@five_names_exercise.mutant(SUPPORT_UNUSED)
def always_the_same_language(new, training, seed):
    rng = np.random.default_rng(seed)
    return np.tile(rng.normal(size=5), (*new["query_x"].shape[:2], 1))


@five_names_exercise.mutant(TRANSDUCTION)
def each_language_as_often(new, training, seed):
    scores = by_counting_pairs_of_letters(new, training, seed)
    return scores - scores.mean(axis=1, keepdims=True)
