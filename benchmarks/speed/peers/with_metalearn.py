"""The workloads in this library, through `fit` and `predict`."""

import keras
import tensorflow as tf

import metalearn_lib as ml
from benchmarks.speed.peers.problem import (
    BETA_1,
    BETA_2,
    EPSILON,
    MOMENTUM,
    NORMALISATION,
    RATE,
    Workload,
    meta_batches,
    weights,
)

VERSION = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"


def job(work: Workload):
    """What runs a workload."""
    if work.method == "drawing":
        return Drawing(work)
    return (Adaptation if work.method == "adaptation" else Training)(work)


class Training:
    """Steps of `fit`."""

    def __init__(self, work: Workload):
        self.unit = work.block
        self.learner = learner(work)
        self.tasks = stream(work) if work.drawn else in_memory(work)

    def run(self, steps: int) -> None:
        self.learner.fit(self.tasks, steps_per_epoch=steps, verbose=0)

    def result(self) -> list:
        return [w.numpy() for w in self.learner.trainable_variables]


class Adaptation:
    """Calls of `predict`."""

    unit = 1

    def __init__(self, work: Workload):
        self.learner = learner(work)
        support_x, support_y, query_x, _ = (part[0] for part in meta_batches(work))
        self.task = {"support_x": support_x, "support_y": support_y, "query_x": query_x}

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.predictions = self.learner.predict(self.task)

    def result(self) -> list:
        return [self.predictions]


class Drawing:
    """Meta-batches drawn and thrown away."""

    unit = 1

    def __init__(self, work: Workload):
        self.tasks = iter(stream(work))

    def run(self, steps: int) -> None:
        for _ in range(steps):
            next(self.tasks)


def learner(work: Workload):
    """The compiled learner with the weights that every framework starts from."""
    keras.config.set_floatx(work.dtype)
    keras.config.set_dtype_policy(work.dtype)
    if work.network == "mlp":
        model, loss = ml.networks.mlp(hidden=(work.width, work.width)), "mse"
    else:
        pooling = work.method == "prototypes"
        model = ml.networks.conv4(None if pooling else work.ways, filters=work.width, pooling=pooling)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        normalised = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert all((layer.epsilon, layer.momentum) == (NORMALISATION, MOMENTUM) for layer in normalised)
    for variable, value in zip(model.trainable_variables, weights(work), strict=True):
        variable.assign(value)
    if work.method == "prototypes":
        made = ml.PrototypicalNetwork(model, batch_norm="running")
    else:
        inner_loop = {"inner_lr": work.inner_lr, "inner_steps": work.inner_steps, "first_order": work.first_order}
        made = ml.MAML(model, **inner_loop, batch_norm="transductive")
    made.compile(keras.optimizers.Adam(RATE, BETA_1, BETA_2, EPSILON), loss, steps_per_execution=work.block)
    return made


def in_memory(work: Workload) -> tf.data.Dataset:
    """The same meta-batches over and over."""
    support_x, support_y, query_x, query_y = meta_batches(work)
    tasks = {"support_x": support_x, "support_y": support_y, "query_x": query_x}
    return tf.data.Dataset.from_tensor_slices((tasks, query_y)).repeat().prefetch(2 * work.block)


def stream(work: Workload) -> tf.data.Dataset:
    """Meta-batches drawn anew."""
    if work.network == "mlp":
        return ml.tasks.sinusoids(work.shots, work.queries, work.tasks)
    return ml.tasks.episodes(ml.images.load_glyphs(), work.ways, work.shots, work.queries, work.tasks)
