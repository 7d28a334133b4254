"""Sealed hold-outs: the ledger holds where one is read from and what it holds, whatever the workspace file says later.

A hold-out that only a name protects is lost when its dataset is renamed, taken out of the file or edited: the firewall
no longer knows its questions, and training may learn them. A seal is never lifted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, select

from driftgate.benchmarks.datasets import Dataset, DatasetConfig, Sample, load_dataset, parse_config
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

sealed_holdouts = Table(
    "sealed_holdouts",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("content", String(64), primary_key=True),  # hash of the samples
    Column("config", JSON, nullable=False),  # how it is read
    Column("count", Integer, nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Seal:
    """A hold-out that was sealed."""

    name: str
    content: str
    """Hash of its samples, answers included: 64 hexadecimal digits."""
    config: Mapping[str, Any]
    count: int
    sealed_at: datetime


def seal(ledger: Ledger, name: str, config: DatasetConfig, dataset: Dataset) -> Seal:
    """Seal a dataset as it is now; sealing it again changes nothing."""
    create_tables(ledger, metadata)
    made = Seal(
        name,
        _content(dataset.samples),
        config.model_dump(mode="json", exclude_unset=True) | {"kind": config.kind},
        len(dataset.samples),
        datetime.now(UTC),
    )
    with ledger.write() as connection:
        insert_new(connection, sealed_holdouts, [made.__dict__])
    return next(one for one in seals(ledger) if (one.name, one.content) == (name, made.content))


def seals(ledger: Ledger) -> list[Seal]:
    """What was sealed, in the order of the names."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        rows = connection.execute(select(sealed_holdouts).order_by(sealed_holdouts.c.name, sealed_holdouts.c.sealed_at))
        return [Seal(**row._mapping) for row in rows]


def sealed_samples(ledger: Ledger, folder: Path) -> list[Sample]:
    """The samples of every sealed hold-out, for the firewall.

    Raises
    ------
    DriftgateError
        One cannot be read any more or is not what was sealed: what must be kept out of training is not known.
    """
    found: list[Sample] = []
    for one in seals(ledger):
        told = f"the hold-out '{one.name}', sealed on {one.sealed_at:%Y-%m-%d}"
        remedy = "put its file back as it was: nothing is trained on while it is not known what to keep out"
        try:
            samples = load_dataset(one.name, parse_config(one.config), folder).samples
        except DriftgateError as problem:
            raise DriftgateError(f"{told}, cannot be read: {problem.message}", remedy) from problem
        if _content(samples) != one.content:
            raise DriftgateError(f"{told}, is not what it was", remedy)
        found += samples
    return found


def _content(samples: Sequence[Sample]) -> str:
    return hashlib.sha256("\n".join(sorted(sample.edition for sample in samples)).encode()).hexdigest()
