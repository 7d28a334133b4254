"""The outbox: what is to reach Azure Monitor is first made durable in the ledger, beside the fact itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, create_tables, insert_new
from driftgate.monitor.azure._payloads import PAYLOADS, Payload
from driftgate.monitor.azure._tables import metadata, outbox

MAX_ATTEMPTS = 5
"""Refusals after which a record is parked: kept, and no longer sent."""

_LONGEST_KEY = 200


@dataclass(frozen=True)
class Pending:
    """A record that waits to be sent."""

    id: int
    key: str
    payload: Payload


@dataclass(frozen=True)
class Parked:
    """A record that the service refused :data:`MAX_ATTEMPTS` times."""

    key: str
    kind: str
    refusal: str


def enqueue(ledger: Ledger, key: str, payload: Payload, *, connection: Connection | None = None) -> None:
    """Put a record into the outbox; one whose key is already there changes nothing.

    Parameters
    ----------
    key : str
        Names the fact, such as ``alert:3f9a02b1c4d5``: the same fact enqueued twice is sent once.
    connection : Connection, optional
        A transaction of the caller's, which then makes the fact and its record durable together.

    Raises
    ------
    DriftgateError
        The key is empty or longer than 200 characters, or the ledger refuses.
    """
    if not 0 < len(key) <= _LONGEST_KEY:
        raise DriftgateError(
            f"an outbox key has {len(key)} characters; expected 1 to {_LONGEST_KEY}", "name the fact more briefly"
        )
    row = {
        "key": key,
        "kind": payload.kind,
        "payload": payload.model_dump(mode="json"),
        "created_at": datetime.now(UTC),
        "attempts": 0,
        "refusal": "",
    }
    if connection is not None:
        metadata.create_all(connection)
        insert_new(connection, outbox, [row])
        return
    create_tables(ledger, metadata)
    with ledger.write() as own:
        insert_new(own, outbox, [row])


def pages(ledger: Ledger, size: int) -> Iterator[list[Pending]]:
    """Records that wait to be sent, oldest first, each once, in pages of ``size``."""
    last = 0
    while True:
        query = _unsent(select(outbox.c.id, outbox.c.key, outbox.c.payload)).where(outbox.c.id > last)
        with ledger.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.id).limit(size)).all()
        if not rows:
            return
        yield [Pending(row.id, row.key, PAYLOADS.validate_python(row.payload)) for row in rows]
        last = rows[-1].id


def mark_sent(ledger: Ledger, ids: list[int]) -> None:
    """Note that the service acknowledged records."""
    if ids:
        with ledger.write() as connection:
            connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=datetime.now(UTC)))


def count_refusals(ledger: Ledger, refusals: Mapping[int, str], *, against: bool) -> None:
    """Keep what the service said of records; ``against`` them brings each one nearer to being parked."""
    with ledger.write() as connection:
        for said in set(refusals.values()):
            ids = [record_id for record_id, refusal in refusals.items() if refusal == said]
            values = {"refusal": said, "attempts": outbox.c.attempts + int(against)}
            connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(values))


def unsent(ledger: Ledger) -> int:
    """How many records wait to be sent."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        return int(connection.execute(_unsent(select(func.count()).select_from(outbox))).scalar_one())


def parked(ledger: Ledger) -> list[Parked]:
    """The records the service keeps refusing, oldest first."""
    create_tables(ledger, metadata)
    query = select(outbox.c.key, outbox.c.kind, outbox.c.refusal).where(_is_parked).order_by(outbox.c.id)
    with ledger.read() as connection:
        return [Parked(row.key, row.kind, row.refusal) for row in connection.execute(query)]


def unpark(ledger: Ledger) -> int:
    """Let parked records be sent again, after what was wrong has been put right; returns how many there were."""
    create_tables(ledger, metadata)
    with ledger.write() as connection:
        return connection.execute(update(outbox).where(_is_parked).values(attempts=0)).rowcount


_is_parked = and_(outbox.c.sent_at.is_(None), outbox.c.attempts >= MAX_ATTEMPTS)


def _unsent(query: Select[Any]) -> Select[Any]:
    return query.where(outbox.c.sent_at.is_(None), outbox.c.attempts < MAX_ATTEMPTS)
