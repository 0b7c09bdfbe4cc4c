"""Wrong arguments of `ml.networks`."""

import metalearn_lib as ml
from tests.bad_inputs.rows import FLAG, TEXT, WHOLE, line, no_default

UNITS = (3, None, "40", [0], [1.5], [True], [None], {40})
SHAPES = (28, None, "28", (28, 28), (0, 28, 1), (28.0, 28, 1), (None, None, 1), [1, 1, 1, 1])

TABLE = [
    line(ml.networks.article_network, num_inputs=WHOLE, hidden=WHOLE, num_outputs=WHOLE),
    line(ml.networks.mlp, num_inputs=WHOLE, num_outputs=WHOLE, hidden=UNITS),
    line(ml.networks.mlp, activation=(*TEXT, "relux"), dtype=(3, "float33", "int32", ["float32"])),
    line(ml.networks.conv4, num_outputs=no_default(WHOLE), filters=WHOLE, pooling=FLAG, input_shape=SHAPES),
    line(ml.networks.conv4, {"pooling": True}, input_shape=((15, 28, 1), (28, 8, 3))),
]
