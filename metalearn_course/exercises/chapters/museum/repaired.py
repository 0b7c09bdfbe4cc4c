"""Trainings: a learner with three exhibits in it, to be repaired, and a distance that gets its temperature."""

import numpy as np

from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import noisy_classes
from metalearn_course.exercises.engine.measures import log_likelihood_of_classes
from metalearn_course.exercises.engine.probes import FOR_CLASSES, LABELS_UNUSED, SUPPORT_UNUSED, TRANSDUCTION, shown_by

WAYS = 5


def _draw(rng):
    new, query_y = noisy_classes(rng, 150, 3, 5, shuffled=True)
    training, training_y = noisy_classes(rng, 300, 3, 5, shuffled=True)
    return (new, training["query_x"], training_y), query_y


repaired_learner_exercise = Training(
    "Repair a learner",
    """
    This learner is meant to learn from training tasks which features matter, and to compare with class means. It
    contains three exhibits of the museum. Find them, and return honest class scores [T, Q, 3] for the queries of `new`.

        def repaired_learner(new, training_x, training_y):
            both = np.concatenate([new["support_x"], new["query_x"]], axis=1)
            mean, spread = both.mean(axis=1, keepdims=True), both.std(axis=1, keepdims=True)
            support = (new["support_x"] - mean) / spread
            query = (new["query_x"] - mean) / spread
            centres = support.reshape(len(support), 3, -1, 8).mean(axis=2)
            return -((query[:, :, None] - centres[:, None]) ** 2).sum(-1)

    `training_x` [300, 15, 8] and `training_y` [300, 15] are labelled examples of 300 training tasks with three classes
    each: a feature matters if it varies little *within* a class. Wanted: an accuracy above 82 %.
    """,
    draw=_draw,
    bar=0.82,
    probes=FOR_CLASSES,
    trained=False,
    hints=(
        "The scaling uses the queries (transduction), the class means go by place and not by label, and the training "
        "tasks are not used at all.",
        "Within a class: subtract from each training example the mean of its class in its task; the variance of what "
        "remains is the noise of each feature. Divide by its root.",
    ),
)


@repaired_learner_exercise.reference(
    "Everything that is normalised comes from training tasks or from the support set; labels say which examples belong "
    "together; and what training is for is measured: the noise of each feature."
)
def repaired_learner(new, training_x, training_y):
    """Class scores [T, Q, 3] for the queries of `new`."""
    one_hot = np.eye(3)[training_y]
    means = np.einsum("tsc,tsd->tcd", one_hot, training_x) / np.maximum(one_hot.sum(axis=1), 1)[..., None]
    within = training_x - np.einsum("tsc,tcd->tsd", one_hot, means)
    noise = within.std(axis=(0, 1))
    support, query = new["support_x"] / noise, new["query_x"] / noise
    labels = np.eye(3)[new["support_y"]]
    centres = np.einsum("tsc,tsd->tcd", labels, support) / labels.sum(axis=1)[..., None]
    return -((query[:, :, None] - centres[:, None]) ** 2).sum(-1)


@repaired_learner_exercise.also_right
def with_the_full_covariance(tasks, examples, classes):
    within = []
    for x, y in zip(examples, classes, strict=True):
        for label in range(3):
            own = x[y == label]
            within.append(own - own.mean(axis=0))
    inverse = np.linalg.inv(np.cov(np.concatenate(within).T))
    found = []
    for sx, sy, qx in zip(tasks["support_x"], tasks["support_y"], tasks["query_x"], strict=True):
        centres = np.stack([sx[sy == label].mean(axis=0) for label in range(3)])
        apart = qx[:, None] - centres
        found.append(-np.einsum("qcd,de,qce->qc", apart, inverse, apart))
    return np.array(found)


def _scaled(new, noise, grouped=True):
    support, query = new["support_x"] / noise, new["query_x"] / noise
    if grouped:
        labels = np.eye(3)[new["support_y"]]
        centres = np.einsum("tsc,tsd->tcd", labels, support) / labels.sum(axis=1)[..., None]
    else:
        centres = support.reshape(len(support), 3, -1, 8).mean(axis=2)
    return -((query[:, :, None] - centres[:, None]) ** 2).sum(-1)


@repaired_learner_exercise.mutant(TRANSDUCTION)
def as_it_was_found(new, training_x, training_y):
    both = np.concatenate([new["support_x"], new["query_x"]], axis=1)
    return _scaled(new, both.std(axis=1, keepdims=True), grouped=False)


@repaired_learner_exercise.mutant(LABELS_UNUSED)
def still_by_place(new, training_x, training_y):
    return _scaled(new, training_x.std(axis=(0, 1)), grouped=False)


@repaired_learner_exercise.mutant(SUPPORT_UNUSED)
def classes_of_training(new, training_x, training_y):
    centres = np.stack([training_x[training_y == label].mean(axis=0) for label in range(3)])
    return -((new["query_x"][:, :, None] - centres) ** 2).sum(-1)


