"""Solid work: kernel ridge, its settings chosen on the support set, with a question
asked of each kind of task.

Values: a smooth curve, its length and penalty by the error on examples left out, and a
straight line as a rival. Classes: the same regression on one column for each class. It
learns nothing from other families.
"""

import numpy as np

LENGTHS, PENALTIES = np.geomspace(0.3, 10, 10), np.geomspace(1e-3, 3, 8)


def learn(support_x, support_y):
    flat = support_x.reshape(len(support_x), -1).astype(float)
    targets = (
        support_y.astype(float)
        if support_y.ndim == 2
        else np.eye(support_y.max() + 1)[support_y]
    )
    scale = flat.std(axis=0) + 1e-6 if flat.shape[1] < 50 else np.ones(flat.shape[1])
    centre = targets.mean(axis=0)

    def features(x):
        return np.hstack(
            [np.ones((len(x), 1)), (x.reshape(len(x), -1) - flat.mean(axis=0)) / scale]
        )

    def kernel(a, b, length):
        if length is None:
            return features(a) @ features(b).T
        a, b = (x.reshape(len(x), -1) / scale for x in (a, b))
        squares = ((a[:, None] - b) ** 2).mean(axis=-1)
        return np.exp(-squares / (2 * length**2))

    def left_out(length, penalty):
        inverse = np.linalg.inv(
            kernel(flat, flat, length) + penalty * np.eye(len(flat))
        )
        return (
            ((inverse @ (targets - centre)) / np.diag(inverse)[:, None]) ** 2
        ).mean()

    settings = [
        (length, penalty) for length in (None, *LENGTHS) for penalty in PENALTIES
    ]
    length, penalty = min(settings, key=lambda setting: left_out(*setting))
    weights = np.linalg.solve(
        kernel(flat, flat, length) + penalty * np.eye(len(flat)), targets - centre
    )
    return lambda query_x: centre + kernel(query_x, flat, length) @ weights
