"""In-context learning: least squares in the limit, attention to the support set alone, gradients."""

import keras
import numpy as np
import pytest

import metalearn_lib as ml
from tests.gradients import check_fitted_gradient, cross_entropy, image_tasks, outer_loss, regression_tasks


def small(inputs: int = 1, outputs: int = 1, seed: int = 0) -> ml.InContextLearner:
    keras.utils.set_random_seed(seed)
    learner = ml.InContextLearner(
        ml.networks.mlp(inputs, 8, (8,), activation="tanh"), num_outputs=outputs, width=8, depth=2, heads=2
    )
    loss = "mse" if outputs == 1 else cross_entropy()
    learner.compile(keras.optimizers.SGD(1.0), loss=loss, jit_compile=False)
    return learner


def least_squares(task: dict[str, np.ndarray]) -> np.ndarray:
    """The best estimate of the queries' y without noise: w = X⁺y, for any number of examples."""
    return task["query_x"] @ np.linalg.pinv(task["support_x"].astype(float)) @ task["support_y"]


def test_it_learns_least_squares():
    """On noiseless linear tasks its predictions approach X⁺y as it trains, and it beats the best fixed prediction.

    E[y | X, y₁..y_S] = x·X⁺y for w ~ N(0, I): the posterior mean, so the least error there is.
    """
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Flatten()])
    learner = ml.InContextLearner(model, width=32, depth=2, heads=2)
    learner.compile(keras.optimizers.Adam(3e-3), loss="mse", steps_per_execution=25, jit_compile=False)
    task, _ = ml.tasks.gather_tasks(ml.tasks.linear_regression(2, shots=6, meta_batch_size=100, seed=1), 300)
    ideal = least_squares(task)
    gaps = []
    for steps in (50, 450):
        learner.fit(ml.tasks.linear_regression(2, shots=6, meta_batch_size=32), steps_per_epoch=steps, verbose=0)
        gaps.append(ml.score_predictions(learner.predict(task, batch_size=100), ideal))
    assert (gaps[1] - gaps[0]).high < 0
    # Without context the best prediction is 0, with error E[(w·x)²] = 2; less than an eighth of it is left.
    assert gaps[1].high < 2 / 8


def test_a_context_of_any_size():
    """Half of the tasks show all their examples; the number that the others show is uniform in 1..S, about."""
    learner = small()
    support = np.zeros((4_000, 5, 1), np.float32)
    seen = learner._random_context(support).numpy()
    counts = np.bincount(seen.sum(1), minlength=6) / 4_000
    # A number from 0 to 5 with equal chances in half of the tasks, where 0 becomes 1; four standard errors, 0.03.
    np.testing.assert_allclose(counts, [0, 2 / 12, 1 / 12, 1 / 12, 1 / 12, 7 / 12], atol=0.03)
    # Which examples are shown has nothing to do with their place in the list.
    np.testing.assert_allclose(seen.mean(0), seen.mean(), atol=0.03)


@pytest.mark.parametrize("seen", [[0, 2], [1]])
def test_what_is_hidden_in_training_is_not_there(float64, monkeypatch, seen):
    """The loss of a step is that of the predictions from the examples that it shows."""
    task, query_y = regression_tasks()
    learner = small()
    mask = np.isin(np.arange(4), seen)
    monkeypatch.setattr(learner, "_random_context", lambda support: np.tile(mask, (3, 1)))
    shown = {name: task[name][:, seen] for name in ("support_x", "support_y")} | {"query_x": task["query_x"]}
    loss = learner.fit(task, query_y, batch_size=3, verbose=0).history["loss"][0]
    assert loss == pytest.approx(outer_loss(small(), shown, query_y), rel=1e-5)


