"""Training that survives `kill -9`."""

import os
from pathlib import Path
from typing import cast

import keras


class Resume(keras.callbacks.Callback):
    """Lets `fit` continue where it was killed: the same script, run again, ends with the same weights, bit for bit.

    A backup holds weights, the optimizer, the states of random generators, the position in the stream, and the entries
    of a memory in the process; of a memory on disk, which such a run needs for itself alone, their number. It replaces
    the one before it in one go, and is removed when `fit` ends. `keras.callbacks.BackupAndRestore` leaves out all but
    weights and optimizer.

    Args:
        folder: where the backup is kept; made if it is missing.
        save_freq: "epoch", or the number of steps after which a backup is made.

    Raises:
        ValueError: if `save_freq` is neither.
    """

    def __init__(self, folder: str | os.PathLike, save_freq: str | int = "epoch") -> None:
        super().__init__()
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq >= 1
        if save_freq != "epoch" and not whole:
            raise ValueError(f"save_freq is {save_freq!r}, expected 'epoch' or a whole number of at least 1")
        self.folder, self.save_freq = Path(folder), save_freq
        self._saved_at = 0

    def restore(self, learner: keras.Model) -> bool:
        """Load the backup into a compiled learner, if there is one.

        Args:
            learner: like the one that the backup was made of.

        Returns:
            Whether there was one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._backup.exists():
            return False
        learner.load_weights(self._backup)
        if hasattr(learner, "resumed"):
            learner.resumed()
        return True

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Count the steps of a new epoch."""
        self._saved_at = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Make a backup if enough steps have been taken and `save_freq` counts them."""
        if isinstance(self.save_freq, int) and batch + 1 - self._saved_at >= self.save_freq:
            self._save()
            self._saved_at = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Make a backup if `save_freq` is "epoch"."""
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Remove the backup: what was to be trained is trained."""
        self._backup.unlink(missing_ok=True)

    @property
    def _backup(self) -> Path:
        return self.folder / "backup.weights.h5"

    def _save(self) -> None:
        part = self.folder / "part.weights.h5"
        cast(keras.Model, self.model).save_weights(part)
        os.replace(part, self._backup)
