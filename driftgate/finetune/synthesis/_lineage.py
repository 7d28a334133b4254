"""Where every training item comes from: written beside the items, and into the ledger."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.finetune import _tables
from driftgate.finetune.synthesis._coverage import CoverageDataset
from driftgate.finetune.synthesis._values import Candidate
from driftgate.ledger import Ledger, create_tables, insert_new


def lineage_of(item: Candidate, dataset: CoverageDataset) -> dict[str, Any]:
    """What an item was made from and what it passed, as JSON values."""
    return {
        "content_hash": item.content_hash,
        "source": item.source,
        "source_hash": item.source_hash,
        "generator": item.generator,
        "generator_version": item.generator_version,
        "seed": item.seed,
        "filters": {dropped.filter: dropped.version for dropped in dataset.dropped},
        "config_hash": dataset.config_hash,
        "slice": item.slice,
        "label": item.label,
        "phrasing": item.phrasing,
        "model": item.model,
        "prompt_hash": item.prompt_hash,
        "cluster": item.cluster,
    }


def report_of(dataset: CoverageDataset) -> dict[str, Any]:
    """Counts of a coverage dataset as JSON values."""
    return {
        "kept": len(dataset.items),
        "generated": dataset.generated,
        "surplus": dataset.surplus,
        "redactions": dataset.redactions,
        "dropped": [asdict(dropped) for dropped in dataset.dropped],
        "coverage": [
            {"slice": slice, "label": label, "phrasing": phrasing, "count": count}
            for (slice, label, phrasing), count in dataset.cells.items()
        ],
        "letters": dict(sorted(dataset.letters.items())),
        "distinct_2": round(dataset.distinct_2, 4),
        "rejected": dict(Counter(f"{reject.filter}.{reject.kind}" for reject in dataset.rejects)),
        "clusters": None if dataset.coverage is None else [asdict(cluster) for cluster in dataset.coverage.clusters],
        "unread": [asdict(one) for one in dataset.unread],
        "spent": asdict(dataset.spent),
        "config_hash": dataset.config_hash,
        "seed": dataset.seed,
    }


def as_samples(dataset: CoverageDataset, name: str) -> list[Sample]:
    """The items as samples of a dataset, so that a flow renders them for training as it does for measuring.

    Parameters
    ----------
    name : str
        The dataset's name; a sample's ``id`` is its item's content hash, by which its lineage is found.
    """
    return [as_sample(item, name, position) for position, item in enumerate(dataset.items)]


def as_sample(item: Candidate, name: str, position: int = 0) -> Sample:
    """One item as a sample of a dataset; see :func:`as_samples`."""
    return make_sample(name, "train", position, item.data, id=item.content_hash, category=item.slice)


def record_dataset(ledger: Ledger, dataset: CoverageDataset, at: datetime | None = None) -> str:
    """Write a dataset's report and lineage to the ledger, once, and return its id."""
    create_tables(ledger, _tables.metadata)
    hashes = [item.content_hash for item in dataset.items]
    key = hashlib.sha256("\n".join([dataset.config_hash, *hashes]).encode()).hexdigest()
    head = {
        "id": key,
        "config_hash": dataset.config_hash,
        "seed": dataset.seed,
        "generated": dataset.generated,
        "kept": len(dataset.items),
        "report": report_of(dataset),
        "created_at": at or datetime.now(UTC),
    }
    rows = [
        {
            "set_id": key,
            "position": position,
            "content_hash": item.content_hash,
            "source": item.source,
            "source_hash": item.source_hash,
            "lineage": lineage_of(item, dataset),
        }
        for position, item in enumerate(dataset.items)
    ]
    with ledger.write() as connection:
        insert_new(connection, _tables.synthetic_sets, [head])
        insert_new(connection, _tables.synthetic_items, rows)
    return key


def recorded_lineage(ledger: Ledger, set_id: str) -> list[dict[str, Any]]:
    """Lineage of the items of a set, in their order; empty where no such set was recorded."""
    create_tables(ledger, _tables.metadata)
    table = _tables.synthetic_items
    with ledger.read() as connection:
        rows = connection.execute(select(table.c.lineage).where(table.c.set_id == set_id).order_by(table.c.position))
        return [dict(row.lineage) for row in rows]
