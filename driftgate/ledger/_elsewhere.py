"""Outcomes of a run that another ledger recorded: taken out of it sample by sample, and added to the run's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._asked import models_asked
from driftgate.ledger._cells import cells_of
from driftgate.ledger._insert import insert_many, insert_new
from driftgate.ledger._left_out import has_replies, left_out_of
from driftgate.ledger._outcomes import moved_lines
from driftgate.ledger._schema import (
    asked,
    asked_models,
    cells,
    evaluated_lines,
    evaluations,
    left_out,
    node_outputs,
    outcomes,
    samples,
)
from driftgate.ledger._store import Ledger

_PARTS: Mapping[str, Table] = {one.name: one for one in (outcomes, node_outputs, evaluations, evaluated_lines)}
_PLACE = ("cell_id", "sample_id", "round")
_TIME = "finished_at"


@dataclass(frozen=True, slots=True)
class LineAt:
    """Where a line stands in a run, in whichever ledger."""

    cell: int
    """Place of the cell in the run."""
    key: str
    """The sample's."""
    round: int


@dataclass(frozen=True)
class TakenLine:
    """Everything about one sample in one cell, without the numbers that its ledger gave to either."""

    at: LineAt
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    """By table: its rows without the columns that say where they belong."""


@dataclass(frozen=True)
class TakenCell:
    """How the models of a cell were asked."""

    cell: int
    asked: Sequence[str]
    """Models that its lines asked."""
    without: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By model: the parameters it was asked without, and what its service said of each."""


def take_lines(ledger: Ledger, run_id: str, but: Collection[LineAt] = frozenset()) -> Iterator[TakenLine]:
    """What is recorded of a run that goes on, in JSON's types, but for some lines of it."""
    for cell in cells_of(ledger, run_id):
        with ledger.read() as connection:
            keys = {number: key for key, number in _samples(connection, cell.id).items()}
            found: dict[LineAt, dict[str, list[dict[str, Any]]]] = {}
            for name, table in _PARTS.items():
                for row in connection.execute(select(table).where(table.c.cell_id == cell.id)).mappings():
                    at = LineAt(cell.ordinal, keys[row["sample_id"]], row["round"])
                    if at not in but:
                        values = {column: value for column, value in row.items() if column not in _PLACE}
                        if _TIME in values:
                            values[_TIME] = values[_TIME].isoformat()
                        found.setdefault(at, {}).setdefault(name, []).append(values)
        yield from (TakenLine(at, rows) for at, rows in found.items())


def take_cells(ledger: Ledger, run_id: str) -> list[TakenCell]:
    """How the models of a run's cells were asked so far."""
    found = []
    for cell in cells_of(ledger, run_id):
        with ledger.read() as connection:
            query = select(left_out.c.model, left_out.c.parameter, left_out.c.words).where(
                left_out.c.cell_id == cell.id
            )
            without: dict[str, dict[str, str]] = {}
            for model, parameter, words in connection.execute(query):
                without.setdefault(model, {})[parameter] = words
            found.append(TakenCell(cell.ordinal, models_asked(connection, cell.id), without))
    return found


def add_taken(ledger: Ledger, run_id: str, said: Sequence[TakenCell], lines: Sequence[TakenLine]) -> None:
    """Add to a run what another ledger recorded of it, all or nothing; what is there already is left as it is.

    Raises
    ------
    DriftgateError
        A line is of no sample that the run asks, or has other columns; a model was asked otherwise than here; the run
        was expired meanwhile, or the ledger refuses.
    """
    _check_alike(ledger, run_id, said)
    with ledger.write() as connection:
        of_run = select(cells.c.ordinal, cells.c.id).where(cells.c.run_id == run_id)
        ids = {row.ordinal: row.id for row in connection.execute(of_run)}
        moved = moved_lines(connection, sorted(ids.values()))
        known = {ordinal: _samples(connection, cell_id) for ordinal, cell_id in ids.items()}
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _PARTS}
        for line in lines:
            if line.at.key not in known.get(line.at.cell, {}):
                raise _strange(run_id, f"a sample {line.at.key[:40]!r} that the run does not ask")
            place = (ids[line.at.cell], known[line.at.cell][line.at.key], line.at.round)
            if place in moved:
                continue
            if set(line.rows) - set(_PARTS) or len(line.rows.get(outcomes.name, ())) != 1:
                raise _strange(run_id, f"a line of sample {line.at.key[:40]!r} without one outcome")
            for name, given in line.rows.items():
                rows[name] += [_values(run_id, _PARTS[name], place, one) for one in given]
        for name, table in _PARTS.items():
            insert_many(connection, table, tuple(column.name for column in table.c), rows[name])
        now = datetime.now(UTC)
        for cell in said:
            models = [{"cell_id": ids[cell.cell], "model": model} for model in cell.asked]
            insert_new(connection, asked_models, models)
            refused = [
                {"cell_id": ids[cell.cell], "model": model, "parameter": name, "words": words, "at": now}
                for model, parameters in cell.without.items()
                for name, words in parameters.items()
            ]
            insert_new(connection, left_out, refused)


def _samples(connection: Connection, cell_id: int) -> dict[str, int]:
    """The samples asked for in a cell, by their keys."""
    query = select(samples.c.key, samples.c.id).join(asked, asked.c.sample_id == samples.c.id)
    return {row.key: row.id for row in connection.execute(query.where(asked.c.cell_id == cell_id))}


def _values(run_id: str, table: Table, place: tuple[int, int, int], row: Mapping[str, Any]) -> tuple[Any, ...]:
    own = dict(zip(_PLACE, place, strict=True))
    if set(row) != {column.name for column in table.c} - set(_PLACE):
        raise _strange(run_id, f"a row of {table.name} with other columns than here")
    values = {**row, **own}
    if _TIME in values:
        values[_TIME] = datetime.fromisoformat(values[_TIME])
    return tuple(values[column.name] for column in table.c)


def _check_alike(ledger: Ledger, run_id: str, said: Sequence[TakenCell]) -> None:
    """Refuse replies of a model that was asked otherwise: they would be scored as one."""
    ids = {cell.ordinal: cell.id for cell in cells_of(ledger, run_id)}
    for cell in said:
        if cell.cell not in ids:
            raise _strange(run_id, f"a cell {cell.cell} that the run does not have")
        cell_id = ids[cell.cell]
        if not has_replies(ledger, cell_id):
            continue
        known = left_out_of(ledger, cell_id)
        with ledger.read() as connection:
            before = set(models_asked(connection, cell_id))
        for model in before & set(cell.asked):
            if changed := known.get(model, frozenset()) ^ cell.without.get(model, {}).keys():
                raise DriftgateError(
                    f"model '{model}' was asked with '{', '.join(sorted(changed))}' and without it in one cell: its "
                    "service changed",
                    "begin a new run",
                )


def _strange(run_id: str, what: str) -> DriftgateError:
    return DriftgateError(f"what was recorded elsewhere of run {run_id} has {what}", "begin a new run")
