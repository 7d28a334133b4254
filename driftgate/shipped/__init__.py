"""Where what ships is found: flows, sample sets, recipes and monitors, which a workspace has folders of its own for.

In a wheel they lie in this package as data; in a checkout they are the folders at its top, which are the reference
workspace.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGED = Path(__file__).parent
_CHECKOUT = _PACKAGED.parents[1]


def shipped(folder: Literal["flows", "benchmarks", "monitor", "finetune"]) -> Path:
    """The folder of that name that ships with driftgate.

    Examples
    --------
    >>> (shipped("flows") / "multiple_choice" / "flow.dag.yaml").is_file()
    True
    """
    packaged = _PACKAGED / folder
    return packaged if packaged.is_dir() else _CHECKOUT / folder
