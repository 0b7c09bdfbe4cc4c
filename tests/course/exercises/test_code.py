"""Chapter 5: answers proved in another way, and mistakes as somebody else would write them."""

import numpy as np
import pytest

import metalearn_lib as ml
from metalearn_course.exercises.chapters.code import chapter
from metalearn_course.exercises.engine import running


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 60.0)


def test_the_rates_by_running_the_loop() -> None:
    rate, used = 0.01, []
    for i in range(10):
        used.append(rate)
        rate = 0.01 * (0.9**i)
    assert chapter.decayed_rates.check([used[0], used[1], used[2], used[9]]).kind == "pass"


def test_the_reshaped_row_by_reshaping() -> None:
    data = np.array([[f"{kind} {person}" for person in range(1, 101)] for kind in ("height", "weight")])
    assert data.reshape(100, 2)[0].tolist() == ["height 1", "height 2"]
    assert "heights of the first two" in chapter.fixed_shape.prompt and chapter.fixed_shape.answer() == "b"


@pytest.mark.parametrize(("exercise", "name"), [(chapter.reptile_step, "Reptile"), (chapter.maml_step, "MAML")])
def test_the_outer_step_is_that_of_the_library_s_learner(exercise, name: str) -> None:
    """With plain gradient descent outside, of rate ε or β, the weights of the learner's model move as θ does."""
    import keras

    arguments = exercise.cases(seed=5)[1]
    theta, *examples = (np.float32(a) for a in arguments[:-3])
    support_x, support_y, query_x, query_y = examples if len(examples) == 4 else examples * 2
    rate, steps, outer_rate = arguments[-3:]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([theta[:, None]])
    learner = getattr(ml.learners, name)(model, inner_lr=rate, inner_steps=steps)
    learner.compile(keras.optimizers.SGD(outer_rate), loss="mse", jit_compile=False)
    task = {"support_x": support_x, "support_y": support_y[..., None], "query_x": query_x}
    learner.train_on_batch(task, query_y[..., None])
    np.testing.assert_allclose(model.get_weights()[0][:, 0], exercise.answer(*arguments), rtol=1e-4)


def numeric_gradient(f, at):
    return np.array([(f(at + 1e-5 * e) - f(at - 1e-5 * e)) / 2e-5 for e in np.eye(len(at))])


def walked(start, x, y, rate, steps, one_more=0):
    for _ in range(steps + one_more):
        start = start - rate * numeric_gradient(lambda w: np.mean((x @ w - y) ** 2), start)
    return start


def reptile(outer, steps_of=lambda steps: steps):
    def step(theta, x, y, alpha, steps, epsilon):
        ends = np.array([walked(theta, a, b, alpha, steps_of(steps)) for a, b in zip(x, y, strict=True)])
        return outer(theta, ends, epsilon)

    return step


def walking_on(theta, x, y, alpha, steps, epsilon):
    w = theta.copy()
    for a, b in zip(x, y, strict=True):
        end = w
        for _ in range(steps):
            end -= alpha * 2 * a.T @ (a @ end - b) / len(b)
    return w


def fomaml(theta, x, y, alpha, steps, epsilon):
    ends = [walked(theta, a, b, alpha, steps) for a, b in zip(x, y, strict=True)]
    further = [walked(w, a, b, 1.0, 1) for w, a, b in zip(ends, x, y, strict=True)]
    return theta + epsilon * np.mean(np.subtract(further, ends), axis=0)


def maml(start_of, loss_after):
    def step(theta, sx, sy, qx, qy, alpha, steps, beta):
        gradients = []
        for x, y, new_x, new_y in zip(sx, sy, qx, qy, strict=True):
            at, shift = start_of(theta, x, y, alpha, steps)
            gradients.append(numeric_gradient(lambda w, d=(x, y, new_x, new_y, shift): loss_after(w, d), at))
        return theta - beta * np.mean(gradients, axis=0)

    return step


first_order = maml(
    lambda theta, x, y, alpha, steps: (walked(theta, x, y, alpha, steps), None),
    lambda w, data: np.mean((data[2] @ w - data[3]) ** 2),
)
joint = maml(lambda theta, *_: (theta, None), lambda w, data: np.mean((data[2] @ w - data[3]) ** 2))
on_support = maml(
    lambda theta, x, y, alpha, steps: (theta, (alpha, steps)),
    lambda w, data: np.mean((data[0] @ walked(w, data[0], data[1], *data[4]) - data[1]) ** 2),
)
last_step_only = maml(
    lambda theta, x, y, alpha, steps: (walked(theta, x, y, alpha, steps - 1), alpha),
    lambda w, data: np.mean((data[2] @ walked(w, data[0], data[1], data[4], 1) - data[3]) ** 2),
)


def eye_with_noise(accuracy):
    logits = 9 * np.eye(4) + np.random.default_rng(1).random((4, 4))
    return accuracy(logits, np.arange(4)) < 1


def higher_after(report):
    before, after = report(1.0, lambda t, d: 0.5 * t, lambda t, d: t + d, 0.0, 0.0)
    return (before, after) != (1.0, 0.5)


def two_tests_one_epoch(report):
    validation = np.tile(np.linspace(0.70, 0.705, 9)[:, None], 5)
    rng = np.random.default_rng(3)
    return len({int(report(validation, rng.random((9, 5)))[0]) for _ in range(9)}) > 1


def shuffled(classify):
    rng = np.random.default_rng(2)
    x, y, q, order = rng.random((6, 3)), np.arange(6) % 2, rng.random((7, 3)), rng.permutation(7)
    return not np.allclose(classify(x, y, q)[order], classify(x, y, q[order]))


FOREIGN = [
    (chapter.decayed_rates, np.multiply(0.01, [1, 0.9, 0.81, 0.9**9]), "set before training"),
    (
        chapter.reptile_step,
        reptile(lambda theta, ends, epsilon: theta + epsilon * (theta - ends.mean(0))),
        "wrong_sign",
    ),
    (chapter.reptile_step, reptile(lambda theta, ends, epsilon: ends.mean(0)), "no_outer_rate"),
    (
        chapter.reptile_step,
        reptile(lambda theta, ends, epsilon: theta + epsilon * sum(end - theta for end in ends)),
        "sum_over_tasks",
    ),
    (
        chapter.reptile_step,
        reptile(lambda t, ends, epsilon: (1 - epsilon) * t + epsilon * ends.mean(0), lambda _: 1),
        "one_inner_step",
    ),
    (chapter.reptile_step, walking_on, "in_place"),
    (chapter.reptile_step, fomaml, "gradient_at_the_end"),
    (chapter.maml_step, first_order, "detached"),
    (chapter.maml_step, joint, "query_gradient_at_the_start"),
    (chapter.maml_step, on_support, "support_as_query"),
    (chapter.maml_step, last_step_only, "one_factor"),
    (chapter.wrong_axis, eye_with_noise, "on_the_diagonal"),
    (chapter.unfair, higher_after, "same_data"),
    (chapter.peeks, two_tests_one_epoch, "epoch_only"),
    (chapter.transductive, shuffled, "other_order"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), FOREIGN)
def test_it_is_recognised(exercise, answer, mistake: str) -> None:
    verdict = exercise.check(answer)
    assert verdict.mistake == mistake, verdict
