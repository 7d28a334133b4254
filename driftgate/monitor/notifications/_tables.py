"""The tables of the outbox: what is to be told, the messages it was put into, and who sends."""

from __future__ import annotations

from threading import Lock
from weakref import WeakSet

from sqlalchemy import JSON, Column, Engine, Float, Integer, MetaData, String, Table, Text, UniqueConstraint, inspect

from driftgate.ledger import Ledger, UtcDateTime, create_tables

metadata = MetaData()

routed = Table(
    "notified_events",
    metadata,
    Column("event", Integer, primary_key=True),  # of incident_events
    Column("incident", String(32), nullable=False, index=True),
    Column("suppressed", Integer, nullable=False),  # 1: the incident was silenced, and nobody was told
    Column("at", UtcDateTime, nullable=False),
)

due = Table(
    "notifications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Integer, nullable=False),
    Column("incident", String(32), nullable=False, index=True),
    Column("channel", String(100), nullable=False),
    Column("message", String(64), index=True),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("event", "channel"),
)

messages = Table(
    "notification_messages",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("channel", String(100), nullable=False, index=True),
    Column("message", JSON, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("failure", Text, nullable=False),
    Column("failed_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("given_up_at", UtcDateTime),
)

senders = Table(
    "notification_senders",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("expires", Float, nullable=False),  # seconds since 1970, UTC
)

_made: WeakSet[Engine] = WeakSet()
_making = Lock()


def make(ledger: Ledger) -> None:
    """Make the tables, where this process has not seen to it yet and they are not there.

    PostgreSQL locks a table to see whether it has an index, which waits for who writes and may be waited for: what is
    there is left alone.
    """
    with _making:
        if ledger.engine in _made:
            return
        with ledger.read() as connection:
            there = set(inspect(connection).get_table_names())
        if not set(metadata.tables) <= there:
            create_tables(ledger, metadata)
        _made.add(ledger.engine)
