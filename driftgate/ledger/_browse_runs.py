"""Runs as a person looks through them, and how one that is under way goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from driftgate.ledger._cells import CellRow, cells_of
from driftgate.ledger._not_needed import NOT_NEEDED
from driftgate.ledger._runs import RunRow, find_run
from driftgate.ledger._schema import asked, cells, outcomes, runs, samples, scores, verdicts
from driftgate.ledger._store import Ledger

_GRAVITY = ("pass", "inconclusive", "unmeasurable", "fail")
_RATE_OVER = timedelta(seconds=60)
STALLED = "stalled"
"""How a run stands that is said to go on and gives nothing any more."""
_STALLS_AFTER, _BATCH_STALLS_AFTER = timedelta(minutes=5), timedelta(hours=26)
"""After how long without an answer; a service may take a day for a batch."""
_NEWEST = 8
"""Errors that are shown of a run under way."""


def browse_runs(now: datetime | None = None) -> Select[Any]:
    """All runs, as a query that is narrowed, ordered and cut by who shows them; one that has stalled is ``stalled``.

    Returns
    -------
    Select
        ``run``, ``suite``, ``kind``, ``status``, ``reason``, ``began``, ``finished`` and ``verdict``: the gravest of
        each gate's newest; empty where no gate judged it.
    """
    later = verdicts.alias()
    newest = select(func.max(later.c.id)).where(later.c.run_id == verdicts.c.run_id, later.c.gate == verdicts.c.gate)
    rank = case({name: place for place, name in enumerate(_GRAVITY)}, value=verdicts.c.verdict, else_=len(_GRAVITY))
    gravest = (
        select(func.max(rank))
        .where(verdicts.c.run_id == runs.c.id, verdicts.c.id == newest.scalar_subquery())
        .scalar_subquery()
    )
    verdict = case(dict(enumerate(_GRAVITY)), value=gravest, else_="")
    return select(
        runs.c.id.label("run"),
        runs.c.suite,
        runs.c.kind,
        _standing(now or datetime.now(UTC)).label("status"),
        runs.c.reason,
        runs.c.created_at.label("began"),
        runs.c.finished_at.label("finished"),
        verdict.label("verdict"),
    )


def _last() -> ColumnElement[Any]:
    """When a run gave something last, or began."""
    newest = select(func.max(outcomes.c.finished_at)).join(cells, cells.c.id == outcomes.c.cell_id)
    return func.coalesce(newest.where(cells.c.run_id == runs.c.id).scalar_subquery(), runs.c.created_at)


def _standing(now: datetime) -> ColumnElement[Any]:
    """A run's status; ``stalled`` where its process is likely gone, as nobody is left to say so."""
    batched = exists().where(cells.c.run_id == runs.c.id, cells.c.details["delivery"].as_string() == "batch")
    late = or_(_last() < now - _BATCH_STALLS_AFTER, and_(_last() < now - _STALLS_AFTER, ~batched))
    return case((and_(runs.c.status == "running", late), STALLED), else_=runs.c.status)


def as_they_stand(ledger: Ledger, rows: Iterable[RunRow], now: datetime | None = None) -> list[RunRow]:
    """Runs with what is true of those that are said to go on: one that gives nothing any more has stalled."""
    found = list(rows)
    going_on = [row.id for row in found if row.status == "running"]
    if not going_on:
        return found
    query = select(runs.c.id, _last().label("last"))
    with ledger.read() as connection:
        stalled = query.where(runs.c.id.in_(going_on), _standing(now or datetime.now(UTC)) == STALLED)
        lasts = {row.id: row.last for row in connection.execute(stalled)}
    return [row if row.id not in lasts else _stalled(row, lasts[row.id]) for row in found]


def _stalled(row: RunRow, last: datetime) -> RunRow:
    why = f"nothing came since {last:%Y-%m-%d %H:%M} UTC: its process may have died. {row.how_to_finish}"
    return replace(row, status=STALLED, reason=why)


@dataclass(frozen=True)
class CellScore:
    """A score of a cell of a run."""

    run_id: str
    began: datetime
    cell: CellRow
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int


def scores_of_runs(ledger: Ledger, run_ids: Sequence[str], metrics: Sequence[str]) -> list[CellScore]:
    """The newest whole scores of every cell of some runs, by run and cell."""
    columns = [scores.c[name] for name in ("metric", "value", "low", "high", "n")]
    query = (
        select(runs.c.id.label("run_id"), runs.c.created_at.label("began"), cells, scores.c.id.label("score"), *columns)
        .join(cells, cells.c.run_id == runs.c.id)
        .join(scores, scores.c.cell_id == cells.c.id)
        .where(runs.c.id.in_(run_ids), scores.c.slice_kind == "all", scores.c.metric.in_(metrics))
        .order_by(runs.c.created_at, cells.c.ordinal, scores.c.id)
    )
    found: dict[tuple[int, str], CellScore] = {}
    with ledger.read() as connection:
        for row in connection.execute(query):
            cell = CellRow(**{n: getattr(row, n) for n in CellRow.__dataclass_fields__ if n in cells.c})
            told = {name: getattr(row, name) for name in ("metric", "value", "low", "high", "n")}
            found[cell.id, row.metric] = CellScore(row.run_id, row.began, cell, **told)
    return list(found.values())


