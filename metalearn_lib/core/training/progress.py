"""A progress bar for `fit` that counts meta-batches, in notebooks and terminals."""

from typing import Any, cast

import keras
from tqdm.auto import tqdm


class ProgressBar(keras.callbacks.Callback):
    """One tqdm bar over all steps of all epochs, with the latest loss.

    tqdm's own Keras callback counts executions; with `steps_per_execution` above one those are not steps.
    """

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Open the bar."""
        params, model = cast(dict[str, Any], self.params), cast(keras.Model, self.model)
        steps, epochs = params["steps"], params["epochs"]
        self._steps_per_epoch = steps or 0
        self._bar = tqdm(total=steps and steps * epochs, desc=model.name, unit="step")

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Count from the first step of the epoch: a run may continue an earlier one."""
        self._done = epoch * self._steps_per_epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Move the bar to step `batch` of this epoch."""
        self._bar.update(self._done + batch + 1 - self._bar.n)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Show the metrics of the epoch."""
        self._bar.set_postfix({name: f"{value:.3g}" for name, value in (logs or {}).items()})

    def on_train_end(self, logs: dict | None = None) -> None:
        """Close the bar."""
        self._bar.close()
