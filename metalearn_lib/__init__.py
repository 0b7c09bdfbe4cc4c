"""Meta-learning with Keras 3: a meta-learner is a Keras model whose input is a task."""

import os

# Settled before TensorFlow is imported, because it reads them once: no start-up lines on stderr, and the same
# kernels on every processor.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.1.0"
