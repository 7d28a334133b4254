"""Forget a sample, or whatever has a text, in every table; what was measured, paired and decided stands.

The lines of a run go in one transaction each, then everything that is not of a run in another, and the questions last:
who is killed in between can begin anew and finds what is left. A forgetting is called done only once nothing of it is
in the database's free pages either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, String, Table, Text, bindparam, delete, insert, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import FORGOTTEN, Needles, strings_in
from driftgate.ledger._archive import remove_strays
from driftgate.ledger._content import remaining_hash, run_hash
from driftgate.ledger._details import detail_rows
from driftgate.ledger._expire import Within, forgetting, without_texts
from driftgate.ledger._forget_lines import asked_lines, forget_lines, lines_with
from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import (
    DETAILS,
    cells,
    expired_samples,
    forgettings,
    forgotten_runs,
    replies,
    runs,
    samples,
)
from driftgate.ledger._space import Space, give_back
from driftgate.ledger._store import Ledger
from driftgate.ledger._texts import matching_texts

_CHUNK = 500
_LEAST = 24
"""A text of a sample is looked for elsewhere if it has so many characters: shorter ones are said of others too."""
_OWN = {"texts", "pages", "archives", "meta", "replies", "samples", "outcomes", "forgettings", "forgotten_runs"} | {
    table.name for table in DETAILS
}
"""Tables that are gone through by themselves, or hold no text."""
_SAID = {"reason", "problem", "refusal", "remedy", "message", "error", "words", "label", "source"}
"""Columns of other tables, apart from JSON, in which there are words and not names."""


@dataclass(frozen=True)
class Sought:
    """What is to be forgotten, as the ledger has it."""

    what: str
    """``sample``, ``matching`` or ``user``."""
    subject: str
    """The sample's key; empty for a text or a user, which are not kept."""
    samples: frozenset[int]
    """Samples that are forgotten whole."""
    needles: Needles
    """Texts that are looked for everywhere else."""
    shared: int = 0
    """Texts of the sample that are those of others as well, and so are not looked for."""
    calls: int = 0
    """Calls of production that went before, of a user."""


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten, or would be."""

    samples: int
    lines: int
    """Samples in cells."""
    runs: int
    replies: int
    rows: Mapping[str, int]
    """Of other tables, by table."""
    named: Mapping[str, int]
    """Rows, by table and column, in which it is part of a name: they stand, since other rows go by it."""
    space: Space | None = None


def find_sample(ledger: Ledger, name: str) -> Sought:
    """A sample by its key, or by the id that its dataset gives it.

    Raises
    ------
    DriftgateError
        There is none, or several samples have the id.
    """
    columns = (samples.c.id, samples.c.key, samples.c.data)
    with ledger.read() as connection:
        rows = connection.execute(select(*columns).where(samples.c.key == name)).all()
        rows = rows or connection.execute(select(*columns).where(samples.c.upstream_id == name)).all()
        if not rows:
            raise DriftgateError(
                f"the ledger has no sample {name!r}", "name it by its key or id: driftgate runs samples RUN shows them"
            )
        if len(keys := sorted({row.key for row in rows})) > 1:
            raise DriftgateError(
                f"{len(keys)} samples have the id {name!r}: {', '.join(keys[:5])}", "name one by its key"
            )
        ids = frozenset(row.id for row in rows)
        texts = sorted({text for row in rows for text in strings_in(row.data) if len(text) >= _LEAST} - {FORGOTTEN})
        others = connection.execute(select(samples.c.data).where(samples.c.id.not_in(ids)))
        alone = set(texts)
        for (data,) in others:
            alone = {text for text in alone if not Needles((text,)).in_value(data)} if alone else alone
    return Sought("sample", keys[0], ids, Needles(tuple(sorted(alone))), len(texts) - len(alone))


def find_text(ledger: Ledger, text: str) -> Sought:
    """Everything that has a text, in whatever case, and composed or not.

    Raises
    ------
    DriftgateError
        It is too short to mean one thing.
    """
    needles = Needles((text.strip(),))
    if len(text.strip()) < 2:
        raise DriftgateError("the text to forget has fewer than 2 characters", "give more of it")
    with ledger.read() as connection:
        query = select(samples.c.id, samples.c.data, samples.c.upstream_id, samples.c.cluster)
        ids = frozenset(row.id for row in connection.execute(query) if any(map(needles.in_value, row[1:])))
    return Sought("matching", "", ids, needles)


def forget(ledger: Ledger, sought: Sought, who: str, *, dry: bool = False) -> Forgotten:
    """Remove what is sought from every table, or count it.

    Raises
    ------
    DriftgateError
        The archive cannot be read, a run that has it is being asked, or the ledger refuses. What is left can be
        forgotten by another call.
    """
    at = datetime.now(UTC)
    lines = _lines(ledger, sought)
    with ledger.read() as connection:
        of_run = {row.id: row.run_id for row in connection.execute(select(cells.c.id, cells.c.run_id))}
        other = _other_rows(connection, sought, of_run)
    by_run: dict[str, dict[int, set[int]]] = {run: {} for run in other.runs}
    for cell_id, ids in lines.items():
        by_run.setdefault(of_run[cell_id], {})[cell_id] = ids
    if dry:
        cached = _forget_replies(ledger, sought.needles, set(), set(by_run), dry=True)
        return _counted(ledger, sought, lines, by_run, cached, other)
    _check_ended(ledger, by_run)
    number = _begin(ledger, sought, who, at)
    said: set[str] = set()
    for run, of_cells in by_run.items():
        with forgetting(ledger) as connection:
            within = Within(ledger.engine, ledger.archive, connection)
            content = run_hash(within, run)
            for cell_id, ids in of_cells.items():
                said |= forget_lines(within, connection, cell_id, ids, at)
            for change in other.of_run(run):
                change.carry_out(connection)
            row = {"forgetting_id": number, "run_id": run, "content": content}
            connection.execute(insert(forgotten_runs), [row | {"remains": remaining_hash(within, run)}])
    cached = _forget_replies(ledger, sought.needles, said, set(by_run), dry=False)
    with forgetting(ledger) as connection:
        for change in other.of_run(None):
            change.carry_out(connection)
        counted = _counted(ledger, sought, lines, by_run, cached, other)
        _forget_samples(connection, sought, at)
    remove_strays(ledger)
    with ledger.read() as connection:
        every = MetaData()
        every.reflect(connection)
    space = give_back(ledger, every.sorted_tables)
    if not space.told or ledger.engine.dialect.name == "postgresql":  # else its free pages may still have it
        counts = {name: getattr(counted, name) for name in ("samples", "lines", "runs", "replies")}
        counts |= {"calls": sought.calls} if sought.what == "user" else {}
        with ledger.write() as connection:
            ended = update(forgettings).where(forgettings.c.id == number)
            connection.execute(ended.values(done=datetime.now(UTC), counts=counts))
    return Forgotten(**{**vars(counted), "space": space})


def said_on(ledger: Ledger, sought: Sought) -> Needles:
    """Longer texts that were said where something is to be forgotten: prompts, replies, reasons of judges."""
    found: set[str] = set()
    for cell_id, ids in _lines(ledger, sought).items():
        for table in DETAILS:
            names = [column.name for column in table.c if column.name not in ("cell_id", "sample_id", "round")]
            for row in detail_rows(ledger, table, cell_id, names, samples=ids):
                found |= {text for text in strings_in(list(row)) if len(text) >= _LEAST}
    return Needles(tuple(sorted(found)))


def note_run(ledger: Ledger, run: str, who: str, *, done: bool) -> None:
    """Keep that a run was forgotten, or is being forgotten."""
    if done:
        mine = (forgettings.c.what == "run") & (forgettings.c.subject == run) & forgettings.c.done.is_(None)
        with ledger.write() as connection:
            connection.execute(update(forgettings).where(mine).values(done=datetime.now(UTC)))
    else:
        _begin(ledger, Sought("run", run, frozenset(), Needles(())), who, datetime.now(UTC))


def _lines(ledger: Ledger, sought: Sought) -> dict[int, set[int]]:
    with ledger.read() as connection:
        found = asked_lines(connection, sought.samples)
        if sought.what == "matching":
            hits = matching_texts(connection, sought.needles)
            for cell_id in connection.execute(select(cells.c.id)).scalars().all():
                if more := lines_with(ledger, connection, cell_id, sought.needles, hits):
                    found.setdefault(cell_id, set()).update(more)
    return found


@dataclass(frozen=True)
class _Change:
    """New values of a row of a table that is not gone through by itself."""

    table: Table
    key: Mapping[str, Any]
    values: Mapping[str, Any]
    run: str | None
    """Whose content it is part of."""

    def carry_out(self, connection: Connection) -> None:
        this = [self.table.c[name] == value for name, value in self.key.items()]
        connection.execute(update(self.table).where(*this).values(dict(self.values)))


@dataclass(frozen=True)
class _Others:
    changes: list[_Change]
    named: Mapping[str, int]

    @property
    def runs(self) -> set[str]:
        return {change.run for change in self.changes if change.run is not None}

    def of_run(self, run: str | None) -> list[_Change]:
        return [change for change in self.changes if change.run == run]


def _other_rows(connection: Connection, sought: Sought, of_run: Mapping[int, str]) -> _Others:
    """Rows of all other tables in which it is, whichever package keeps them."""
    changes: list[_Change] = []
    named: dict[str, int] = {}
    if not sought.needles.texts:
        return _Others(changes, named)
    every = MetaData()
    every.reflect(connection)
    for table in every.sorted_tables:
        keys = [column.name for column in table.primary_key.columns]
        columns = [column for column in table.c if isinstance(column.type, (JSON, String, Text))]
        if table.name == "samples":
            columns = [column for column in columns if column.name not in ("data", "upstream_id", "cluster")]
        elif table.name in _OWN:
            continue
        for row in connection.execute(select(table)).mappings().all():
            values: dict[str, Any] = {}
            for column in columns:
                if not sought.needles.in_value(row[column.name]):
                    continue
                free = column.name not in keys and not column.foreign_keys
                if free and (isinstance(column.type, JSON) or column.name in _SAID):
                    values[column.name] = sought.needles.without(row[column.name])
                else:
                    place = f"{table.name}.{column.name}"
                    named[place] = named.get(place, 0) + 1
            if values:
                changes.append(_Change(table, {name: row[name] for name in keys}, values, _run_of(table, row, of_run)))
    return _Others(changes, named)


def _run_of(table: Table, row: Mapping[Any, Any], of_run: Mapping[int, str]) -> str | None:
    """The run whose content a row is part of."""
    if table.name == "runs":
        return str(row["id"])
    cell = row["id"] if table.name == "cells" else row["cell_id"] if table.name == "aggregations" else None
    return None if cell is None else of_run[cell]


def _check_ended(ledger: Ledger, found: Collection[str]) -> None:
    with ledger.read() as connection:
        query = select(runs.c.id).where(runs.c.status == "running").order_by(runs.c.created_at)
        asking = [run for run in connection.execute(query).scalars() if run in found]
    if asking:
        raise DriftgateError(
            f"run {asking[-1]}, which has it, is called running",
            "stop it, or wait until it has ended; one that was killed ends with driftgate bench --resume",
        )


def _begin(ledger: Ledger, sought: Sought, who: str, at: datetime) -> int:
    row = {"at": at, "who": who, "what": sought.what, "subject": sought.subject, "counts": {}}
    with ledger.write() as connection:
        added = connection.execute(insert(forgettings).values(**row))
        assert added.inserted_primary_key is not None
        return int(added.inserted_primary_key[0])


def _forget_replies(ledger: Ledger, needles: Needles, said: Collection[str], of: Collection[str], *, dry: bool) -> int:
    """Remove cached replies that have a text that is looked for, and those of some runs that say what was said."""
    with forgetting(ledger) as connection:
        query = select(replies.c.key, replies.c.reply, replies.c.run_id).execution_options(yield_per=_CHUNK)
        gone = []
        for row in connection.execute(query):
            own = (row.run_id is None or row.run_id in of) and isinstance(row.reply, dict)
            if needles.in_value(row.reply) or (own and row.reply.get("text") in said):
                gone.append(row.key)
        for start in range(0, 0 if dry else len(gone), _CHUNK):
            connection.execute(delete(replies).where(replies.c.key.in_(gone[start : start + _CHUNK])))
    return len(gone)


def _forget_samples(connection: Connection, sought: Sought, at: datetime) -> None:
    """The text of samples goes; what they are known and paired by stays."""
    ids = sorted(sought.samples)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        query = select(samples.c.id, samples.c.data, samples.c.upstream_id)
        changed = []
        for row in connection.execute(query.where(samples.c.id.in_(part))).all():
            known_by = f"{FORGOTTEN} {row.id}" if sought.needles.in_text(row.upstream_id) else row.upstream_id
            changed.append({"of": row.id, "data": without_texts(row.data, FORGOTTEN), "to_id": known_by})
        values: dict[str, Any] = {
            "data": bindparam("data"),
            "upstream_id": bindparam("to_id"),
        }
        connection.execute(update(samples).where(samples.c.id == bindparam("of")).values(values), changed)
        insert_new(connection, expired_samples, [{"sample_id": one, "at": at} for one in part])
    clusters = connection.execute(select(samples.c.cluster, samples.c.id).where(samples.c.cluster != "")).all()
    first: dict[str, int] = {}
    for cluster, sample_id in clusters:
        if sought.what == "matching" and sought.needles.in_text(cluster):
            first[cluster] = min(first.get(cluster, sample_id), sample_id)
    for cluster, sample_id in first.items():
        named = update(samples).where(samples.c.cluster == cluster)
        connection.execute(named.values(cluster=f"{FORGOTTEN} {sample_id}"))


def _counted(
    ledger: Ledger,
    sought: Sought,
    lines: Mapping[int, Collection[int]],
    of_runs: Collection[str],
    cached: int,
    other: _Others,
) -> Forgotten:
    rows: dict[str, int] = {}
    for change in other.changes:
        rows[change.table.name] = rows.get(change.table.name, 0) + 1
    with ledger.read() as connection:
        known = set(connection.execute(select(expired_samples.c.sample_id)).scalars())
    return Forgotten(
        len(sought.samples - known), sum(map(len, lines.values())), len(of_runs), cached, rows, dict(other.named)
    )
