"""The tables of the outbox: what is to be told, the messages it was put into, and who sends."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Integer, MetaData, String, Table, Text, UniqueConstraint

from driftgate.ledger import UtcDateTime

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

superseded = Table(
    "notification_superseded",
    metadata,
    Column("key", String(64), primary_key=True),  # of notification_messages: one that its channel did not take
    Column("by", String(64), nullable=False),  # the newer one of the same incidents, which it took
    Column("at", UtcDateTime, nullable=False),
)

senders = Table(
    "notification_senders",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("expires", Float, nullable=False),  # seconds since 1970, UTC
)
