"""Packages that import what they export when it is first used.

Such a package's ``__init__`` lists its exports once, as imports for the type checker::

    if TYPE_CHECKING:
        from driftgate.benchmarks.report._parity import write_parity
    else:
        __getattr__ = lazily(__name__, __file__)
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def lazily(package: str, file: str) -> Callable[[str], Any]:
    """A module's ``__getattr__`` (PEP 562) that does what its file imports for the type checker only.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    file : str
        Its ``__file__``.
    """
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    blocks = [one for one in tree.body if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING"]
    imports = [one for block in blocks for one in block.body if isinstance(one, ast.ImportFrom)]
    places = {
        alias.asname or alias.name: (f"{'.' * one.level}{one.module}", alias.name)
        for one in imports
        for alias in one.names
    }

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        module, original = places[name]
        found = getattr(import_module(module, package), original)
        setattr(sys.modules[package], name, found)
        return found

    return get