def test_a_support_set_is_a_set_and_queries_do_not_touch_each_other(float64):
    for learner, (task, _) in ((small(), regression_tasks()), (small(36, 3), image_tasks())):
        task["support_x"], task["query_x"] = (
            task[name].reshape(*task[name].shape[:2], -1) for name in ("support_x", "query_x")
        )
        predictions = learner.predict(task)
        order = np.random.default_rng(0).permutation(task["support_x"].shape[1])
        shuffled = task | {name: task[name][:, order] for name in ("support_x", "support_y")}
        np.testing.assert_allclose(learner.predict(shuffled), predictions, rtol=1e-9, atol=1e-12)
        alone = learner.predict(task | {"query_x": task["query_x"][:, 1:2]})
        np.testing.assert_allclose(alone, predictions[:, 1:2], rtol=1e-9, atol=1e-12)
        other = learner.predict(task | {"support_y": task["support_y"][:, ::-1]})
        assert np.abs(other - predictions).max() > 1e-3  # it reads the labels


@pytest.mark.parametrize("labels", [False, True])
def test_gradient_against_finite_differences(float64, monkeypatch, labels):
    task, query_y = image_tasks(size=2) if labels else regression_tasks()
    learner = small()
    if labels:
        model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
        learner = ml.InContextLearner(model, num_outputs=3, width=8, depth=2, heads=2)
        learner.compile(keras.optimizers.SGD(1.0), loss=cross_entropy(), jit_compile=False)
    shape = task["support_x"].shape[:2]
    monkeypatch.setattr(learner, "_random_context", lambda support: np.ones(shape, bool))
    check_fitted_gradient(learner, task, query_y)


def test_it_learns_sinusoids():
    """After 500 meta-batches it predicts better from ten points than one network fitted to all tasks."""
    keras.utils.set_random_seed(0)
    learners = {
        "context": ml.InContextLearner(ml.networks.mlp(1, 32, (32,)), width=32, depth=2, heads=2),
        "joint": ml.JointTraining(ml.networks.mlp()),
    }
    for learner in learners.values():
        learner.compile(keras.optimizers.Adam(3e-3), loss="mse", steps_per_execution=25, jit_compile=False)
        learner.fit(ml.tasks.sinusoids(), steps_per_epoch=500, verbose=0)
    scores = ml.compare(learners, ml.tasks.sinusoids(seed=1, meta_batch_size=100), 300)
    assert (scores["context"] - scores["joint"]).high < -0.5


def test_a_saved_learner_continues_as_the_original_would(tmp_path):
    """Predictions, and the random contexts of the next steps, are the same."""
    task, query_y = image_tasks(size=2)
    task = {name: value.astype(np.float32) if value.dtype.kind == "f" else value for name, value in task.items()}
    layers = [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.BatchNormalization()]
    learner = ml.InContextLearner(
        keras.Sequential(layers), num_outputs=3, width=8, depth=1, heads=2, batch_norm="transductive"
    )
    learner.compile("adam", loss=cross_entropy(), jit_compile=False)
    learner.fit(task, query_y, verbose=0)
    learner.save(tmp_path / "in_context.keras")
    loaded = keras.saving.load_model(tmp_path / "in_context.keras")
    assert (loaded.num_outputs, loaded.width, loaded.depth, loaded.heads, loaded.batch_norm) == (
        3,
        8,
        1,
        2,
        "transductive",
    )
    np.testing.assert_array_equal(loaded.predict(task), learner.predict(task))
    losses = [each.fit(task, query_y, shuffle=False, epochs=3, verbose=0).history["loss"] for each in (learner, loaded)]
    assert losses[0] == losses[1]


def test_what_does_not_fit_gets_a_sentence():
    with pytest.raises(ValueError, match=r"^width is 10, expected a multiple of heads, which is 4$"):
        ml.InContextLearner(ml.networks.mlp(), width=10)
    with pytest.raises(ValueError, match=r"^depth is 0, expected a whole number of at least 1$"):
        ml.InContextLearner(ml.networks.mlp(), depth=0)
    learner = ml.InContextLearner(ml.networks.mlp(), num_outputs=2, width=4, depth=1, heads=1)
    learner.compile("adam", loss="mse")
    with pytest.raises(ValueError, match=r"support_y has values of shape \(1,\), expected \(2,\), one per output"):
        learner.fit(ml.tasks.sinusoids(), steps_per_epoch=1, verbose=0)
