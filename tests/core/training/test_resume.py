"""Training that is killed and started again ends with the weights of training that was not, bit for bit."""

import csv
import itertools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import metalearn_lib as ml

STEPS, EPOCHS = 40, 4
CHILD = "import sys; from tests.core.training.test_resume import train; train(sys.argv[1], sys.argv[2])"


class Report(keras.callbacks.Callback):
    """A line on standard output for every execution, so that a parent sees how far a child is."""

    def on_train_batch_end(self, batch, logs=None):
        print("trained", flush=True)


def train(name: str, folder: str | Path, callbacks=()) -> ml.Learner:
    """What a researcher runs, the first time and after every kill."""
    keras.utils.set_random_seed(0)
    rate = keras.optimizers.schedules.CosineDecay(0.01, STEPS * EPOCHS)
    if name == "sinusoids":  # steps that end within a block of 32 meta-batches, and a random generator
        layers = [keras.layers.Dense(16, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
        learner, stream, save_freq = (
            ml.MAML(keras.Sequential([keras.Input((1,)), *layers])),
            ml.tasks.sinusoids(),
            "epoch",
        )
        learner.compile(keras.optimizers.Adam(rate), loss="mse", steps_per_execution=4)
    elif name.startswith("sequential"):  # a memory that grows, of which later tasks start
        memory = ml.Memory(Path(folder) / "memory" if name == "sequential, on disk" else None)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        learner = ml.SequentialLearner(model, memory=memory, inner_steps=1, neighbors=2)
        stream, save_freq = ml.tasks.sinusoids(meta_batch_size=3), 7
        learner.compile(loss="mse")
    else:  # backups in the middle of an epoch, and running averages
        rng = np.random.default_rng(0)
        images = ml.images.LabelledImages(
            rng.integers(0, 256, (60, 8, 8, 1), np.uint8),
            np.repeat(np.arange(12), 5),
            tuple("abcdefghijkl"),
            ("",) * 12,
        )
        layers = [keras.layers.Conv2D(8, 3), keras.layers.BatchNormalization(), keras.layers.Flatten()]
        learner = ml.PrototypicalNetwork(keras.Sequential([keras.Input((8, 8, 1)), *layers]), batch_norm="running")
        stream, save_freq = ml.tasks.episodes(images, ways=3, queries=2), 8
        learner.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
    folder = Path(folder)
    backup = ml.Resume(folder / "backup", save_freq)
    log = keras.callbacks.CSVLogger(folder / "log.csv", append=True)
    learner.fit(
        stream,
        steps_per_epoch=STEPS,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[backup, log, Report(), *callbacks],
    )
    np.savez(folder / "result.npz", *state(learner))
    return learner


def state(learner: ml.Learner) -> list[np.ndarray]:
    """Weights, running averages, random generators, all of the optimizer, and the entries of a memory."""
    optimizer = learner.optimizer.variables if learner.optimizer else []
    entries = [[*e.weights, e.support_x, e.support_y] for e in getattr(learner, "memory", ())]
    return [*(variable.numpy() for variable in [*learner.variables, *optimizer]), *itertools.chain(*entries)]


def trained(name: str, folder: Path, kill_after: int | None) -> int:
    """A child process that trains; killed after so many executions, or left to its end. Its exit status."""
    command = [sys.executable, "-c", CHILD, name, str(folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as child:
        for number, _ in enumerate(child.stdout, 1):
            if number == kill_after:
                child.kill()
                break
        return child.wait()


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    # Executions after which a child is killed; four steps are one for sinusoids, so 10 are an epoch.
    ("name", "kills"),
    [("sinusoids", (17, 13)), ("images", (60,)), ("sequential", (30,)), ("sequential, on disk", (30, 9))],
)
def test_killed_and_restarted(tmp_path, name, kills):
    """The reference is trained in this process, without interruption: other processes must end as it does."""
    for folder in ("reference", "killed"):
        (tmp_path / folder).mkdir()
    reference = state(train(name, tmp_path / "reference"))
    for kill_after in kills:
        assert trained(name, tmp_path / "killed", kill_after) == -9
        assert (tmp_path / "killed" / "backup" / "backup.weights.h5").exists()
        assert not (tmp_path / "killed" / "result.npz").exists()
    assert trained(name, tmp_path / "killed", None) == 0
    with np.load(tmp_path / "killed" / "result.npz") as result:
        assert_same([result[file] for file in result.files], reference)
    assert not list((tmp_path / "killed" / "backup").glob("backup*"))
    logs = [list(csv.DictReader((tmp_path / folder / "log.csv").open())) for folder in ("reference", "killed")]
    for log in logs:
        assert [row["epoch"] for row in log] == [str(epoch) for epoch in range(EPOCHS)]
    if name == "sinusoids":  # backups at the ends of epochs: every epoch's mean loss is of all its steps
        assert logs[0] == logs[1]


class Interrupt(keras.callbacks.Callback):
    """Stops after so many executions, as Ctrl-C does."""

    def __init__(self, after: int):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_killed_while_the_backup_is_written(tmp_path, monkeypatch):
    """In the middle of the new backup, which has not yet taken the place of the old one."""
    reference = state(train("images", _made(tmp_path / "reference")))
    folder = _made(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        train("images", folder, [Interrupt(30)])
    backup, part = (folder / "backup" / f"{name}.weights.h5" for name in ("backup", "part"))
    whole = backup.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("metalearn_lib.core.training.resume.os.replace", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            train("images", folder)
    assert backup.read_bytes() == whole
    part.write_bytes(part.read_bytes()[:1000])
    assert_same(state(train("images", folder)), reference)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _interrupt(*_):
    raise KeyboardInterrupt


def test_a_finished_run_leaves_no_backup(tmp_path):
    """So the same script, run again, trains anew and ends the same; and a later `fit` counts from its own start."""
    first = train("images", tmp_path)
    again = train("images", tmp_path)
    assert_same(state(again), state(first))
    assert again.history.epoch == list(range(EPOCHS))
    again.fit(episodes_of_noise(), steps_per_epoch=1, epochs=2, verbose=0)
    assert again.history.epoch == [0, 1]


def episodes_of_noise() -> tf.data.Dataset:
    def draw(seed, tasks):
        x = tf.random.stateless_uniform([tasks, 6, 8, 8, 1], seed)
        y = tf.tile([[0, 1, 2]], [tasks, 1])
        return {"support_x": x[:, :3], "support_y": y, "query_x": x[:, 3:]}, y

    return ml.tasks.task_stream(draw, 2, 0)


@pytest.mark.parametrize("index", [0, 5, 32, 77])
@pytest.mark.parametrize("family", [ml.tasks.sinusoids, ml.tasks.linear_classification, episodes_of_noise])
def test_a_stream_from_any_position(family, index):
    """`skip` draws what it leaves out, so it must end where drawing from the position on begins."""
    stream = family()
    for one, other in zip(ml.tasks.starting_at(stream, index).take(3), stream.skip(index).take(3), strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, one, other)


def test_any_other_dataset_skips():
    numbers = ml.tasks.starting_at(tf.data.Dataset.counter().map(lambda i: 2 * i), 5)
    assert list(numbers.take(2).as_numpy_iterator()) == [10, 12]


def test_initial_epoch_goes_on_in_the_stream():
    """Two epochs, and a `fit` that begins at the second: Keras's own way to go on by hand."""
    learners = []
    for parts in ([(0, 2)], [(0, 1), (1, 2)]):
        keras.utils.set_random_seed(0)
        learner = ml.MAML(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        learner.compile("adam", loss="mse", jit_compile=False)
        for first, last in parts:
            learner.fit(ml.tasks.sinusoids(), steps_per_epoch=5, initial_epoch=first, epochs=last, verbose=0)
        learners.append(learner)
    assert_same(state(learners[0]), state(learners[1]))


def test_tensorboard_files_are_written(tmp_path):
    pytest.importorskip("tensorboard")
    train("images", tmp_path, [keras.callbacks.TensorBoard(tmp_path / "logs")])
    (events,) = (tmp_path / "logs" / "train").glob("events.out.tfevents.*")
    steps = [
        (value.tag, event.step)
        for record in tf.data.TFRecordDataset(str(events))
        for event in [tf.compat.v1.Event.FromString(record.numpy())]
        for value in event.summary.value
    ]
    assert [step for tag, step in steps if tag == "epoch_loss"] == list(range(EPOCHS))
