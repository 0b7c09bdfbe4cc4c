"""The workloads in PyTorch: `torch.func` over tasks; channels-last convolutions for prototypical networks."""

import numpy as np
import torch
from torch.func import grad, grad_and_value, vmap
from torch.nn import functional as F

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

VERSION = f"PyTorch {torch.__version__.partition('+')[0]}"


def job(work: Workload):
    """What runs a workload."""
    if work.network == "mlp":
        torch.set_num_threads(1)  # of two, each would wait for the other after every small product
    return (Adaptation if work.method == "adaptation" else Training)(work)


class Training:
    """Steps of Adam on one meta-batch after another."""

    unit = 1

    def __init__(self, work: Workload):
        self.weights = tensors(work, weights(work))
        self.first, self.second = ([torch.zeros_like(w) for w in self.weights] for _ in range(2))
        self.batches = list(zip(*(tensors(work, part) for part in meta_batches(work)), strict=True))
        self.gradient = prototypical_gradient(work) if work.method == "prototypes" else maml_gradient(work)
        self.step = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            batch = self.batches[self.step % len(self.batches)]
            self.apply_adam(self.gradient(self.weights, *batch))

    def apply_adam(self, gradients) -> None:
        """One step of Adam as Keras writes it, in place."""
        self.step += 1
        rate = RATE * (1 - BETA_2**self.step) ** 0.5 / (1 - BETA_1**self.step)
        with torch.no_grad():
            torch._foreach_lerp_(self.first, gradients, 1 - BETA_1)
            torch._foreach_mul_(self.second, BETA_2)
            torch._foreach_addcmul_(self.second, gradients, gradients, 1 - BETA_2)
            scales = torch._foreach_sqrt(self.second)
            torch._foreach_add_(scales, EPSILON)
            torch._foreach_addcdiv_(self.weights, self.first, scales, -rate)

    def result(self) -> list:
        # PyTorch's kernels lie [out, in, height, width]; `tensors` turned them.
        return [w.detach().permute(2, 3, 1, 0).numpy() if w.ndim == 4 else w.detach().numpy() for w in self.weights]


class Adaptation:
    """One call from NumPy arrays to a NumPy array."""

    unit = 1

    def __init__(self, work: Workload):
        self.work = work
        self.weights = tensors(work, weights(work))
        self.task = tuple(part[0] for part in meta_batches(work)[:3])
        inner = inner_loop(work)

        def predict(weights, support_x, support_y, query_x):
            return network(work, inner(weights, support_x, support_y), query_x)

        self.predict = vmap(predict, in_dims=(None, 0, 0, 0))

    def run(self, steps: int) -> None:
        with torch.no_grad():
            for _ in range(steps):
                self.predictions = self.predict(self.weights, *tensors(self.work, self.task)).numpy()

    def result(self) -> list:
        return [self.predictions]


def tensors(work: Workload, arrays) -> list[torch.Tensor]:
    """NumPy's arrays as PyTorch takes them: channels before rows, in memory after columns."""
    turned = []
    for array in map(torch.from_numpy, map(np.array, arrays)):
        if work.network == "conv4" and array.ndim == 4:  # a kernel
            array = array.permute(3, 2, 0, 1)
            if work.method == "prototypes":
                array = array.contiguous(memory_format=torch.channels_last)
        if work.network == "conv4" and array.ndim == 5:  # the images of a meta-batch
            array = array.permute(0, 1, 4, 2, 3)
        if array.dtype == torch.int32:
            array = array.long()
        turned.append(array)
    return turned


def maml_gradient(work: Workload):
    """The gradient of the mean over tasks of the loss after the inner loop."""
    inner = inner_loop(work)

    def loss(weights, support_x, support_y, query_x, query_y):
        return mean_loss(network(work, inner(weights, support_x, support_y), query_x), query_y)

    over_tasks = vmap(grad_and_value(loss), in_dims=(None, 0, 0, 0, 0))

    def gradient(weights, *batch):
        return [g.mean(0) for g in over_tasks(weights, *batch)[0]]

    return gradient


def inner_loop(work: Workload):
    """The weights after the inner steps on one task."""
    gradient = grad(lambda weights, x, y: mean_loss(network(work, weights, x), y))

    def adapt(weights, x, y):
        for _ in range(work.inner_steps):
            gradients = gradient(weights, x, y)
            if work.first_order:
                gradients = [g.detach() for g in gradients]
            weights = [w - work.inner_lr * g for w, g in zip(weights, gradients, strict=True)]
        return weights

    return adapt


def prototypical_gradient(work: Workload):
    """The gradient of the loss of queries by their distance to class means, for one episode at a time."""
    statistics = [(torch.zeros(work.width), torch.ones(work.width)) for _ in range(4)]
    statistics = [tuple(part.to(getattr(torch, work.dtype)) for part in pair) for pair in statistics]

    def gradient(weights, support_x, support_y, query_x, query_y):
        weights = [w.requires_grad_() for w in weights]
        x = torch.cat([support_x[0], query_x[0]]).contiguous(memory_format=torch.channels_last)
        for i in range(4):
            kernel, bias, scale, offset = weights[4 * i : 4 * i + 4]
            x = F.conv2d(x, kernel, bias, padding=1)
            x = F.batch_norm(x, *statistics[i], scale, offset, True, 1 - MOMENTUM, NORMALISATION)
            x = F.max_pool2d(F.relu(x), 2)
        support, queries = x.permute(0, 2, 3, 1).flatten(1).split([len(support_x[0]), len(query_x[0])])
        members = F.one_hot(support_y[0], work.ways).to(support.dtype)
        prototypes = members.T @ support / members.sum(0)[:, None]
        distances = (queries**2).sum(1)[:, None] + (prototypes**2).sum(1) - 2 * queries @ prototypes.T
        return torch.autograd.grad(F.cross_entropy(-distances, query_y[0]), weights)

    return gradient


def network(work: Workload, weights, x):
    """Outputs of the network."""
    if work.network == "mlp":
        for kernel, bias in zip(weights[:4:2], weights[1:4:2], strict=True):
            x = F.relu(x @ kernel + bias)
        return x @ weights[4] + weights[5]
    for i in range(4):
        kernel, bias, scale, offset = weights[4 * i : 4 * i + 4]
        x = F.conv2d(F.pad(x, (*padding(x.shape[3], 2), *padding(x.shape[2], 2))), kernel, bias, stride=2)
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
        x = (x - mean) * (torch.rsqrt(variance + NORMALISATION) * scale[:, None, None]) + offset[:, None, None]
        x = F.relu(x)
    return x.permute(0, 2, 3, 1).flatten(1) @ weights[16] + weights[17]


def mean_loss(outputs, y):
    """Mean squared error of values, cross-entropy of labels."""
    return F.cross_entropy(outputs, y) if y.dtype == torch.int64 else F.mse_loss(outputs, y)
