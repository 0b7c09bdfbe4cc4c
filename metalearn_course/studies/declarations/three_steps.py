"""Chapter 3: a memory of learned weights of three sizes, MAML on the same tasks, and a method that needs none."""

import keras
import numpy as np

import metalearn_lib as ml
from metalearn_course.studies import Rival, Study

LEARNING_STEPS, OUTER_STEPS = 10_000, 3_000
VALIDATION = ml.tasks.gather_tasks(ml.tasks.sinusoids(shots=10, queries=50, seed=2), 300)
NEW = ml.tasks.gather_tasks(ml.tasks.sinusoids(shots=10, queries=50, seed=1), 500)
LINE = np.linspace(-5, 5, 201)[:, None]
WAVES = np.hstack([np.sin(LINE), -np.cos(LINE)])  # A sin(x − φ) = a sin x − b cos x


class KernelRidge(ml.Learner):
    """Ridge regression with a Gaussian kernel, fitted to each support set alone."""

    def __init__(self, width, penalty):
        super().__init__(model=None)
        self.width, self.penalty = width, penalty

    def call(self, task, training=False):  # pyright: ignore[reportIncompatibleMethodOverride]
        """Predictions [T, Q, 1]."""
        x, y, query_x = (np.asarray(task[name], float) for name in ("support_x", "support_y", "query_x"))
        gram = self.kernel(x, x) + self.penalty * np.eye(x.shape[1])
        return keras.ops.cast(self.kernel(query_x, x) @ np.linalg.solve(gram, y), "float32")

    def kernel(self, a, b):
        """How alike two inputs are [T, A, B]."""
        return np.exp(-(((a - np.swapaxes(b, 1, 2)) / self.width) ** 2) / 2)


class Chosen:
    """Stands in for a memory: for each task the entry that somebody else chose."""

    def __init__(self, memory, indices):
        self.indices = indices
        self.weights = [np.stack(w) for w in zip(*(entry.weights for entry in memory), strict=True)]

    def __len__(self):
        return len(self.indices)

    def transfer_many(self, support_x, support_y, k):
        """The weights of the chosen entries."""
        return [w[self.indices] for w in self.weights]


def waves(seed, shots, queries, meta_batch_size=10):
    """The training tasks of a seed, 50 points each."""
    return ml.tasks.sinusoids(shots=shots, queries=queries, meta_batch_size=meta_batch_size, seed=1_000 + seed)


