"""What samples hold: their right answers and choices for counting, their whole text for a person."""

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
    """The right answer and the number of choices of every sample asked for in a cell, without the samples' text.

    Returns
    -------
    pandas.DataFrame
        ``sample_id``, ``gold``, the right answer (None where it is no text), ``choices`` (0 where the sample has none)
        and ``own_id``, the id that its dataset gives it (empty where it is named by its place).
    """
    import pandas as pd

    query = (
        select(
            samples.c.id,
            samples.c.data["answer"].label("gold"),
            samples.c.data["choices"].label("choices"),
            samples.c.upstream_id,
            samples.c.subset,
            samples.c.position,
        )
        .select_from(asked.join(samples, samples.c.id == asked.c.sample_id))
        .where(asked.c.cell_id == cell_id)
    )
    with ledger.read() as connection:
        rows = [
            (
                row.id,
                row.gold if isinstance(row.gold, str) else None,
                len(row.choices) if row.choices else 0,
                "" if row.upstream_id == f"{row.subset}:{row.position}" else row.upstream_id,
            )
            for row in connection.execute(query)
        ]
    return pd.DataFrame(rows, columns=["sample_id", "gold", "choices", "own_id"])


def keys_of_editions(ledger: Ledger, editions: Sequence[str]) -> dict[str, str]:
    """The key of each of some editions of samples that the ledger holds."""
    found: dict[str, str] = {}
    with ledger.read() as connection:
        for start in range(0, len(editions), _CHUNK):
            wanted = editions[start : start + _CHUNK]
            query = select(samples.c.edition, samples.c.key).where(samples.c.edition.in_(wanted))
            found |= {row.edition: row.key for row in connection.execute(query)}
    return found


def editions_of(ledger: Ledger, cell_id: int) -> dict[str, tuple[str, str]]:
    """Every sample asked for in a cell, by its edition: its key, and the id that its dataset gives it."""
    query = (
        select(samples.c.edition, samples.c.key, samples.c.upstream_id)
        .select_from(asked.join(samples, samples.c.id == asked.c.sample_id))
        .where(asked.c.cell_id == cell_id)
    )
    with ledger.read() as connection:
        return {row.edition: (row.key, row.upstream_id) for row in connection.execute(query)}


def sample_data(ledger: Ledger, sample_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """The content of some samples (question, choices, answer and so on), by id."""
    found: dict[int, Mapping[str, Any]] = {}
    with ledger.read() as connection:
        for start in range(0, len(sample_ids), _CHUNK):
            wanted = [int(i) for i in sample_ids[start : start + _CHUNK]]
            query = select(samples.c.id, samples.c.data).where(samples.c.id.in_(wanted))
            found |= {int(row.id): row.data for row in connection.execute(query)}
    return found
