"""What the keys of the samples that were asked say about all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftgate.ledger import key_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["guessing", "key_frame"]


def guessing(keys: pd.DataFrame) -> float | None:
    """Expected accuracy of choosing at random; None where a sample has no choices."""
    counts = keys["choices"].to_numpy(dtype=float)
    return float((1.0 / counts).mean()) if len(counts) and (counts > 0).all() else None
