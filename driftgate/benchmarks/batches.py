"""What a run remembers of the batches that its requests are delivered in; rows are added and never changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import JSON, Column, MetaData, String, Table, select

from driftgate.flows.models import KeptBatch
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

_batches = Table(
    "batches",
    metadata,
    Column("key", String, primary_key=True),
    Column("run_id", String, nullable=False, index=True),
    Column("model", String, nullable=False),
    Column("path", String, nullable=False),
    Column("file", String, nullable=False),  # the service's id of the file of the requests
    Column("requests", JSON, nullable=False),  # their ids, which are hashes
    Column("at", UtcDateTime, nullable=False),
)

_submissions = Table(
    "batch_submissions",
    metadata,
    Column("key", String, primary_key=True),
    Column("batch", String, nullable=False),  # the service's id of the batch
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class LedgerBatches:
    """A :class:`driftgate.flows.models.BatchBook` over the ledger."""

    ledger: Ledger
    run: str

    async def kept(self, model: str) -> Sequence[KeptBatch]:
        """The batches of a model in the run, the oldest first."""
        return await asyncio.to_thread(self._kept, model)

    async def begin(self, batch: KeptBatch) -> None:
        """Remember a batch durably, before it is submitted."""
        await asyncio.to_thread(self._begin, batch)

    async def submitted(self, batch: KeptBatch) -> None:
        """Remember durably what the service calls it."""
        await asyncio.to_thread(self._submitted, batch)

    def _kept(self, model: str) -> list[KeptBatch]:
        create_tables(self.ledger, metadata)
        query = (
            select(_batches, _submissions.c.batch)
            .join(_submissions, _submissions.c.key == _batches.c.key, isouter=True)
            .where(_batches.c.run_id == self.run, _batches.c.model == model)
            .order_by(_batches.c.at, _batches.c.key)
        )
        with self.ledger.read() as connection:
            rows = connection.execute(query).all()
        return [
            KeptBatch(row.key, row.model, row.path, row.file, row.requests, row.at, row.batch or "") for row in rows
        ]

    def _begin(self, batch: KeptBatch) -> None:
        create_tables(self.ledger, metadata)
        row = {
            "key": batch.key,
            "run_id": self.run,
            "model": batch.model,
            "path": batch.path,
            "file": batch.file,
            "requests": list(batch.requests),
            "at": batch.at,
        }
        with self.ledger.write() as connection:
            insert_new(connection, _batches, [row])

    def _submitted(self, batch: KeptBatch) -> None:
        row = {"key": batch.key, "batch": batch.batch, "at": datetime.now(UTC)}
        with self.ledger.write() as connection:
            insert_new(connection, _submissions, [row])


def under_way(ledger: Ledger, run_id: str, since: datetime) -> bool:
    """Whether requests of a run were handed in as a batch after a moment."""
    create_tables(ledger, metadata)
    query = select(_batches.c.key).where(_batches.c.run_id == run_id, _batches.c.at >= since).limit(1)
    with ledger.read() as connection:
        return connection.execute(query).first() is not None
