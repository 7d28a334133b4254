"""What the samples of a cell hold: their keys and choices for counting, their whole text for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from driftgate.ledger._schema import asked, samples
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 500


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


def sample_data(ledger: Ledger, sample_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """The content of some samples (question, choices, answer and so on), by id."""
    found: dict[int, Mapping[str, Any]] = {}
    with ledger.read() as connection:
        for start in range(0, len(sample_ids), _CHUNK):
            wanted = [int(i) for i in sample_ids[start : start + _CHUNK]]
            query = select(samples.c.id, samples.c.data).where(samples.c.id.in_(wanted))
            found |= {int(row.id): row.data for row in connection.execute(query)}
    return found