def outcome_counts(ledger: Ledger, cell: CellRow) -> dict[str, int]:
    """How many samples of a cell have each outcome at their last ask; ``missing`` where nothing came."""
    newest = select(outcomes.c.sample_id, func.max(outcomes.c.round).label("round")).where(
        outcomes.c.cell_id == cell.id
    )
    with ledger.read() as connection:
        again = connection.execute(
            select(outcomes.c.round).where(outcomes.c.cell_id == cell.id, outcomes.c.round > 0).limit(1)
        ).first()
        query = select(outcomes.c.outcome, func.count()).where(outcomes.c.cell_id == cell.id)
        if again is not None:
            last = newest.group_by(outcomes.c.sample_id).subquery()
            query = query.join(last, and_(last.c.sample_id == outcomes.c.sample_id, last.c.round == outcomes.c.round))
        found = {str(name): int(n) for name, n in connection.execute(query.group_by(outcomes.c.outcome))}
        total = int(
            connection.execute(select(func.count()).select_from(asked).where(asked.c.cell_id == cell.id)).scalar_one()
        )
    found.pop(NOT_NEEDED, None)
    missing = total - cell.not_needed - sum(found.values())
    return found | ({"missing": missing} if missing > 0 else {})


@dataclass(frozen=True)
class CellProgress:
    """How far a cell of a run is."""

    cell_id: int
    name: str
    wanted: int
    """How many times a sample is to be asked."""
    outcomes: Mapping[str, int]
    """How many have come, by outcome."""
    cost: float
    """Of those whose cost is known."""
    cost_unknown: int
    """Those whose cost is not known; they were not free."""

    @property
    def done(self) -> int:
        """How many have come."""
        return sum(self.outcomes.values())


@dataclass(frozen=True)
class NewestError:
    """Something that went wrong in a run."""

    cell_id: int
    sample_id: int
    sample: str
    outcome: str
    error: str
    at: datetime


@dataclass(frozen=True)
class RunProgress:
    """How a run goes, whichever process works on it."""

    run_id: str
    status: str
    reason: str
    began: datetime
    at: datetime
    cells: Sequence[CellProgress]
    rate: float | None
    """Samples a second, over the last minute; None where nothing came in it."""
    last: datetime | None
    """When something last came."""
    errors: Sequence[NewestError]
    """The newest ones."""
    stalled: bool
    """Whether it is said to go on and has given nothing for so long that its process may have died."""

    @property
    def wanted(self) -> int:
        """How many times a sample is to be asked."""
        return sum(cell.wanted for cell in self.cells)

    @property
    def done(self) -> int:
        """How many have come."""
        return sum(cell.done for cell in self.cells)

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at the present rate; None where that is not known."""
        return None if not self.rate else max(0, self.wanted - self.done) / self.rate


def progress_of(ledger: Ledger, name: str, now: datetime | None = None) -> RunProgress:
    """How a run goes, read from what its process has written so far.

    Raises
    ------
    DriftgateError
        No run, or more than one, fits.
    """
    run: RunRow = find_run(ledger, name)
    at = now or datetime.now(UTC)
    found, recent, last = [], 0, None
    own = cells_of(ledger, run.id)
    with ledger.read() as connection:
        for cell in own:
            query = select(
                outcomes.c.outcome,
                func.count().label("n"),
                func.sum(outcomes.c.cost).label("cost"),
                func.sum(case((outcomes.c.cost.is_(None), 1), else_=0)).label("unknown"),
                func.sum(case((outcomes.c.finished_at >= at - _RATE_OVER, 1), else_=0)).label("recent"),
                func.max(outcomes.c.finished_at).label("last"),
            ).where(outcomes.c.cell_id == cell.id, outcomes.c.outcome != NOT_NEEDED)
            rows = connection.execute(query.group_by(outcomes.c.outcome)).all()
            wanted = select(func.count()).select_from(asked).where(asked.c.cell_id == cell.id)
            recent += sum(int(row.recent) for row in rows)
            moments = [row.last for row in rows if row.last is not None]
            last = max([*moments, *([last] if last is not None else [])], default=None)
            found.append(
                CellProgress(
                    cell.id,
                    cell.name,
                    int(connection.execute(wanted).scalar_one()) * cell.repeats - cell.not_needed,
                    {str(row.outcome): int(row.n) for row in rows},
                    float(sum(row.cost or 0.0 for row in rows)),
                    sum(int(row.unknown) for row in rows),
                )
            )
        errors = connection.execute(
            select(
                outcomes.c.cell_id,
                outcomes.c.sample_id,
                samples.c.upstream_id.label("sample"),
                outcomes.c.outcome,
                outcomes.c.error,
                outcomes.c.finished_at.label("at"),
            )
            .join(samples, samples.c.id == outcomes.c.sample_id)
            .where(outcomes.c.cell_id.in_([cell.id for cell in own]), outcomes.c.error != "")
            .order_by(outcomes.c.finished_at.desc())
            .limit(_NEWEST)
        ).all()
    over = min(_RATE_OVER.total_seconds(), max(1.0, (at - run.created_at).total_seconds()))
    return RunProgress(
        run.id,
        run.status,
        run.reason,
        run.created_at,
        at,
        found,
        recent / over if recent else None,
        last,
        [NewestError(**row._mapping) for row in errors],
        as_they_stand(ledger, [run], at)[0].status == STALLED,
    )
