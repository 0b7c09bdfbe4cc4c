"""A task embedding that recalls better, and a memory that is filled and used."""

# Answers as learners write them: Keras's stubs know less than Keras takes.
# pyright: reportArgumentType=false

import numpy as np

import metalearn_lib as ml
from metalearn_course.exercises.engine import Training
from metalearn_course.exercises.engine.hidden_tasks import seed_from, sinusoids
from metalearn_course.exercises.engine.lazy import keras
from metalearn_course.exercises.engine.probes import FOR_VALUES, SUPPORT_UNUSED, SURVIVING, TRANSDUCTION

GRID = np.linspace(-5, 5, 51)


def _curves(rng, tasks, noise):
    """Ten noisy points of each sinusoid, and the whole of it on the grid."""
    amplitude, phase = rng.uniform(0.5, 5, (tasks, 1)), rng.uniform(0, np.pi, (tasks, 1))
    x = rng.uniform(-5, 5, (tasks, 10))
    y = amplitude * np.sin(x - phase) + noise * rng.normal(size=x.shape)
    return x, y, amplitude * np.sin(GRID - phase)


def _draw(rng):
    old_x, old_y, old_curves = _curves(rng, 300, 0.5)
    new_x, new_y, new_curves = _curves(rng, 200, 0.5)
    return (old_x, old_y, new_x, new_y), (old_curves, new_curves)


def _apart(chosen, hidden):
    """The mean squared difference of the recalled curve and the new one, for each new task."""
    old, new = hidden
    if chosen.shape != (len(new),) or not np.isin(chosen, np.arange(len(old))).all():
        raise ValueError(f"expected {len(new)} whole numbers from 0 to {len(old) - 1}, one for each new task")
    return ml.Score(((old[chosen.astype(int)] - new) ** 2).mean(axis=1), "mean squared difference of the curves")


better_recall_exercise = Training(
    "A recall that is better",
    r"""
    A memory holds 300 sinusoids, each known from ten *noisy* points (a standard deviation of 0.5). For each new task,
    ten noisy points too, give the number of the entry to recall. What counts is how far the recalled curve is from
    the new one, both without noise: the mean squared difference, wanted below 1. An entry at random has about 7;
    comparing by mean and spread of the targets does not get there. Represent each task by a vector in which near means
    alike: for example a curve on a grid of x, fitted to the ten points by ridge regression with a Gaussian kernel. Its
    length and its penalty are yours to choose.
    """,
    draw=_draw,
    bar=1.0,
    trained=False,
    measure=_apart,
    hints=(
        "With $k(a, b) = e^{-(a - b)^2 / 2\\ell^2}$ the curve on the grid g is $k(g, X)(k(X, X) + \\lambda I)^{-1} y$. "
        "Two tasks are as near as their curves.",
        "Sinusoids bend slowly, and the points are noisy: ℓ = 2 and λ = 0.1 are a good beginning. Compare on 51 places "
        "from −5 to 5.",
    ),
)


@better_recall_exercise.reference(
    "A recall is as good as what its distance sees. The smoother knows two things of the family, how fast curves bend "
    "and how noisy points are; a distance of raw points knows neither."
)
def better_recall(old_x, old_y, new_x, new_y):
    """The number of the entry to recall for each new task [N], from points [M, 10] and [N, 10]."""
    grid = np.linspace(-5, 5, 51)

    def embed(x, y, length=2.0, penalty=0.1):
        near = np.exp(-((x[:, :, None] - x[:, None]) ** 2) / (2 * length**2))
        across = np.exp(-((grid[:, None] - x[:, None]) ** 2) / (2 * length**2))
        weights = np.linalg.solve(near + penalty * np.eye(x.shape[1]), y[:, :, None])
        return (across @ weights)[:, :, 0]

    old, new = embed(old_x, old_y), embed(new_x, new_y)
    return ((new[:, None] - old) ** 2).sum(-1).argmin(1)


