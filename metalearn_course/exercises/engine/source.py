"""The source of functions, as text and as a syntax tree."""

import ast
import inspect
import textwrap
from collections.abc import Callable


def definition(function: Callable) -> tuple[str, ast.FunctionDef]:
    """The source of a function without its indentation, and the tree of its `def`.

    Raises:
        TypeError: if it was not written with `def`.
    """
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(source).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"function is {function!r}, expected one that is written with `def`")
    return source, tree
