"""TensorFlow and Keras, imported without the C++ start-up lines that no setting turns off.

Those lines name the processor and the drivers of one machine, so a notebook that showed them would differ on
every other. Every module of the package imports TensorFlow from here.
"""

import os
import sys
import tempfile

__all__ = ["keras", "tf"]

with tempfile.TemporaryFile() as held_back:
    stderr = os.dup(2)
    os.dup2(held_back.fileno(), 2)
    try:
        import keras
        import tensorflow as tf
    except BaseException:
        held_back.seek(0)
        os.write(stderr, held_back.read())
        raise
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)

# A learner is traced once for each shape of meta-batch; TensorFlow warns of that as if it were a mistake.
tf.get_logger().setLevel("ERROR")
