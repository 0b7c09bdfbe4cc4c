"""Every cross-entropy of Keras, as an object, a function and a name."""

import keras
import pytest

from metalearn_lib.core.losses import takes_logits, targets_of

FORMS = {
    "BinaryCrossentropy": "binary",
    "BinaryFocalCrossentropy": "binary",
    "CategoricalCrossentropy": "one-hot",
    "CategoricalFocalCrossentropy": "one-hot",
    "SparseCategoricalCrossentropy": "labels",
}


def test_no_cross_entropy_of_keras_is_missing():
    assert {name for name in dir(keras.losses) if name.endswith("Crossentropy")} == set(FORMS)


@pytest.mark.parametrize("name, form", FORMS.items())
def test_the_form_of_targets_and_logits(name, form):
    function = keras.losses.get(name)
    kind = getattr(keras.losses, name)
    for loss in (kind(), name, function):
        assert (targets_of(loss), takes_logits(loss)) == (form, False)
    assert takes_logits(kind(from_logits=True)) is True


@pytest.mark.parametrize("loss", [None, "mse", keras.losses.Huber(), lambda y, p: 0.0])
def test_other_losses_say_nothing(loss):
    assert targets_of(loss) is None and takes_logits(loss) is None
