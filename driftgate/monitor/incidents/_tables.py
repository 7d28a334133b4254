"""The tables of incidents: where each stands, all that happened to it, which looks were taken in, and nights."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, Text

from driftgate.ledger import UtcDateTime

metadata = MetaData()

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("monitor", String(128), nullable=False, index=True),
    Column("cause", String(250), nullable=False),
    Column("kind", String(48), nullable=False),
    # "monitor|cause" until it is resolved: the database itself allows one open for each.
    Column("open_key", String(400), unique=True),
    Column("state", String(16), nullable=False, index=True),
    Column("severity", String(16), nullable=False),
    Column("summary", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("good_at", UtcDateTime),
    Column("opened_at", UtcDateTime, nullable=False, index=True),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("signs", Integer, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("acknowledged_by", String(200), nullable=False),
    Column("acknowledged_at", UtcDateTime),
    Column("silenced_until", UtcDateTime),
    Column("resolved_by", String(200), nullable=False),
    Column("resolved_at", UtcDateTime),
)

happenings = Table(
    "incident_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", String(32), nullable=False, index=True),
    Column("what", String(16), nullable=False),
    Column("who", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

taken_in = Table(
    "incident_looks",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("by", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

nights = Table(
    "nights",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("exit_code", Integer),
    Column("problem", Text, nullable=False),
    Column("who", String(200), nullable=False),
)
