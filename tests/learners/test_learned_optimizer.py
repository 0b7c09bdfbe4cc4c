"""The learned optimiser: preprocessing by hand, a second implementation, its gradient, and that it learns."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.learners.learned_optimizer import preprocess
from tests.gradients import cross_entropy, fitted_gradient, image_tasks, regression_tasks


def linear(inputs: int) -> keras.Model:
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(1, use_bias=False)])


def linear_tasks(seed: int = 0, shots: int = 10, queries: int = 10):
    return ml.tasks.linear_regression(3, shots, queries, meta_batch_size=32, seed=seed)


def test_preprocessing_by_hand():
    # ln 1 = 0; ln e⁻³ / 10 = −0.3; e⁻¹² is smaller than e⁻¹⁰, so −1 and e¹⁰ · e⁻¹² = e⁻².
    gradients = tf.constant([1.0, -np.exp(-3), np.exp(-12), 0.0, np.exp(5)], tf.float64)
    expected = [[0, 1], [-0.3, -1], [-1, np.exp(-2)], [-1, 0], [0.5, 1]]
    np.testing.assert_allclose(preprocess(gradients), expected, atol=1e-12)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def unrolled(theta, x, y, phi, steps, rate, constants=None):
    """θ and the gradients of the squared error of x·θ at every step, of one task, in NumPy.

    With `constants` they take the place of the gradients.
    """
    *cells, (w_out, b_out) = phi[:3], phi[3:6], phi[6:]
    units = cells[0][1].shape[0]
    states = [np.zeros((len(theta), units)) for _ in range(4)]
    path, gradients = [], []
    for step in range(steps):
        gradient = 2 * x.T @ (x @ theta - y) / len(x) if constants is None else constants[step]
        large = np.abs(gradient) >= np.exp(-10)
        logarithm = np.where(large, np.log(np.abs(gradient)) / 10, -1)
        signal = np.concatenate([logarithm, np.where(large, np.sign(gradient), np.exp(10) * gradient)], axis=1)
        for layer, (kernel, recurrent, bias) in enumerate(cells):
            h, c = states[2 * layer : 2 * layer + 2]
            i, f, g, o = np.split(signal @ kernel + h @ recurrent + bias, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            signal = sigmoid(o) * np.tanh(c)
            states[2 * layer : 2 * layer + 2] = signal, c
        theta = theta + rate * (signal @ w_out + b_out)
        path.append(theta)
        gradients.append(gradient)
    return path, gradients


def test_updates_and_gradient_agree_with_numpy(float64):
    """The gradient against finite differences of a loss in which the gradients the LSTM sees are held constant."""
    task, query_y = ml.tasks.gather_tasks(linear_tasks(), 3)
    task, query_y = {name: value.astype(float) for name, value in task.items()}, query_y.astype(float)
    learner = ml.LearnedOptimizer(linear(3), inner_lr=0.3, inner_steps=4, units=5)
    learner.compile(keras.optimizers.SGD(1.0), loss="mse")
    theta = learner.model.trainable_variables[0].numpy()
    phi = [v.numpy() for v in learner.trainable_variables]
    tasks = list(zip(*task.values(), query_y, strict=True))
    constants = [unrolled(theta, x, y, phi, 4, 0.3) for x, y, _, _ in tasks]
    predictions = [query_x @ path[-1] for (_, _, query_x, _), (path, _) in zip(tasks, constants, strict=True)]
    np.testing.assert_allclose(learner.predict(task), predictions, rtol=1e-10)

    def loss(phi: list[np.ndarray]) -> float:
        losses = []
        for (x, y, query_x, query_y), (_, gradients) in zip(tasks, constants, strict=True):
            path, _ = unrolled(theta, x, y, phi, 4, 0.3, gradients)
            losses.append(sum(((query_x @ theta - query_y) ** 2).mean() for theta in path))
        return np.mean(losses)

    gradient = fitted_gradient(learner, task, query_y)
    size = np.sqrt(sum((g**2).sum() for g in gradient))
    rng = np.random.default_rng(1)
    for _ in range(3):
        direction = [rng.normal(size=g.shape) for g in gradient]
        along = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True))
        above, below = (loss([p + s * d for p, d in zip(phi, direction, strict=True)]) for s in (1e-5, -1e-5))
        assert abs(along - (above - below) / 2e-5) < 1e-6 * size


def test_permuted_units_are_updated_alike(float64):
    """Coordinate by coordinate: the update of a permuted network is the permuted update."""
    task, _ = regression_tasks(tasks=1)
    order = [2, 0, 3, 1]
    model = ml.networks.mlp(1, 1, (4,), activation="tanh")
    permuted = keras.models.clone_model(model)
    kernel, bias, out, last = model.get_weights()
    permuted.set_weights([kernel[:, order], bias[order], out[order], last])
    learners = [ml.LearnedOptimizer(m, inner_steps=3, units=4) for m in (model, permuted)]
    learners[1].rule.set_weights(learners[0].rule.get_weights())
    adapted = []
    for learner in learners:
        learner.compile(loss="mse")
        support_x, support_y = (tf.constant(task[name]) for name in ("support_x", "support_y"))
        start = [w[0] for w in learner._start(support_x, support_y)]
        adapted.append([w.numpy() for w in learner.adapt(start, support_x[0], support_y[0])[:4]])
    kernel, bias, out, last = adapted[0]
    for ours, theirs in zip(adapted[1], [kernel[:, order], bias[order], out[order], last], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert np.abs(kernel - model.get_weights()[0]).min() > 1e-6


def test_it_learns_to_optimise():
    """After as many steps as it was trained for, its error is below that of gradient descent at every rate, too
    small to too large."""
    keras.utils.set_random_seed(0)
    learner = ml.LearnedOptimizer(linear(3), inner_steps=5, units=10)
    start = learner.model.get_weights()
    learner.compile(keras.optimizers.Adam(0.01), loss="mse", steps_per_execution=50)
    learner.fit(linear_tasks(), steps_per_epoch=500, verbose=0)
    np.testing.assert_array_equal(learner.model.get_weights(), start)  # the start is not learned
    learners = {"learned": learner}
    for rate in (0.1, 0.2, 0.25, 0.3, 0.35):
        learners[rate] = ml.FromScratch(learner.model, inner_lr=rate, inner_steps=5)
        learners[rate].compile(loss="mse", jit_compile=False)
    tasks = ml.tasks.gather_tasks(linear_tasks(seed=1), 600)
    scores = ml.compare(learners, tasks)
    for rate in list(learners)[1:]:
        assert (scores["learned"] - scores[rate]).high < 0
    curve = ml.adaptation_curve(learner, tasks, steps=5)
    np.testing.assert_allclose(curve[5].values, scores["learned"].values, rtol=1e-3, atol=1e-6)
    assert all((after - before).high < 0 for before, after in itertools.pairwise(curve))


@pytest.mark.parametrize("settings", [{}, {"batch_norm": "running"}])
def test_images_with_batch_normalisation(settings):
    """Labels, statistics and the head alone, as in every learner of this kind."""
    task, query_y = image_tasks()
    layers = [keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(3)]
    learner = ml.LearnedOptimizer(
        keras.Sequential([keras.Input((6, 6, 1)), *layers]), inner_steps=2, units=3, **settings
    )
    learner.compile("adam", loss=cross_entropy(), metrics=["accuracy"])
    assert np.isfinite(learner.fit(task, query_y, verbose=0).history["loss"]).all()
    assert learner.predict(task).shape == (2, 6, 3)


@pytest.mark.parametrize("name", ["inner_steps", "units"])
def test_what_does_not_fit_is_refused(name):
    with pytest.raises(ValueError, match=rf"^{name} is 0, expected a whole number of at least 1$"):
        ml.LearnedOptimizer(linear(3), **{name: 0})
