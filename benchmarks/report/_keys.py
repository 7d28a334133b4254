"""The keys of the samples that were asked, for what is counted over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from benchmarks.ledger import Ledger
from benchmarks.ledger._schema import asked, samples

if TYPE_CHECKING:
    import pandas as pd


def key_frame(ledger: Ledger, cell_id: int) -> pd.DataFrame:
    """The key and the number of choices of every sample asked for in a cell, without the samples' text.

    Returns
    -------
    pandas.DataFrame
        ``sample_id``, ``gold``, the key (None where the sample has none) and ``choices`` (0 where it has none).
    """
    import pandas as pd

    query = (
        select(samples.c.id, samples.c.data["answer"].label("gold"), samples.c.data["choices"].label("choices"))
        .select_from(asked.join(samples, samples.c.id == asked.c.sample_id))
        .where(asked.c.cell_id == cell_id)
    )
    with ledger.read() as connection:
        rows = [
            (row.id, row.gold if isinstance(row.gold, str) else None, len(row.choices) if row.choices else 0)
            for row in connection.execute(query)
        ]
    return pd.DataFrame(rows, columns=["sample_id", "gold", "choices"])


def guessing(keys: pd.DataFrame) -> float | None:
    """Expected accuracy of choosing at random; None where a sample has no choices."""
    counts = keys["choices"].to_numpy(dtype=float)
    return float((1.0 / counts).mean()) if len(counts) and (counts > 0).all() else None
