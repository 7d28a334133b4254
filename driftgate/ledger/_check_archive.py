"""Whether the files of the archive are what the ledger says they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from driftgate.ledger._archive import strays
from driftgate.ledger._archive_files import digest_of, missing_file, path_of
from driftgate.ledger._schema import archives, cells
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class Fault:
    """Something in a ledger that ought not to be."""

    found: str
    remedy: str


@dataclass(frozen=True)
class ArchiveSize:
    """What the archive takes."""

    folder: Path
    files: int
    rows: int
    bytes: int


def archive_size(ledger: Ledger) -> ArchiveSize:
    """What the archive takes, as the ledger knows it."""
    with ledger.read() as connection:
        rows = connection.execute(select(archives)).all()
    return ArchiveSize(ledger.archive, len(rows), sum(row.rows for row in rows), sum(row.bytes for row in rows))


def archive_faults(ledger: Ledger) -> Iterator[Fault]:
    """Files that are missing, that are not what they were, and files of this ledger that no row names."""
    query = select(archives, cells.c.run_id).join(cells, cells.c.id == archives.c.cell_id)
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(archives.c.at, archives.c.file)).all()
        lost = strays(ledger, connection) if ledger.archive.is_dir() else []
    for row in rows:
        path = path_of(ledger.archive, row.file)
        if not path.exists():
            yield Fault(*missing_file(path, row.run_id))
        elif (size := path.stat().st_size) != row.bytes:
            yield _changed(path, row.run_id, f"has {size:,} bytes instead of {row.bytes:,}")
        elif digest_of(path) != row.file:
            yield _changed(path, row.run_id, "does not have the content that it is named by")
    for path in lost:
        yield Fault(
            f"nothing names the archive's file {path}: who wrote or removed it was killed",
            "driftgate ledger archive removes it; no text is only there",
        )


def _changed(path: Path, run: str, how: str) -> Fault:
    return Fault(f"the archive's file {path} of run {run} {how}", "restore a copy of it: what is in it is nowhere else")
