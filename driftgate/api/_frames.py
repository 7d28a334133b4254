"""Frames of several cells as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of several frames, numbered anew; a column of which a frame knows nothing is of the others' kind.

    pandas would warn of it, and will make it of another kind.

    Examples
    --------
    >>> import pandas as pd
    >>> found = stacked([pd.DataFrame({"latency": [None, None]}), pd.DataFrame({"latency": [0.5]})])
    >>> found["latency"].dtype, len(found)
    (dtype('float64'), 3)
    """
    import pandas as pd

    known: dict[Any, Any] = {}
    for frame in frames:
        for name in frame.columns[frame.notna().any()]:
            known.setdefault(name, "float64" if frame[name].dtype.kind in "iu" else frame[name].dtype)
    kept = []
    for frame in frames:
        empty = set(frame.columns[frame.isna().all()])
        kept.append(frame.astype({name: kind for name, kind in known.items() if name in empty and str(kind) != "bool"}))
    return pd.concat(kept, ignore_index=True)
