"""Whether a ledger is whole, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, column, exists, func, inspect, select, table, text
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import DatabaseError

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import _schema
from driftgate.ledger._check_archive import ArchiveSize, Fault, archive_faults, archive_size
from driftgate.ledger._content import run_hash
from driftgate.ledger._forgotten import Forgetting, forgotten_before
from driftgate.ledger._pack import page_faults
from driftgate.ledger._repeats import newest_rounds, repeats_in
from driftgate.ledger._schema import asked, cells, evaluated_lines, evaluations, node_outputs, outcomes, runs, verdicts
from driftgate.ledger._space import database_bytes
from driftgate.ledger._store import Ledger

_OF_SAMPLES = (outcomes, node_outputs, evaluations, evaluated_lines)
_SHOWN = 5
_PAGES = "restore a copy of the ledger: what is in it is nowhere else"


@dataclass(frozen=True)
class TableSize:
    """A table and what it takes."""

    name: str
    rows: int
    bytes: int | None
    """With its indexes; None where the database does not say it."""


@dataclass(frozen=True)
class Checked:
    """What became of checking a ledger."""

    format: int
    tables: tuple[TableSize, ...]
    """The largest first."""
    samples: int | None
    """Samples that were asked, over all runs; None where the database is damaged."""
    bytes: int | None
    """Everything in the database, free pages and the write-ahead log included."""
    archive: ArchiveSize
    verdicts: int
    """Verdicts whose runs were hashed anew."""
    faults: tuple[Fault, ...]
    forgotten: tuple[Forgetting, ...] = ()
    """The newest first."""

    @property
    def bytes_per_sample(self) -> float | None:
        """What a sample that was asked takes in database and archive, with its share of everything else."""
        return None if self.bytes is None or not self.samples else (self.bytes + self.archive.bytes) / self.samples


def check_ledger(ledger: Ledger) -> Checked:
    """Read a ledger whole: its pages, references, runs and archive, and every newest verdict's hashes.

    Raises
    ------
    DriftgateError
        It cannot be read at all.
    """
    with ledger.read() as connection:
        if damage := tuple(_damage(connection)):  # what is read of it further on may be wrong, or fail
            nothing = ArchiveSize(ledger.archive, 0, 0, 0)
            return Checked(_schema.VERSION, (), None, database_bytes(connection), nothing, 0, damage)
        tables = inspect(connection)
        faults = [*_orphans(connection, tables), *_unasked(connection), *_unfinished(connection)]
        faults += [Fault(found, _PAGES) for found in page_faults(connection)]
        sizes = tuple(_sizes(connection, tables))
        whole = database_bytes(connection)
        samples = connection.execute(select(func.count()).select_from(asked)).scalar_one()
    rests = _verdicts(ledger)
    faults += [*archive_faults(ledger), *_changed(ledger, rests)]
    return Checked(
        _schema.VERSION,
        sizes,
        samples,
        whole,
        archive_size(ledger),
        len(rests),
        tuple(dict.fromkeys(faults)),
        tuple(forgotten_before(ledger)),
    )


def _damage(connection: Connection) -> Iterator[Fault]:
    """Pages and indexes that SQLite finds damaged; PostgreSQL says so itself when it reads them."""
    if connection.dialect.name != "sqlite":
        return
    try:
        said = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN})")]
    except DatabaseError as problem:  # so damaged that even this ends early
        said = [str(problem.orig)]
    for one in said:
        if one != "ok":
            remedy = "restore a copy: what is damaged cannot be told from what is not"
            yield Fault(f"the database is damaged: {one}", remedy)


def _orphans(connection: Connection, found: Inspector) -> Iterator[Fault]:
    """Rows that refer to rows that are not there, in every table of the database."""
    for name in sorted(found.get_table_names()):
        for key in found.get_foreign_keys(name):
            mine, theirs = key["constrained_columns"], key["referred_columns"]
            child = table(name, *map(column, mine)).alias("child")
            parent = table(key["referred_table"], *map(column, theirs)).alias("parent")
            pairs = [child.c[one] == parent.c[other] for one, other in zip(mine, theirs, strict=True)]
            named = [child.c[one].is_not(None) for one in mine]
            query = select(func.count()).select_from(child).where(*named, ~exists().where(and_(*pairs)))
            if lost := connection.execute(query).scalar_one():
                yield Fault(
                    f"{lost:,} rows of {name} refer to {key['referred_table']} that are not there",
                    "rows were deleted by hand: restore a copy, or delete these as well",
                )


def _unasked(connection: Connection) -> Iterator[Fault]:
    """What is recorded of samples that were never asked for in their cell."""
    for one in _OF_SAMPLES:
        here = (asked.c.cell_id == one.c.cell_id) & (asked.c.sample_id == one.c.sample_id)
        query = select(func.count()).select_from(one).where(~exists().where(here))
        if lost := connection.execute(query).scalar_one():
            yield Fault(
                f"{lost:,} rows of {one.name} are of samples that their cell did not ask for",
                "rows were deleted by hand: restore a copy",
            )


def _unfinished(connection: Connection) -> Iterator[Fault]:
    """Runs that are called complete and have samples without an outcome; recorded answers may lack some."""
    counted = runs.c.status == "complete", runs.c.kind.not_in(("import", "baseline"))
    answered = (outcomes.c.cell_id == asked.c.cell_id) & (outcomes.c.sample_id == asked.c.sample_id)
    query = (
        select(runs.c.id, func.count().label("lost"))
        .select_from(runs.join(cells, cells.c.run_id == runs.c.id).join(asked, asked.c.cell_id == cells.c.id))
        .where(*counted, ~exists().where(answered))
        .group_by(runs.c.id)
        .order_by(runs.c.id)
    )
    for run, lost in connection.execute(query):
        yield Fault(
            f"run {run} is called complete, and {lost:,} of its samples have no outcome",
            "its scores count them as missing; run the suite anew",
        )
    of_cells = select(cells.c.id, cells.c.run_id, cells.c.details).join(runs, runs.c.id == cells.c.run_id)
    for cell in connection.execute(of_cells.where(*counted).order_by(cells.c.id)).all():
        if (repeats := repeats_in(cell.details)) > 1 and (lost := _unasked_repeats(connection, cell.id, repeats)):
            yield Fault(
                f"run {cell.run_id} is called complete, and {lost:,} repeats of its samples have no outcome",
                "its scores count them as missing; run the suite anew",
            )


def _unasked_repeats(connection: Connection, cell_id: int, repeats: int) -> int:
    """How many repeats have no outcome, of samples that have one."""
    newest = newest_rounds(outcomes, cell_id, repeats).subquery()
    counted = select(func.count(), func.count(newest.c.sample_id.distinct())).select_from(newest)
    there, samples = connection.execute(counted).one()
    return int(samples) * repeats - int(there)


def _verdicts(ledger: Ledger) -> list[tuple[str, str, str, dict[str, str]]]:
    """The newest verdict of every gate on every run: run, gate, verdict, and the hash of each run that it rests on."""
    newest = select(func.max(verdicts.c.id)).group_by(verdicts.c.run_id, verdicts.c.gate)
    query = select(verdicts).where(verdicts.c.id.in_(newest)).order_by(verdicts.c.id)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [(row.run_id, row.gate, row.verdict, dict(row.details.get("runs") or {})) for row in rows]


def _changed(ledger: Ledger, rests: list[tuple[str, str, str, dict[str, str]]]) -> Iterator[Fault]:
    hashes: dict[str, str | None] = {}
    for run, gate, verdict, named in rests:
        for one, known in named.items():
            try:
                now = hashes[one] if one in hashes else hashes.setdefault(one, _hash(ledger, one))
            except DriftgateError as problem:  # its archive cannot be read
                yield Fault(problem.message, problem.remedy)
                continue
            if now != known:
                what = "is not there any more" if now is None else "has changed"
                yield Fault(
                    f"run {one} {what} since gate '{gate}' said {verdict} of run {run}",
                    f"if it was asked again, judge it again: driftgate gate {run} --gate {gate}; else restore a copy",
                )


def _hash(ledger: Ledger, run: str) -> str | None:
    with ledger.read() as connection:
        if connection.execute(select(runs.c.id).where(runs.c.id == run)).first() is None:
            return None
    return run_hash(ledger, run)


def _sizes(connection: Connection, found: Inspector) -> list[TableSize]:
    names = found.get_table_names()
    sizes = _bytes(connection, found, names)
    counted = [
        TableSize(name, connection.execute(select(func.count()).select_from(table(name))).scalar_one(), sizes.get(name))
        for name in names
    ]
    return sorted(counted, key=lambda one: (-(one.bytes or 0), -one.rows, one.name))


def _bytes(connection: Connection, found: Inspector, names: list[str]) -> dict[str, int]:
    """What each table takes with its indexes; empty where the database cannot say it."""
    if connection.dialect.name == "postgresql":
        size = text("SELECT pg_total_relation_size(to_regclass(quote_ident(:name)))")
        return {name: int(connection.execute(size, {"name": name}).scalar_one()) for name in names}
    options = {row[0] for row in connection.exec_driver_sql("PRAGMA compile_options")}
    if "ENABLE_DBSTAT_VTAB" not in options:
        return {}
    of = {row[0]: row[1] for row in connection.exec_driver_sql("SELECT name, tbl_name FROM sqlite_master")}
    sizes: dict[str, int] = {}
    for name, taken in connection.exec_driver_sql("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name"):
        if name in of:
            sizes[of[name]] = sizes.get(of[name], 0) + int(taken)
    return sizes
