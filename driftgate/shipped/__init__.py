"""Where what ships is found: flows, sample sets, recipes and monitors, which a workspace has folders of its own for.

In a wheel they lie in this package as data; in a checkout they are the folders at its top. Either way they are a
workspace, with its ``driftgate.yaml``: the one that ``make nightly`` runs and that ``driftgate init`` copies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Folder = Literal["flows", "benchmarks", "monitor", "finetune"]
FOLDERS: tuple[Folder, ...] = ("flows", "benchmarks", "monitor", "finetune")
"""The folders of a workspace."""
_PACKAGED = Path(__file__).parent
_CHECKOUT = _PACKAGED.parents[1]


def shipped(folder: Folder) -> Path:
    """The folder of that name that ships with driftgate.

    Examples
    --------
    >>> (shipped("flows") / "multiple_choice" / "flow.dag.yaml").is_file()
    True
    """
    return reference_workspace() / folder


def reference_workspace() -> Path:
    """The workspace that ships with driftgate.

    Examples
    --------
    >>> (reference_workspace() / "driftgate.yaml").is_file()
    True
    """
    return _PACKAGED if (_PACKAGED / "flows").is_dir() else _CHECKOUT
