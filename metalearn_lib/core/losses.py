"""What a compiled loss says about the predictions and the targets that it takes."""

import inspect
from typing import Any, Literal

import keras


def takes_logits(loss: Any) -> bool | None:
    """Whether a loss takes logits; None for a loss that is no cross-entropy of Keras.

    Args:
        loss: what `compile` was given: a name, a function or a loss of Keras.
    """
    loss = _found(loss)
    if isinstance(loss, keras.losses.Loss):
        return getattr(loss, "from_logits", None)
    if not callable(loss) or "crossentropy" not in getattr(loss, "__name__", ""):
        return None
    parameter = inspect.signature(loss).parameters.get("from_logits")
    return parameter.default if parameter else None


def targets_of(loss: Any) -> Literal["labels", "one-hot", "binary"] | None:
    """The form of class targets that a cross-entropy of Keras takes; None for any other loss.

    Args:
        loss: what `compile` was given: a name, a function or a loss of Keras.

    Returns:
        "labels" [...], "one-hot" [..., N], "binary" for zeros and ones, one for each output.
    """
    loss = _found(loss)
    name = type(loss).__name__ if isinstance(loss, keras.losses.Loss) else getattr(loss, "__name__", "")
    name = name.lower().replace("_", "")
    if not name.endswith("crossentropy"):
        return None
    return "binary" if name.startswith("binary") else "labels" if name.startswith("sparse") else "one-hot"


def _found(loss: Any) -> Any:
    return keras.losses.get(loss) if isinstance(loss, str) else loss
