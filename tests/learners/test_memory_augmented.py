"""The memory-augmented network: held against loops in NumPy, its addressing by hand, gradients."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml
from metalearn_lib.learners.memory_augmented import MemoryCell
from tests.gradients import check_fitted_gradient, cross_entropy, image_tasks, regression_tasks


def small(labels: bool = False) -> ml.MemoryAugmentedNetwork:
    """A network for the tasks of `tasks(labels)`, with fewer slots than it writes."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((2, 2, 1) if labels else (1,)), keras.layers.Flatten(), keras.layers.Dense(3)]
    outputs, loss = (3, cross_entropy()) if labels else (1, "mse")
    learner = ml.MemoryAugmentedNetwork(
        keras.Sequential(layers), num_outputs=outputs, units=6, slots=5, width=4, reads=2, decay=0.8
    )
    learner.compile(keras.optimizers.SGD(1.0), loss=loss, jit_compile=False)
    for variable in learner.read_in.cell.trainable_variables:  # far from the small weights that it starts with
        variable.assign(1.5 * variable + 0.1)
    return learner


def tasks(labels: bool):
    return image_tasks(size=2) if labels else regression_tasks()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def in_loops(learner, task, order, outputs):
    """The predictions of the queries, by the paper's equations, one task, step, head and slot after another."""
    cell, embed = learner.read_in.cell, lambda x: learner.model(x[None]).numpy()[0]
    kernel, recurrent, bias = (v.numpy() for v in cell.controller.trainable_variables)
    dense = {name: [v.numpy() for v in getattr(cell, name).trainable_variables] for name in ("key", "strength", "gate")}
    answer, answer_bias = (v.numpy() for v in learner.answer.trainable_variables)

    def step(x, y_before, state):
        h, c, r, memory, usage, read_weights = (np.copy(s) for s in state)
        z = np.concatenate([x, y_before, r]) @ kernel + h @ recurrent + bias
        i, f, g, o = np.split(z, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        keys = np.tanh(h @ dense["key"][0] + dense["key"][1]).reshape(cell.reads, cell.width)
        strengths = 1 + np.log1p(np.exp(h @ dense["strength"][0] + dense["strength"][1]))
        gates = sigmoid(h @ dense["gate"][0] + dense["gate"][1])
        least_used = sorted(range(cell.slots), key=lambda slot: usage[slot])[: cell.reads]
        usage = cell.decay * usage
        for slot in range(cell.slots):
            if slot in least_used:
                memory[slot] = 0
            for head in range(cell.reads):
                weight = gates[head] * read_weights[head, slot] + (1 - gates[head]) * (slot in least_used)
                memory[slot] += weight * keys[head]
                usage[slot] += weight
        read = []
        for head in range(cell.reads):
            cosines = [m @ keys[head] / np.sqrt((m @ m + 1e-6) * (keys[head] @ keys[head] + 1e-6)) for m in memory]
            read_weights[head] = np.exp(strengths[head] * np.array(cosines))
            read_weights[head] /= read_weights[head].sum()
            read.append(read_weights[head] @ memory)
        usage += read_weights.sum(0)
        return h, c, np.concatenate(read), memory, usage, read_weights

    predictions = []
    for number, one_order in enumerate(order):
        state = [np.zeros(size) for size in cell.state_size]
        y_before = np.zeros(outputs)
        for i in one_order:
            state = step(embed(task["support_x"][number, i]), y_before, state)
            y = task["support_y"][number, i]
            y_before = np.eye(outputs)[y] if task["support_y"].dtype.kind == "i" else y
        after = [step(embed(x), y_before, state) for x in task["query_x"][number]]
        predictions.append([np.concatenate([h, r]) @ answer + answer_bias for h, _, r, *_ in after])
    return np.array(predictions)


@pytest.mark.parametrize("labels", [False, True])
def test_it_is_the_published_recurrence(float64, labels):
    task, _ = tasks(labels)
    learner = small(labels)
    order = learner._order(tf.constant(task["support_x"]), training=False).numpy()
    expected = in_loops(learner, task, order, 3 if labels else 1)
    np.testing.assert_allclose(learner.predict(task), expected, rtol=1e-9, atol=1e-12)


def test_writing_to_the_least_or_the_most_recently_used_slot(float64):
    """Three slots, one head, keys k₁..k₄ and gates by hand.

    With the gate shut, σ(α) = 0, a key goes to the slot used least. With a great strength each read finds the key
    that was just written, and adds 1 to the usage of its slot. So after steps 1 to 3 the usages are 2γ², 2γ and 2,
    and step 4 erases and takes the first slot. With the gate open, σ(α) = 1, a key is added to the slot just read.
    """
    keys = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    k = np.tanh(keys)
    for gates, expected in (([0, 0, 0, 0], [k[3], k[1], k[2]]), ([0, 1], [k[0] + k[1], 0 * k[0], 0 * k[0]])):
        cell = MemoryCell(inputs=2, units=2, slots=3, width=2, reads=1, decay=0.9)
        cell.controller = lambda inputs, state: (inputs[:, :2], state)
        cell.key.set_weights([np.eye(2), np.zeros(2)])
        cell.strength.set_weights([np.zeros((2, 1)), np.array([1e4])])
        states = cell.get_initial_state(1)
        for key, gate in zip(keys[: len(gates)], gates, strict=True):
            cell.gate.set_weights([np.zeros((2, 1)), np.array([80.0 * gate - 40.0])])
            _, states = cell(tf.constant(key[None]), states)
        np.testing.assert_allclose(states[3][0], expected, atol=1e-10)
        if len(gates) == 4:  # 2 at the step that writes a slot, times γ at each step after it
            np.testing.assert_allclose(states[4][0], [2 + 2 * 0.9**3, 2 * 0.9**2, 2 * 0.9], rtol=1e-6)


@pytest.mark.parametrize("labels", [False, True])
def test_the_listing_does_not_matter_and_queries_do_not_touch_each_other(float64, labels):
    task, _ = tasks(labels)
    learner = small(labels)
    predictions = learner.predict(task)
    order = np.random.default_rng(0).permutation(task["support_x"].shape[1])
    listed = task | {name: task[name][:, order] for name in ("support_x", "support_y")}
    np.testing.assert_allclose(learner.predict(listed), predictions, rtol=1e-9, atol=1e-12)
    alone = learner.predict(task | {"query_x": task["query_x"][:, 1:2]})
    np.testing.assert_allclose(alone, predictions[:, 1:2], rtol=1e-9, atol=1e-12)
    other = learner.predict(task | {"support_y": task["support_y"][:, ::-1]})
    assert np.abs(other - predictions).max() > 1e-3  # it reads the labels


def test_training_reads_in_every_order():
    """Each of the six orders of three examples, as often as the others."""
    orders = small()._order(tf.zeros((6_000, 3, 1)), training=True).numpy()
    for order in itertools.permutations(range(3)):
        # The standard error of a share of 1/6 in 6,000 is 0.0048; four of them.
        assert (orders == order).all(1).mean() == pytest.approx(1 / 6, abs=0.02)


@pytest.mark.parametrize("labels", [False, True])
def test_gradient_against_finite_differences(float64, monkeypatch, labels):
    task, query_y = tasks(labels)
    learner = small(labels)
    order = learner._order
    monkeypatch.setattr(learner, "_order", lambda support_x, training: order(support_x, False))
    check_fitted_gradient(learner, task, query_y)


def test_it_learns():
    """After 300 meta-batches it separates two classes from ten points far better than one network for all tasks."""
    keras.utils.set_random_seed(0)
    network = ml.MemoryAugmentedNetwork(
        ml.networks.mlp(2, 32, (32,)), num_outputs=2, units=32, slots=16, width=16, reads=2
    )
    learners = {"memory": network, "joint": ml.JointTraining(ml.networks.mlp(2, 2))}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for learner in learners.values():
        learner.compile(keras.optimizers.Adam(3e-3), loss=loss, steps_per_execution=25, jit_compile=False)
        learner.fit(ml.tasks.linear_classification(), steps_per_epoch=300, verbose=0)
    scores = ml.compare(learners, ml.tasks.linear_classification(seed=1, meta_batch_size=100), 300)
    assert (scores["memory"] - scores["joint"]).low > 0.15


def test_a_saved_learner_continues_as_the_original_would(tmp_path):
    """Predictions, and the random orders of the next steps, are the same."""
    task, query_y = image_tasks(size=2)
    task = {name: value.astype(np.float32) if value.dtype.kind == "f" else value for name, value in task.items()}
    layers = [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.BatchNormalization()]
    learner = ml.MemoryAugmentedNetwork(
        keras.Sequential(layers),
        num_outputs=3,
        units=6,
        slots=5,
        width=4,
        reads=2,
        decay=0.9,
        batch_norm="transductive",
    )
    learner.compile("adam", loss=cross_entropy(), jit_compile=False)
    learner.fit(task, query_y, verbose=0)
    learner.save(tmp_path / "memory_augmented.keras")
    loaded = keras.saving.load_model(tmp_path / "memory_augmented.keras")
    names = ("num_outputs", "units", "slots", "width", "reads", "decay", "batch_norm")
    assert [getattr(loaded, name) for name in names] == [3, 6, 5, 4, 2, 0.9, "transductive"]
    np.testing.assert_array_equal(loaded.predict(task), learner.predict(task))
    losses = [each.fit(task, query_y, shuffle=False, epochs=3, verbose=0).history["loss"] for each in (learner, loaded)]
    assert losses[0] == losses[1]


def test_what_does_not_fit_gets_a_sentence():
    with pytest.raises(ValueError, match=r"^reads is 4, expected at most 3, the number of slots$"):
        ml.MemoryAugmentedNetwork(ml.networks.mlp(), slots=3)
    with pytest.raises(ValueError, match=r"^decay is 2, expected a number between 0 and 1$"):
        ml.MemoryAugmentedNetwork(ml.networks.mlp(), decay=2)
    with pytest.raises(ValueError, match=r"^units is 0, expected a whole number of at least 1$"):
        ml.MemoryAugmentedNetwork(ml.networks.mlp(), units=0)