@better_recall_exercise.also_right
def by_two_coefficients(xs, ys, others, targets):
    def fit(x, y):
        waves = np.stack([np.sin(x), np.cos(x)], axis=-1)
        return np.stack([np.linalg.lstsq(w, t, rcond=None)[0] for w, t in zip(waves, y, strict=True)])

    known = fit(xs, ys)
    return np.array([np.linalg.norm(known - own, axis=1).argmin() for own in fit(others, targets)])


@better_recall_exercise.mistake(
    "These are the entries whose list of targets is nearest, number by number. But the points lie at other places x: "
    "the third target of one task has nothing to do with the third of another.",
    shows=lambda case, got: np.mean(got == number_by_number(*case)) > 0.99,
)
def number_by_number(old_x, old_y, new_x, new_y):
    return ((new_y[:, None] - old_y) ** 2).sum(-1).argmin(1)


@better_recall_exercise.mistake(
    "These are the entries that are *farthest*: is it `argmax` where `argmin` is meant, or a similarity taken for a "
    "distance?",
    shows=lambda case, got: _apart(got, case.hidden).mean > 9.5,
)
def farthest(old_x, old_y, new_x, new_y):
    curves = better_recall(old_x, old_y, new_x, new_y)
    return better_recall(old_x, old_y, new_x, -new_y) if len(curves) else curves


@better_recall_exercise.mistake(
    "Nearest are those with a like amplitude: mean and spread of the targets say how high a curve goes, and not where.",
    shows=lambda case, got: np.mean(got == by_mean_and_spread(*case)) > 0.99,
)
def by_mean_and_spread(old_x, old_y, new_x, new_y):
    def embed(y):
        return np.stack([y.mean(1), y.std(1)], axis=1)

    return ((embed(new_y)[:, None] - embed(old_y)) ** 2).sum(-1).argmin(1)


@better_recall_exercise.mistake(
    "It is about as good as an entry at random. What is compared says nothing of the curve, or the numbers are those "
    "of the new tasks.",
    shows=lambda case, got: 5 < _apart(got, case.hidden).mean <= 9.5,
)
def at_random(old_x, old_y, new_x, new_y):
    return np.arange(len(new_x)) % len(old_x)


def _draw_memory(rng):
    new, query_y = sinusoids(rng)
    return (new, seed_from(rng) % 1000), query_y


filled_memory_exercise = Training(
    "Fill a memory, and use it",
    """
    Build the article's learner: `ml.SequentialLearner` around a small network, which learns tasks one after the other,
    stores each, and starts a new one from what it recalls. Let it learn sinusoids of `ml.tasks.sinusoids(shots=40,
    queries=10, seed=stream)`, a few hundred of them, and predict the queries of `new`, of which it sees ten examples
    each. Wanted: a mean squared error below 0.7. It takes some seconds.
    """,
    draw=_draw_memory,
    bar=0.7,
    probes=FOR_VALUES,
    hints=(
        '`compile(loss="mse")`, then `fit(tasks.take(30), verbose=0)` with 10 tasks in each meta-batch. An entry is '
        "worth "
        "what it has learned: thousands of steps, not fifty.",
        "One hidden layer of 40 tanh units, `inner_lr=0.03`, `inner_steps=5000`. For the new tasks a second learner "
        "with `memory=first.memory`, the same network, `inner_lr=0.01` and about fifty steps.",
    ),
)


@filled_memory_exercise.reference(
    "The memory gives each new task a start that has learned something like it, and a few careful steps do the rest. "
    "What a memory is worth depends on how well its entries were learned."
)
def filled_memory(new, stream, seed):
    """Predictions [T, Q, 1] for `new`, by a learner whose memory is filled from the stream with this seed."""
    import keras

    keras.utils.set_random_seed(seed)
    network = ml.networks.mlp(hidden=(40,), activation="tanh")
    first = ml.SequentialLearner(network, inner_lr=0.03, inner_steps=5000)
    first.compile(loss="mse")
    tasks = ml.tasks.sinusoids(shots=40, queries=10, meta_batch_size=100, seed=stream)
    first.fit(tasks.take(4), verbose=0)
    careful = ml.SequentialLearner(network, memory=first.memory, inner_lr=0.01, inner_steps=50)
    careful.compile(loss="mse")
    return careful.predict(new, verbose=0)


