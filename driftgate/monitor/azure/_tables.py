"""The outbox's table."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, MetaData, String, Table, Text

from driftgate.ledger import UtcDateTime

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # a payload's own
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),  # when the service acknowledged it
    Column("attempts", Integer, nullable=False, default=0),  # deliveries refused for the record's own sake
    Column("refusal", Text, nullable=False, default=""),  # what the service said of it last
    Index("outbox_unsent", "sent_at", "id"),
)
