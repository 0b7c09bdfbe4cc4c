"""Sixteen learners as public code writes them, right and wrong, on linear regression or two classes in the plane."""

import keras
import numpy as np
import tensorflow as tf

import metalearn_lib as ml
from tests.auditing.subjects import compiled

INNER_LR = 0.1


def forward(weights, x):
    w1, b1, w2, b2 = weights
    return tf.nn.tanh(x @ w1 + b1) @ w2 + b2


def squared_error(y, predictions):
    return tf.reduce_mean((predictions - y) ** 2)


def blobs(num_tasks: int, seed: int = 0):
    """Two classes in the plane, each around a place of its own: here the nearest mean is right."""
    rng = np.random.default_rng(seed)
    y = rng.permuted(np.tile(np.repeat([0, 1], 8), (num_tasks, 1)), axis=1).astype(np.int32)
    centers = rng.normal(size=(num_tasks, 2, 2))
    x = np.take_along_axis(centers, y[..., None], 1) + rng.normal(size=(*y.shape, 2))
    return ml.tasks.support_and_queries(x.astype(np.float32), y, 8)


class Maml(keras.Model):
    """All tasks of a meta-batch, one after another, as tutorials do; `detached` is first order and does not say so."""

    def __init__(self, detached: bool = False) -> None:
        super().__init__()
        shapes = ((4, 8), (8,), (8, 1), (1,))
        self.meta = [self.add_weight(shape=shape, initializer="glorot_normal") for shape in shapes[::2]]
        self.biases = [self.add_weight(shape=shape, initializer="zeros") for shape in shapes[1::2]]
        self.detached = detached

    def start(self):
        return [tf.convert_to_tensor(v) for v in (self.meta[0], self.biases[0], self.meta[1], self.biases[1])]

    def adapt(self, x, y):
        weights = self.start()
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = squared_error(y, forward(weights, x))
        gradients = tape.gradient(loss, weights)
        if self.detached:
            gradients = [tf.stop_gradient(g) for g in gradients]
        return [w - INNER_LR * g for w, g in zip(weights, gradients, strict=True)]

    def call(self, task):
        x, y, query_x = task["support_x"], task["support_y"], task["query_x"]
        return tf.map_fn(
            lambda t: forward(self.adapt(t[0], t[1]), t[2]), (x, y, query_x), fn_output_signature=tf.float32
        )


class MamlWithOwnStep(Maml):
    """The loop of Keras's guides: `fit` calls it, and nothing declares an order."""

    def __init__(self, detached: bool = False) -> None:
        super().__init__()
        self.detached_in_training = detached

    def train_step(self, data):
        task, query_y = data
        self.detached = self.detached_in_training
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(task) - query_y) ** 2)
        self.detached = False
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def custom_loop(optimizer, detached: bool = False, detached_in_loop: bool = False):
    """An uncompiled model, and the step of the loop that trains it."""
    keras.utils.set_random_seed(0)
    learner = Maml(detached)

    @tf.function
    def step(task, query_y):
        with tf.GradientTape() as tape:
            learner.detached = detached or detached_in_loop
            loss = tf.reduce_sum((learner(task) - query_y) ** 2)
            learner.detached = detached
        gradients = tape.gradient(loss, learner.trainable_variables)
        optimizer.apply_gradients(zip(gradients, learner.trainable_variables, strict=True))

    return learner, step


def in_place(resets: bool):
    """A function that adapts a Keras network in place, task by task, and sets it back, or never does."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])

    @tf.function
    def adapt(x, y):
        for _ in range(5):
            with tf.GradientTape() as tape:
                loss = squared_error(y, model(x))
            gradients = tape.gradient(loss, model.trainable_variables)
            for variable, g in zip(model.trainable_variables, gradients, strict=True):
                variable.assign_sub(INNER_LR * g)

    def learner(task):
        found = []
        for x, y, query_x in zip(task["support_x"], task["support_y"], task["query_x"], strict=True):
            start = model.get_weights()
            adapt(x, y)
            found.append(model(query_x).numpy())
            if resets:
                model.set_weights(start)
        return np.stack(found)

    return learner


class NumpyReptile:
    """Reptile as it is written without a framework, on a linear model with a dictionary of its weights."""

    def __init__(self, inner_steps: int = 10, copies: bool = True, adapts: bool = True) -> None:
        self.state = {"w": np.zeros((4, 1)), "b": np.zeros(1)}
        self.inner_steps, self.copies, self.adapts = inner_steps, copies, adapts

    def state_dict(self):
        return {name: value.copy() for name, value in self.state.items()} if self.copies else dict(self.state)

    def load_state_dict(self, state):
        self.state = state

    def predict(self, x):
        return x @ self.state["w"] + self.state["b"]

    def learn(self, x, y, steps):
        for _ in range(steps):
            error = self.predict(x) - y
            self.state["w"] -= INNER_LR * 2 * x.T @ error / len(x)  # in place
            self.state["b"] -= INNER_LR * 2 * error.mean(axis=0)

    def train(self, tasks, outer_lr=0.1):
        for x, y in tasks:
            before = {name: value.copy() for name, value in self.state.items()}
            self.learn(x, y, self.inner_steps)
            for name, value in before.items():
                self.state[name] = value + outer_lr * (self.state[name] - value)

    def __call__(self, task):
        found = []
        for x, y, query_x in zip(task["support_x"], task["support_y"], task["query_x"], strict=True):
            saved = self.state_dict()
            if self.adapts:
                self.learn(x, y, self.inner_steps)
            found.append(self.predict(query_x))
            self.load_state_dict(saved)
        return np.stack(found)


def reptile(**options):
    learner = NumpyReptile(**options)
    task, _ = ml.tasks.gather_tasks(ml.tasks.linear_regression(4, 10, 5, seed=2), 100)
    learner.train(zip(task["support_x"], task["support_y"], strict=True))
    return learner


def prototypes(
    normalized_by_batch: bool = False, by_position: bool = False, over_queries: bool = False, root: bool = False
):
    """Prototypical networks, eager; each option is a mistake, or may be one."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((2,)), keras.layers.Dense(16, use_bias=False), keras.layers.BatchNormalization()]
    encoder = keras.Sequential(layers)

    def learner(task):
        embedded = []
        for name in ("support_x", "query_x"):
            x = tf.constant(task[name])
            flat = encoder(tf.reshape(x, [-1, 2]), training=normalized_by_batch and name == "query_x")
            embedded.append(tf.reshape(flat, [*x.shape[:2], -1]))
        support, query = embedded
        if by_position:
            means = tf.reduce_mean(tf.reshape(support, [len(support), 2, -1, support.shape[-1]]), axis=2)
        else:
            members = tf.one_hot(task["support_y"], 2)
            means = tf.einsum("tsn,tsd->tnd", members, support) / tf.reduce_sum(members, axis=1)[..., None]
        distances = tf.reduce_sum((query[:, :, None] - means[:, None]) ** 2, axis=-1)
        scores = -tf.sqrt(distances) if root else -distances
        return tf.nn.softmax(scores, axis=1 if over_queries else 2).numpy()

    return learner


def with_keras_step(detached: bool):
    return compiled(Maml(detached))


def own_step(detached: bool):
    keras.utils.set_random_seed(0)
    learner = MamlWithOwnStep(detached)
    learner.compile(keras.optimizers.Adam(0.01))  # its step has a loss of its own
    return learner
