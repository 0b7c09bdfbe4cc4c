"""A first try: the answer of the nearest example, for every kind of task.

It learns nothing from other tasks, does not ask which inputs matter, and says so
nowhere.
"""

import numpy as np


def learn(support_x, support_y):
    flat = support_x.reshape(len(support_x), -1)
    targets = (
        support_y if support_y.ndim == 2 else np.eye(support_y.max() + 1)[support_y]
    )

    def predict(query_x):
        apart = ((query_x.reshape(len(query_x), 1, -1) - flat) ** 2).sum(axis=-1)
        return targets[apart.argmin(axis=1)]

    return predict
