"""Draw docs/episode.png, the README's picture: a 20-way one-shot episode and what a prototypical network makes of it.

    python scripts/draw_readme_picture.py [OUTPUT]

The network learns from the glyphs of nine scripts; the episode is of four others. It takes about two minutes.
"""

import os
import sys
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

import metalearn_lib as ml

OUTPUT = Path(__file__).parents[1] / "docs" / "episode.png"
SEED, STEPS, WAYS, COLUMNS = 0, 600, 20, 10
RIGHT, WRONG = ml.plots.COLORS[2], ml.plots.COLORS[1]


def main(output: Path) -> None:
    """Train, draw one episode, and write the picture."""
    keras.utils.set_random_seed(SEED)
    training, _, test = ml.images.glyph_splits()
    learner = ml.PrototypicalNetwork(
        keras.Sequential([ml.networks.conv4(), keras.layers.Rescaling(0.1)]), batch_norm="running"
    )
    learner.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, STEPS)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    learner.fit(ml.tasks.episodes(training, ways=60, meta_batch_size=1, seed=SEED), steps_per_epoch=STEPS)
    tasks = ml.tasks.episodes(test, WAYS, shots=1, queries=1, meta_batch_size=20, seed=SEED)
    accuracy = ml.score(learner, tasks)
    task, _ = ml.tasks.gather_tasks(tasks, 1)
    guesses = learner.predict(task)[0].argmax(axis=-1)

    bands = WAYS // COLUMNS
    figure, axes = plt.subplots(2 * bands, COLUMNS, figsize=(10, 1.22 * 2 * bands + 0.5), layout="constrained")
    for label, guess in enumerate(guesses):
        band, column = divmod(label, COLUMNS)
        show(axes[2 * band, column], task["support_x"][0, label], ml.plots.GREY, str(label + 1))
        right = guess == label
        mark = "✓" if right else f"✗ taken for {guess + 1}"
        show(axes[2 * band + 1, column], task["query_x"][0, label], RIGHT if right else WRONG, mark)
    for band in range(bands):
        axes[2 * band, 0].set_ylabel("one example", color=ml.plots.GREY)
        axes[2 * band + 1, 0].set_ylabel("question", color=ml.plots.GREY)
    figure.suptitle(
        f"Twenty characters of scripts never seen, one example each: {(guesses == np.arange(WAYS)).sum()} of 20 "
        f"recognised here, {accuracy} on average"
    )
    output.parent.mkdir(exist_ok=True)
    partial = output.with_name(f".{output.name}")
    figure.savefig(partial, format="png", dpi=100, metadata={"Software": None})
    os.replace(partial, output)


def show(ax: Axes, image: np.ndarray, colour: str, text: str) -> None:
    """One image in a frame of a colour, with a line of text below."""
    ax.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=1)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(text, color=colour, labelpad=2)
    for side in ax.spines.values():
        side.set(color=colour, linewidth=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
