"""Tables of the ledger that hold the lineage of synthetic training data. Rows are added and never changed."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, MetaData, String, Table

from driftgate.ledger import UtcDateTime

metadata = MetaData()

synthetic_sets = Table(
    "synthetic_sets",
    metadata,
    Column("id", String(64), primary_key=True),  # hash of configuration and items
    Column("config_hash", String(16), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("generated", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("report", JSON, nullable=False),  # what was dropped by which filter, and the coverage
    Column("created_at", UtcDateTime, nullable=False),
)

synthetic_items = Table(
    "synthetic_items",
    metadata,
    Column("set_id", ForeignKey("synthetic_sets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("content_hash", String(16), nullable=False, index=True),
    Column("source", String(400), nullable=False),
    Column("source_hash", String(16), nullable=False),
    Column("lineage", JSON, nullable=False),  # generator, seed, filter versions, slice, label, phrasing
)
