"""The backend of Keras: TensorFlow, or one sentence."""

import os
import sys


def require_tensorflow() -> None:
    """Settle on TensorFlow as the backend of Keras, before Keras is imported.

    Raises:
        ImportError: if another backend was chosen.
    """
    chosen = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "keras" in sys.modules:
        chosen = sys.modules["keras"].config.backend()
    if chosen != "tensorflow":
        raise ImportError(
            f"KERAS_BACKEND is {chosen!r}, expected 'tensorflow': metalearn_lib differentiates with TensorFlow"
        )
