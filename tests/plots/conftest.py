"""Every test has matplotlib's settings for itself and leaves no figure open."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    with plt.rc_context():
        yield
    plt.close("all")