@repaired_learner_exercise.mistake(
    "Honest now, and the training tasks say nothing yet, or not the right thing: the noise of a feature is what varies "
    "*within* a class, not over all examples.",
    shows=lambda case, got: (
        shown_by(got, FOR_CLASSES) is None and repaired_learner_exercise.score_of(case, got).mean < 0.8
    ),
)
def no_use_of_training(new, training_x, training_y):
    return _scaled(new, np.ones(8))


def _embedded(rng, tasks):
    """Embeddings of five classes with noise: no network, and no scale that anybody has set."""
    centres = rng.normal(size=(tasks, WAYS, 1, 8))
    x = 0.2 * (centres + rng.normal(size=(tasks, WAYS, 1 + 4, 8)))
    return x[:, :, 0], x[:, :, 1:].reshape(tasks, -1, 8), np.tile(np.repeat(np.arange(WAYS), 4), (tasks, 1))


def _draw_embedded(rng):
    support, query, labels = _embedded(rng, 250)
    return (*_embedded(rng, 250), support, query), labels


scaled_distance_exercise = Training(
    "The distance that got its temperature",
    r"""
    Exhibit 8: a distance without its square looked like a mistake, and was one whose temperature nobody had set.
    `support` [T, 5, 8] holds one example of each of five classes, `query` [T, 20, 8] the queries with classes `labels`,
    from *validation* tasks. The logits are $-s\,\lVert q - c \rVert$, **not** squared. Choose s on the validation tasks
    by the mean log-likelihood, and return log-probabilities [N, 20, 5] for `new_support` and `new_query`. Wanted: above
    −1.12. Without a scale (s = 1) it is below −1.4.
    """,
    draw=_draw_embedded,
    bar=-1.12,
    trained=False,
    measure=log_likelihood_of_classes,
    hints=(
        "Distances: `np.linalg.norm(query[:, :, None] - support[:, None], axis=-1)`; log-softmax: subtract "
        "`np.logaddexp.reduce(z, axis=-1, keepdims=True)`.",
        "Try s over `np.geomspace(0.3, 100, 60)`. Here the embeddings are small, so s is not.",
    ),
)


@scaled_distance_exercise.reference(
    "With its scale set the unsquared distance is as good a rival as any. A comparison in which one side's temperature "
    "was set and the other's not compares temperatures."
)
def scaled_distance(support, query, labels, new_support, new_query):
    """Log-probabilities [N, 20, 5] of the classes of the new queries, by the distance that is not squared."""

    def log_probabilities(support, query, scale):
        logits = -scale * np.linalg.norm(query[:, :, None] - support[:, None], axis=-1)
        return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)

    def likelihood(scale):
        return np.take_along_axis(log_probabilities(support, query, scale), labels[..., None], axis=-1).mean()

    return log_probabilities(new_support, new_query, max(np.geomspace(0.3, 100, 60), key=likelihood))


@scaled_distance_exercise.also_right
def by_scipy(shown, asked, classes, other_shown, other_asked):
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    def logs(scale, centres, queries):
        apart = np.sqrt(((queries[:, :, None] - centres[:, None]) ** 2).sum(axis=-1))
        return log_softmax(-np.exp(scale) * apart, axis=-1)

    def surprise(scale):
        return -np.mean([row[range(20), own] for row, own in zip(logs(scale, shown, asked), classes, strict=True)])

    best = minimize(surprise, [1.0], method="Nelder-Mead").x[0]
    return logs(best, other_shown, other_asked)


def _with(scale, support, query, power=1):
    logits = -scale * np.linalg.norm(query[:, :, None] - support[:, None], axis=-1) ** power
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def _scale(case, got):
    """The scale of the unsquared distance that the spread of log-probabilities comes from."""
    apart = np.linalg.norm(case[4][:, :, None] - case[3][:, None], axis=-1)
    return (got.max(-1) - got.min(-1)).mean() / (apart.max(-1) - apart.min(-1)).mean()


@scaled_distance_exercise.mistake(
    "The distances are squared. That is the rival; the exercise asks for the one without the square.",
    shows=lambda case, got: _linear_in_the_square(case, got),
)
def squared(support, query, labels, new_support, new_query):
    return _with(8.0, new_support, new_query, power=2)


def _linear_in_the_square(case, got):
    apart = np.linalg.norm(case[4][:, :, None] - case[3][:, None], axis=-1)
    fits = []
    for power in (1, 2):
        x = (apart**power - (apart**power).mean(-1, keepdims=True)).ravel()
        y = (got - got.mean(-1, keepdims=True)).ravel()
        fits.append(np.corrcoef(x, y)[0, 1] ** 2)
    return fits[1] > 0.999 > fits[0]


@scaled_distance_exercise.mistake(
    "The scale is about 1: nobody has set it. Choose it on the validation tasks.",
    shows=lambda case, got: 0.9 < _scale(case, got) < 1.1,
)
def nobody_set_it(support, query, labels, new_support, new_query):
    return _with(1.0, new_support, new_query)


@scaled_distance_exercise.mistake(
    "The scale is far too large: what is wrong is wrong with conviction. The accuracy does not depend on s; the "
    "log-likelihood does.",
    shows=lambda case, got: _scale(case, got) > 15,
)
def by_accuracy(support, query, labels, new_support, new_query):
    return _with(40.0, new_support, new_query)
