"""The workloads in JAX: one compiled scan over steps, `vmap` over tasks, convolutions as batched products."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.speed.peers.problem import (
    BETA_1,
    BETA_2,
    EPSILON,
    MOMENTUM,
    NORMALISATION,
    RATE,
    Workload,
    meta_batches,
    padding,
    weights,
)

VERSION = f"JAX {jax.__version__}"


def job(work: Workload):
    """What runs a workload."""
    jax.config.update("jax_enable_x64", work.dtype == "float64")
    return (Adaptation if work.method == "adaptation" else Training)(work)


class Training:
    """Steps of Adam, many in one compiled call where they are small."""

    def __init__(self, work: Workload):
        # Convolutions inside XLA's loops leave the fast path, so those take one step a call.
        self.unit = work.block if work.network == "mlp" else 1
        self.steps = 0
        start = [jnp.asarray(w) for w in weights(work)]
        zeros = [jnp.zeros_like(w) for w in start]
        statistics = []
        if work.method == "prototypes":
            statistics = [(jnp.zeros(work.width, work.dtype), jnp.ones(work.width, work.dtype)) for _ in range(4)]
        self.state = (jnp.zeros((), work.dtype), start, zeros, [jnp.zeros_like(w) for w in start], statistics)
        parts = meta_batches(work)
        starts = range(0, work.block, self.unit)
        self.batches = [tuple(jnp.asarray(part[i : i + self.unit]) for part in parts) for i in starts]
        gradient = prototypical_gradient(work) if work.method == "prototypes" else maml_gradient(work)

        def step(state, batch):
            *adam, statistics = state
            loss, gradients, statistics = gradient(adam[1], statistics, *batch)
            return (*apply_adam(*adam, gradients), statistics), loss

        def single(state, batches):
            return step(state, tuple(part[0] for part in batches))

        def scan(state, batches):
            return lax.scan(step, state, batches)

        self.advance = jax.jit(scan if self.unit > 1 else single, donate_argnums=0)

    def run(self, steps: int) -> None:
        for _ in range(steps // self.unit):
            batches = self.batches[self.steps // self.unit % len(self.batches)]
            self.state, self.losses = self.advance(self.state, batches)
            self.steps += self.unit
        jax.block_until_ready(self.state)

    def result(self) -> list:
        return [np.asarray(w) for w in self.state[1]]


class Adaptation:
    """One compiled call from NumPy arrays to a NumPy array."""

    unit = 1

    def __init__(self, work: Workload):
        self.weights = [jnp.asarray(w) for w in weights(work)]
        self.task = tuple(part[0] for part in meta_batches(work)[:3])
        inner = inner_loop(work)

        def predict(weights, support_x, support_y, query_x):
            return network(work, inner(weights, support_x, support_y), query_x)[0]

        self.predict = jax.jit(jax.vmap(predict, in_axes=(None, 0, 0, 0)))

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.predictions = np.asarray(self.predict(self.weights, *self.task))

    def result(self) -> list:
        return [self.predictions]


def maml_gradient(work: Workload):
    """The mean over tasks of the loss after the inner loop, and its gradient."""
    inner = inner_loop(work)

    def loss(weights, support_x, support_y, query_x, query_y):
        return mean_loss(network(work, inner(weights, support_x, support_y), query_x)[0], query_y)

    over_tasks = jax.vmap(jax.value_and_grad(loss), in_axes=(None, 0, 0, 0, 0))

    def gradient(weights, statistics, *batch):
        losses, gradients = over_tasks(weights, *batch)
        return losses.mean(), [g.mean(0) for g in gradients], statistics

    return gradient


def inner_loop(work: Workload):
    """The weights after the inner steps on one task."""
    gradient = jax.grad(lambda weights, x, y: mean_loss(network(work, weights, x)[0], y))

    def adapt(weights, x, y):
        for _ in range(work.inner_steps):
            gradients = gradient(weights, x, y)
            if work.first_order:
                gradients = lax.stop_gradient(gradients)
            weights = [w - work.inner_lr * g for w, g in zip(weights, gradients, strict=True)]
        return weights

    return adapt


def prototypical_gradient(work: Workload):
    """The loss of queries by their distance to class means, for one episode at a time."""

    def loss(weights, statistics, support_x, support_y, query_x, query_y):
        embedded, batch = network(work, weights, jnp.concatenate([support_x[0], query_x[0]]))
        support, queries = embedded[: len(support_x[0])], embedded[len(support_x[0]) :]
        members = jax.nn.one_hot(support_y[0], work.ways, dtype=embedded.dtype)
        prototypes = members.T @ support / members.sum(0)[:, None]
        distances = (queries**2).sum(1)[:, None] + (prototypes**2).sum(1) - 2 * queries @ prototypes.T
        moved = jax.tree.map(lambda old, new: MOMENTUM * old + (1 - MOMENTUM) * new, statistics, batch)
        return mean_loss(-distances, query_y[0]), moved

    def gradient(weights, statistics, *batch):
        (value, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(weights, statistics, *batch)
        return value, gradients, statistics

    return gradient


def network(work: Workload, weights, x):
    """Outputs of the network, and the statistics of its batch normalisation."""
    if work.network == "mlp":
        for kernel, bias in zip(weights[:4:2], weights[1:4:2], strict=True):
            x = jax.nn.relu(x @ kernel + bias)
        return x @ weights[4] + weights[5], []
    statistics = []
    for i in range(4):
        kernel, bias, scale, offset = weights[4 * i : 4 * i + 4]
        if work.method == "prototypes":
            x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias
        else:
            x = patches(x) @ kernel.reshape(-1, work.width) + bias
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        statistics.append((mean, variance))
        x = jax.nn.relu((x - mean) * (lax.rsqrt(variance + NORMALISATION) * scale) + offset)
        if work.method == "prototypes":
            b, h, w, c = x.shape
            x = x[:, : h // 2 * 2, : w // 2 * 2].reshape(b, h // 2, 2, w // 2, 2, c).max((2, 4))
    x = x.reshape(len(x), -1)
    return (x if work.method == "prototypes" else x @ weights[16] + weights[17]), statistics


def patches(x):
    """The 3x3 patches at a stride of 2: [B, H, W, C] to [B, H', W', 9 C]."""
    x = jnp.pad(x, ((0, 0), padding(x.shape[1], 2), padding(x.shape[2], 2), (0, 0)))
    height, width = x.shape[1] - 2, x.shape[2] - 2
    return jnp.concatenate([x[:, i : i + height : 2, j : j + width : 2] for i in range(3) for j in range(3)], -1)


def mean_loss(outputs, y):
    """Mean squared error of values, cross-entropy of labels."""
    if y.dtype != jnp.int32:
        return ((outputs - y) ** 2).mean()
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], 1).mean()


def apply_adam(step, weights, first, second, gradients):
    """One step of Adam as Keras writes it."""
    step = step + 1
    rate = RATE * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(first, gradients, strict=True)]
    second = [BETA_2 * v + (1 - BETA_2) * g**2 for v, g in zip(second, gradients, strict=True)]
    moved = zip(weights, first, second, strict=True)
    return step, [w - rate * m / (jnp.sqrt(v) + EPSILON) for w, m, v in moved], first, second
