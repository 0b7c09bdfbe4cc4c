"""What is timed, in which frameworks, and the most that this library's time may be of a peer's."""

from dataclasses import replace

from benchmarks.speed.peers.problem import Workload

OURS, *PEERS = FRAMEWORKS = ("metalearn", "jax", "torch")
NAMES = {"metalearn": "this library", "jax": "JAX", "torch": "PyTorch"}
SINUSOID = Workload("maml", "mlp")
OMNIGLOT = Workload("maml", "conv4", tasks=32, shots=1, queries=5, inner_lr=0.4, width=64)
NEW_TASK = replace(SINUSOID, method="adaptation", tasks=1)
NEW_IMAGES = replace(OMNIGLOT, method="adaptation", tasks=1)
PROTOTYPES = replace(OMNIGLOT, method="prototypes", tasks=1, ways=60)
# What is timed, and the most that this library's time may be of a peer's.
WORKLOADS = {
    "MAML, sinusoid, 1 inner step": (SINUSOID, {"jax": 1.2}),
    "MAML, sinusoid, 5 inner steps": (replace(SINUSOID, inner_steps=5), {"jax": 1.2}),
    "MAML, Conv4, second order": (OMNIGLOT, {"jax": 0.8, "torch": 0.5}),
    "MAML, Conv4, first order": (replace(OMNIGLOT, first_order=True), {"jax": 0.8, "torch": 0.5}),
    "prototypical network, 60-way": (PROTOTYPES, {"jax": 0.4, "torch": 0.95}),
    "a new sinusoid, 1 step": (NEW_TASK, {"jax": 1.1}),
    "a new sinusoid, 10 steps": (replace(NEW_TASK, inner_steps=10), {"jax": 1.1}),
    "a new 5-way task, Conv4, 1 step": (NEW_IMAGES, {"jax": 1.1}),
    "a new 5-way task, Conv4, 10 steps": (replace(NEW_IMAGES, inner_steps=10), {"jax": 1.1}),
}
DRAWN = {
    "drawing sinusoids": SINUSOID,
    "drawing 5-way episodes": OMNIGLOT,
    "drawing 60-way episodes": PROTOTYPES,
}
