"""Looks, their results and their alerts, kept in the ledger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    case,
    desc,
    func,
    select,
)

from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new
from driftgate.monitor.alert import Alert
from driftgate.monitor.blindness import Blindness

Result = Literal["reference", "quiet", "inconclusive", "unmeasurable", "moved"]
GRAVITY: tuple[Result, ...] = ("reference", "quiet", "inconclusive", "unmeasurable", "moved")
"""From the best to the worst."""
EXIT_CODES: Mapping[Result, int] = {"reference": 0, "quiet": 0, "moved": 1, "inconclusive": 3, "unmeasurable": 4}
"""Exit code of ``driftgate monitor check`` by result; 2 is an error."""

Subject = Literal["canaries", "traffic", "prompts", "answers"]
"""What was looked at: answers to canaries, production's telemetry, prompts in other forms, graded answers."""
_TRAFFIC = "traffic-"
"""What the key of a look at traffic begins with; a look at canaries goes by its run."""
_BY_KEY: Mapping[str, Subject] = {_TRAFFIC: "traffic", "prompts-": "prompts", "answers-": "answers"}
"""What was looked at, by what the look's key begins with."""

metadata = MetaData()

_looks = Table(
    "looks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor", String(128), nullable=False, index=True),
    Column("champion", String(128), nullable=False),
    Column("run_id", String(200), nullable=False, unique=True),
    Column("number", Integer, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

_results = Table(
    "look_results",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("result", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
)

_blindness = Table(
    "look_blindness",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("blindness", String(32), nullable=False),
)

_references = Table(
    "look_references",
    metadata,
    Column("monitor", String(128), primary_key=True),
    Column("champion", String(128), primary_key=True),
    Column("run_ids", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

_alerts = Table(
    "alerts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("monitor", String(128), nullable=False, index=True),
    Column("alert", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


_TOLD = ("result", "reason", "remedy", "blindness")
"""What a conclusion is kept as."""


@dataclass(frozen=True)
class Conclusion:
    """What a look comes to, and why."""

    result: Result
    reason: str = ""
    """What was found and what was expected; empty where the result says it all."""
    remedy: str = ""
    """What to do next."""
    blindness: Blindness | None = None
    """What the look lacked, of one that is inconclusive or unmeasurable; None of any other, and of looks that were
    kept before it was named."""

    @property
    def why(self) -> str:
        """Reason and remedy in one."""
        return "; ".join(filter(None, (self.reason, self.remedy)))


@dataclass(frozen=True)
class LookRow:
    """A look as the ledger holds it."""

    id: int
    monitor: str
    champion: str
    """Of canaries the champion as it was put in place, of traffic the model that was asked for."""
    run_id: str
    number: int
    """Which comparison with its reference this is, from 1; 0 where nothing was compared."""
    findings: Sequence[Mapping[str, Any]]
    at: datetime
    conclusion: Conclusion | None
    """None of a look that was made before results were kept."""

    @property
    def of(self) -> Subject:
        """What was looked at."""
        return next((of for begin, of in _BY_KEY.items() if self.run_id.startswith(begin)), "canaries")


@dataclass(frozen=True)
class Told:
    """What a look came to, without what it found."""

    run_id: str
    result: Result
    at: datetime


@dataclass(frozen=True)
class AlertRow:
    """An alert as the ledger holds it."""

    monitor: str
    alert: Alert
    at: datetime


def keep_look(ledger: Ledger, row: LookRow, alerts: Sequence[Alert] = ()) -> LookRow:
    """Keep a look with its result and its alerts, all or nothing; a run that was looked at before stays as it was."""
    assert row.conclusion is not None
    look = {name: getattr(row, name) for name in ("monitor", "champion", "run_id", "number", "findings", "at")}
    result = {"run_id": row.run_id, **{n: getattr(row.conclusion, n) for n in ("result", "reason", "remedy")}}
    raised = [{"key": a.key, "monitor": row.monitor, "alert": a.to_json(), "at": row.at} for a in alerts]
    create_tables(ledger, metadata)
    with ledger.write() as connection:
        if (kept := _look_at(connection, row.run_id)) is not None:
            return kept
        insert_new(connection, _looks, [look])
        insert_new(connection, _results, [result])
        if row.conclusion.blindness is not None:
            insert_new(connection, _blindness, [{"run_id": row.run_id, "blindness": row.conclusion.blindness}])
        insert_new(connection, _alerts, raised)
        kept = _look_at(connection, row.run_id)
    assert kept is not None
    return kept


def find_look(ledger: Ledger, run_id: str) -> LookRow | None:
    """The look at a run, if there was one."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        return _look_at(connection, run_id)


def looks_of(ledger: Ledger, monitor: str | None = None, limit: int = 1000) -> list[LookRow]:
    """Looks, the newest first; of one monitor or of all."""
    create_tables(ledger, metadata)
    query = _select_looks().order_by(desc(_looks.c.id)).limit(limit)
    if monitor is not None:
        query = query.where(_looks.c.monitor == monitor)
    with ledger.read() as connection:
        return [_row(row) for row in connection.execute(query)]


def looks_not_in(ledger: Ledger, noted: Column[str]) -> list[LookRow]:
    """Looks whose key does not stand in a column of another table, the oldest first."""
    create_tables(ledger, metadata)
    query = _select_looks().where(_looks.c.run_id.not_in(select(noted))).order_by(_looks.c.id)
    with ledger.read() as connection:
        return [_row(row) for row in connection.execute(query)]


def results_before(connection: Connection, look: LookRow, limit: int = 1000) -> Iterator[Told]:
    """What a look and those before it at the same thing came to, this one first."""
    query = (
        select(_looks.c.run_id, _results.c.result, _looks.c.at)
        .join(_results, _results.c.run_id == _looks.c.run_id)
        .where(_looks.c.monitor == look.monitor, _looks.c.id <= look.id, _of() == look.of)
        .order_by(desc(_looks.c.id))
        .limit(limit)
    )
    return (Told(**row._mapping) for row in connection.execute(query))


def alerts_at(connection: Connection, look: LookRow) -> list[Alert]:
    """The alerts that were kept with a look."""
    query = select(_alerts.c.alert).where(_alerts.c.monitor == look.monitor, _alerts.c.at == look.at)
    return [Alert.from_json(plain) for plain in connection.execute(query.order_by(_alerts.c.key)).scalars()]


def latest_looks(ledger: Ledger, *, good: bool = False) -> list[LookRow]:
    """The newest look of every monitor at each thing that it looks at.

    Parameters
    ----------
    good : bool
        Only looks that could tell whether anything moved, or became the reference.
    """
    create_tables(ledger, metadata)
    newest = select(func.max(_looks.c.id)).group_by(_looks.c.monitor, _of())
    if good:
        told = select(_results.c.run_id).where(_results.c.result.in_(("reference", "quiet", "moved")))
        newest = newest.where(_looks.c.run_id.in_(told))
    with ledger.read() as connection:
        return [_row(row) for row in connection.execute(_select_looks().where(_looks.c.id.in_(newest)))]


def looks_by_result(ledger: Ledger) -> dict[tuple[str, str], int]:
    """How many looks of each monitor came to each result; of those before results were kept, ``not recorded``."""
    create_tables(ledger, metadata)
    result = func.coalesce(_results.c.result, "not recorded")
    joined = _looks.outerjoin(_results, _results.c.run_id == _looks.c.run_id)
    query = select(_looks.c.monitor, result, func.count()).select_from(joined).group_by(_looks.c.monitor, result)
    with ledger.read() as connection:
        return {(monitor, found): count for monitor, found, count in connection.execute(query)}


def first_quiet(ledger: Ledger, monitor: str, champion: str, periods: float = 0.0) -> LookRow | None:
    """The first look at traffic that found nothing moved, of those whose reference had so many periods with calls.

    Looks that were kept before periods were counted have enough.
    """
    create_tables(ledger, metadata)
    query = (
        _select_looks()
        .where(_looks.c.monitor == monitor, _looks.c.champion == champion, _looks.c.run_id.startswith(_TRAFFIC))
        .where(_results.c.result == "quiet")
        .order_by(_looks.c.at, _looks.c.id)
    )
    with ledger.read() as connection:
        looks = (_row(row) for row in connection.execution_options(yield_per=100).execute(query))
        return next((look for look in looks if _periods(look) >= periods), None)


def _periods(look: LookRow) -> float:
    """How many periods the reference of a look at traffic had."""
    evidence = [finding["everywhere"] for finding in look.findings if "everywhere" in finding]
    if not any("days" in found for found in evidence):
        return math.inf
    return float(max((found.get("days") or 0 for found in evidence), default=0))


def comparisons_made(ledger: Ledger, monitor: str, champion: str) -> int:
    """How often the canaries of a champion were compared with their reference, however long ago."""
    create_tables(ledger, metadata)
    query = select(_looks.c.number).where(_compared(monitor, champion)).order_by(desc(_looks.c.id)).limit(1)
    with ledger.read() as connection:
        return int(connection.execute(query).scalar_one_or_none() or 0)


def runs_to_pool(
    ledger: Ledger, monitor: str, champion: str, limit: int, *, before: int | None = None
) -> tuple[str, ...]:
    """The runs of the last looks that measured a champion's canaries and compared them, the oldest first.

    Parameters
    ----------
    before : int, optional
        The id of a look; only those that came before it.
    """
    create_tables(ledger, metadata)
    query = _pooled(select(_looks.c.run_id), monitor, champion, before).order_by(desc(_looks.c.id)).limit(limit)
    with ledger.read() as connection:
        return tuple(reversed(connection.execute(query).scalars().all()))


def first_compared(
    ledger: Ledger, monitor: str, champion: str, limit: int, *, before: int | None = None
) -> list[tuple[str, Result]]:
    """The runs and results of the first looks that measured a champion's canaries and compared them, the oldest first.

    Parameters
    ----------
    before : int, optional
        The id of a look; only those that came before it.
    """
    create_tables(ledger, metadata)
    query = _pooled(select(_looks.c.run_id, _results.c.result), monitor, champion, before)
    with ledger.read() as connection:
        return [(row.run_id, row.result) for row in connection.execute(query.order_by(_looks.c.id).limit(limit))]


def _pooled(query: Select[Any], monitor: str, champion: str, before: int | None) -> Select[Any]:
    """Only looks that measured canaries and compared them."""
    query = query.join(_results, _results.c.run_id == _looks.c.run_id).where(
        _compared(monitor, champion), _results.c.result.in_(("quiet", "inconclusive", "moved"))
    )
    return query if before is None else query.where(_looks.c.id < before)


def _compared(monitor: str, champion: str) -> ColumnElement[bool]:
    return and_(_looks.c.monitor == monitor, _looks.c.champion == champion, _looks.c.number > 0)


def reference_candidates(
    ledger: Ledger, monitor: str, champion: str, *, results: Sequence[Result] = ("reference",)
) -> list[LookRow]:
    """The looks that may become the reference of a champion, the first ones first."""
    create_tables(ledger, metadata)
    query = (
        _select_looks()
        .where(_looks.c.monitor == monitor, _looks.c.champion == champion, _looks.c.number == 0)
        .where(func.coalesce(_results.c.result, "reference").in_(results))
        .order_by(_looks.c.id)
    )
    with ledger.read() as connection:
        return [_row(row) for row in connection.execute(query)]


def pinned_reference(ledger: Ledger, monitor: str, champion: str) -> tuple[str, ...]:
    """The runs that a champion's canaries are compared with; empty while they are not pinned."""
    create_tables(ledger, metadata)
    here = and_(_references.c.monitor == monitor, _references.c.champion == champion)
    with ledger.read() as connection:
        return tuple(connection.execute(select(_references.c.run_ids).where(here)).scalar_one_or_none() or ())


def pin_reference(ledger: Ledger, monitor: str, champion: str, run_ids: Sequence[str]) -> tuple[str, ...]:
    """Pin the runs that a champion's canaries are compared with from now on; what is pinned stays pinned."""
    create_tables(ledger, metadata)
    row = {"monitor": monitor, "champion": champion, "run_ids": list(run_ids), "at": datetime.now(UTC)}
    with ledger.write() as connection:
        insert_new(connection, _references, [row])
    return pinned_reference(ledger, monitor, champion)


def alerts_of(ledger: Ledger, monitor: str | None = None, limit: int = 100) -> list[AlertRow]:
    """Alerts, the newest first; of one monitor or of all."""
    create_tables(ledger, metadata)
    query = select(_alerts).order_by(desc(_alerts.c.at)).limit(limit)
    if monitor is not None:
        query = query.where(_alerts.c.monitor == monitor)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [AlertRow(row.monitor, Alert.from_json(row.alert), row.at) for row in rows]


def gravest(results: Sequence[Result]) -> Result:
    """The result of several looks together.

    Examples
    --------
    >>> gravest(["quiet", "moved", "unmeasurable"]), gravest(["reference", "quiet"])
    ('moved', 'quiet')
    """
    return max(results, key=GRAVITY.index)


def _of() -> ColumnElement[str]:
    """What a look looked at, as the database tells it."""
    return case(*((_looks.c.run_id.startswith(begin), name) for begin, name in _BY_KEY.items()), else_="canaries")


def _select_looks() -> Select[Any]:
    told = _looks.outerjoin(_results, _results.c.run_id == _looks.c.run_id)
    told = told.outerjoin(_blindness, _blindness.c.run_id == _looks.c.run_id)
    return select(_looks, *(_results.c[name] for name in _TOLD[:3]), _blindness.c.blindness).select_from(told)


def _look_at(connection: Connection, run_id: str) -> LookRow | None:
    found = connection.execute(_select_looks().where(_looks.c.run_id == run_id)).one_or_none()
    return None if found is None else _row(found)


def _row(found: Any) -> LookRow:
    values = dict(found._mapping)
    told = [values.pop(name) for name in _TOLD]
    return LookRow(**values, conclusion=None if told[0] is None else Conclusion(*told))