@filled_memory_exercise.also_right
def with_more_tasks(tasks, number, weights):
    keras.utils.set_random_seed(weights)
    network = ml.networks.mlp(hidden=(60,), activation="tanh")
    one = ml.SequentialLearner(network, inner_lr=0.03, inner_steps=3000)
    one.compile(loss="mse")
    one.fit(ml.tasks.sinusoids(40, 10, 200, number).take(4), verbose=0)
    other = ml.SequentialLearner(network, memory=one.memory, inner_lr=0.01, inner_steps=20)
    other.compile(loss="mse")
    return other.predict(tasks, verbose=0)


@filled_memory_exercise.mistake(
    "The error is that of a learner which recalls nothing: is the memory empty, or another one than the one that was "
    "filled? `learner.memory` is the memory of `learner`.",
    shows=lambda case, got: filled_memory_exercise.score_of(case, got).mean > 3.5,
)
def empty_memory(new, stream, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.SequentialLearner(ml.networks.mlp(hidden=(40,), activation="tanh"), inner_lr=0.01, inner_steps=50)
    learner.compile(loss="mse")
    return learner.predict(new, verbose=0)


@filled_memory_exercise.mistake(
    "It recalls, and what it recalls has hardly been learned: the error is between that of an empty memory and a good "
    "one. Learn each task longer, and learn more of them.",
    shows=lambda case, got: 0.9 < filled_memory_exercise.score_of(case, got).mean <= 3.5,
)
def half_learned(new, stream, seed):
    keras.utils.set_random_seed(seed)
    network = ml.networks.mlp(hidden=(40,), activation="tanh")
    first = ml.SequentialLearner(network, inner_lr=0.01, inner_steps=100)
    first.compile(loss="mse")
    first.fit(ml.tasks.sinusoids(shots=40, queries=10, meta_batch_size=100, seed=stream).take(2), verbose=0)
    careful = ml.SequentialLearner(network, memory=first.memory, inner_lr=0.01, inner_steps=20)
    careful.compile(loss="mse")
    return careful.predict(new, verbose=0)


@filled_memory_exercise.mutant(SURVIVING)
def learns_while_it_is_tested(new, stream, seed):
    keras.utils.set_random_seed(seed)
    learner = ml.SequentialLearner(ml.networks.mlp(hidden=(40,), activation="tanh"), inner_lr=0.03, inner_steps=500)
    learner.compile(loss="mse")
    predictions = []
    for i in range(len(new["support_x"])):
        one = {key: array[i : i + 1] for key, array in new.items()}
        predictions.append(learner.predict_on_batch(one)[0])
        learner.fit(one, np.zeros_like(one["query_x"]), verbose=0)
    return np.array(predictions)


@filled_memory_exercise.mutant(SUPPORT_UNUSED)
def always_the_first_entry(new, stream, seed):
    keras.utils.set_random_seed(seed)
    network = ml.networks.mlp(hidden=(40,), activation="tanh")
    first = ml.SequentialLearner(network, inner_lr=0.03, inner_steps=500)
    first.compile(loss="mse")
    first.fit(ml.tasks.sinusoids(shots=40, queries=10, seed=stream).take(1), verbose=0)
    queries = new["query_x"].reshape(-1, 1)
    return network.stateless_call(first.memory[0].weights, [], queries)[0].numpy().reshape(new["query_x"].shape)


@filled_memory_exercise.mutant(TRANSDUCTION)
def ranked_among_the_queries(new, stream, seed):
    predictions = filled_memory(new, stream, seed)
    return predictions - predictions.mean(axis=1, keepdims=True)