def memory_of(entries):
    """A memory that learned `entries` tasks from 40 examples each: ten from θ₀, the others from what it recalled."""

    def train(seed, inner_lr, new_lr):
        network = ml.networks.mlp(hidden=(40,), activation="tanh")
        learner = ml.SequentialLearner(network, inner_lr=inner_lr, inner_steps=LEARNING_STEPS)
        learner.compile(loss="mse")
        stream = waves(seed, 40, 10)
        learner.fit(stream.take(1), verbose=0)
        if entries > 10:
            learner.fit(stream.skip(1).unbatch().batch(90).take((entries - 10) // 90), verbose=0)
        return with_memory(learner.model, learner.memory, new_lr)

    return train


def with_memory(model, memory, new_lr, neighbors=1):
    """A learner that recalls from a memory, and takes careful steps from there on ten examples."""
    learner = ml.SequentialLearner(model, memory=memory, inner_lr=new_lr, inner_steps=50, neighbors=neighbors)
    learner.compile(loss="mse")
    return learner


def maml_of(tasks):
    """MAML on the first `tasks` tasks of a seed, again and again."""

    def train(seed, inner_lr):
        learner = ml.MAML(ml.networks.mlp(activation="tanh"), inner_lr=inner_lr, inner_steps=1)
        learner.compile(optimizer="adam", loss="mse", steps_per_execution=100)
        same_tasks = waves(seed, 10, 40).take(tasks // 10).cache().repeat()
        learner.fit(same_tasks, steps_per_epoch=OUTER_STEPS, verbose=0)
        return learner

    return train


def kernel_ridge(seed, width, penalty):
    """The method that needs no other task."""
    learner = KernelRidge(width, penalty)
    learner.compile(loss="mse", run_eagerly=True, jit_compile=False)
    return learner


def validate(learner):
    """The error after ten steps, or the error."""
    if isinstance(learner, ml.GradientLearner):
        return ml.adaptation_curve(learner, VALIDATION, steps=10)[10]
    return ml.score(learner, VALIDATION)


def measure(learner):
    """Errors after some numbers of steps; of the largest memory also from other starts."""
    if not isinstance(learner, ml.GradientLearner):
        return {"no step": ml.score(learner, NEW)}
    memory = isinstance(learner, ml.SequentialLearner)
    curve = ml.adaptation_curve(learner, NEW, steps=50 if memory else 10)
    scores = {"no step": curve[0], "1 step": curve[1], "10 steps": curve[10]}
    scores |= {"50 steps": curve[50]} if memory else {}
    if memory and len(learner.memory) == 1000:
        for name, memory, neighbors in other_starts(learner.memory):
            other = with_memory(learner.model, memory, learner.inner_lr, neighbors)
            curve = ml.adaptation_curve(other, NEW, steps=50)
            scores |= {f"{name}, no step": curve[0], f"{name}, 10 steps": curve[10], f"{name}, 50 steps": curve[50]}
    return scores


def other_starts(memory):
    """Name, memory and number of neighbours of each start that is compared with the nearest entry."""
    true = coefficients(NEW[0]["support_x"], NEW[0]["support_y"]) @ WAVES.T
    entries = [(entry.support_x[None], entry.support_y[None]) for entry in memory]
    old = np.concatenate([coefficients(x, y) for x, y in entries]) @ WAVES.T
    nearest = np.array([((old - f) ** 2).mean(axis=1).argmin() for f in true])
    at_random = np.random.default_rng(0).integers(1000, size=len(true))
    return [
        ("θ₀", ml.Memory(), 1),
        ("random entry", Chosen(memory, at_random), 1),
        ("mean of 5", memory, 5),
        ("oracle's entry", Chosen(memory, nearest), 1),
    ]


def coefficients(x, y):
    """The a and b of each task's sinusoid [T, 2]."""
    found = []
    for one, target in zip(np.asarray(x, float), np.asarray(y, float), strict=True):
        found.append(np.linalg.lstsq(np.hstack([np.sin(one), -np.cos(one)]), target)[0][:, 0])
    return np.array(found)


MEMORY_RATES = {"inner_lr": [0.01, 0.03, 0.05, 0.1], "new_lr": [0.003, 0.01, 0.03, 0.1]}
MAML_RATES = {"inner_lr": [0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]}
STUDY = Study(
    name="three_steps",
    chapter="03",
    question="What does a memory of learned weights give a new sinusoid, and what gives more?",
    budget=f"memory: {LEARNING_STEPS} steps on each task; MAML: {OUTER_STEPS} outer steps of 10 tasks; "
    "ten new examples",
    rivals={
        "memory of 10 tasks": Rival(memory_of(10), MEMORY_RATES),
        "memory of 100 tasks": Rival(memory_of(100), MEMORY_RATES),
        "memory of 1000 tasks": Rival(memory_of(1000), MEMORY_RATES),
        "MAML, 10 tasks": Rival(maml_of(10), MAML_RATES),
        "MAML, 100 tasks": Rival(maml_of(100), MAML_RATES),
        "MAML, 1000 tasks": Rival(maml_of(1000), MAML_RATES),
        "kernel ridge": Rival(
            lambda seed, width: kernel_ridge(seed, width, 1e-6),
            {"width": [1.0, 1.5, 2.0, 2.5, 3.0, 4.0]},
            trained=False,
        ),
    },
    validate=validate,
    measure=measure,
)
