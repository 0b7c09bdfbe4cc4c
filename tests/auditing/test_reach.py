"""What an audit changes in the whole process, it changes for itself only, and sets back."""

import threading

import pytest
import tensorflow as tf

from metalearn_lib.auditing.reach import eagerly, replaced


class Loss:
    """Stands for a class of Keras or TensorFlow."""

    def value(self) -> str:
        """The method that is replaced."""
        return "original"


def in_another_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join(30)
    return found[0]


def test_another_thread_keeps_the_original_method():
    with replaced(Loss, "value", lambda self: "replaced"):
        assert Loss().value() == "replaced"
        assert in_another_thread(Loss().value) == "original"
    assert Loss().value() == "original"


def test_an_error_leaves_no_replacement_and_no_eager_functions():
    original, eager = Loss.value, tf.config.functions_run_eagerly()
    with pytest.raises(RuntimeError), eagerly(), replaced(Loss, "value", lambda self: "replaced"):
        raise RuntimeError
    assert Loss.value is original
    assert tf.config.functions_run_eagerly() == eager


def test_two_overlapping_threads_leave_nothing_replaced():
    """The second waits: else it would take the first one's replacement for the original, and leave it for ever."""
    original, first_is_in, seen = Loss.value, threading.Event(), []

    def second():
        first_is_in.wait(30)
        with replaced(Loss, "value", lambda self: "second"):
            seen.append(Loss().value())

    thread = threading.Thread(target=second)
    thread.start()
    with replaced(Loss, "value", lambda self: "first"):
        first_is_in.set()
        thread.join(0.2)  # it waits for the lock
        assert not seen
        assert Loss().value() == "first"
    thread.join(30)
    assert seen == ["second"]
    assert Loss.value is original
