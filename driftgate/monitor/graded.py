"""What evaluators said of calls of production, kept in the ledger without the texts: each call graded once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Float, Integer, MetaData, String, Table, and_, delete, func, or_, select

from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

ATTEMPTS = 3
"""How often a call is graded that the judge could not grade; after that it stays without a grade."""

_AT_ONCE = 200
"""Calls that one statement names."""

metadata = MetaData()

_graded = Table(
    "graded_calls",
    metadata,
    Column("monitor", String(128), primary_key=True),
    Column("pin", String(32), primary_key=True),
    Column("trace_id", String(64), primary_key=True),
    Column("span_id", String(32), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("time", UtcDateTime, nullable=False, index=True),
    Column("slice", String(256), nullable=False),
    Column("values", JSON, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("cost", Float),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class GradedCall:
    """One call, and what evaluators said of it in one attempt."""

    monitor: str
    pin: str
    """Of the evaluators: others grade anew."""
    trace_id: str
    span_id: str
    attempt: int
    """From 1."""
    time: datetime
    """Of the call."""
    slice: str
    values: Mapping[str, float]
    """By signal; one that an evaluator could not give is not there."""
    errors: Mapping[str, str]
    """By evaluator, why it gave nothing."""
    cost: float | None
    """None where it is not known."""
    at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """The call's identity."""
        return self.trace_id, self.span_id

    @property
    def done(self) -> bool:
        """Whether it is not graded again."""
        return not self.errors or self.attempt >= ATTEMPTS


def keep_graded(ledger: Ledger, row: GradedCall) -> None:
    """Keep what was said of a call; what was kept before stays as it was."""
    create_tables(ledger, metadata)
    plain: dict[str, Any] = asdict(row) | {"values": dict(row.values), "errors": dict(row.errors)}
    with ledger.write() as connection:
        insert_new(connection, _graded, [plain])


def graded_between(ledger: Ledger, monitor: str, pin: str, start: datetime, end: datetime) -> list[GradedCall]:
    """The last attempt at each call of a period, in order of time."""
    create_tables(ledger, metadata)
    query = (
        select(_graded)
        .where(_graded.c.monitor == monitor, _graded.c.pin == pin)
        .where(_graded.c.time >= start, _graded.c.time < end)
        .order_by(_graded.c.time, _graded.c.attempt)
    )
    last: dict[tuple[str, str], GradedCall] = {}
    with ledger.read() as connection:
        for found in connection.execute(query):
            row = GradedCall(**found._mapping)
            last[row.key] = row
    return list(last.values())


def forget_graded(ledger: Ledger, keys: Collection[tuple[str, str]], *, dry: bool = False) -> int:
    """Remove what was said of calls, by trace and span, or count it; returns the number of grades."""
    create_tables(ledger, metadata)
    wanted, count = sorted(keys), 0
    with ledger.read() if dry else ledger.write() as connection:
        for begin in range(0, len(wanted), _AT_ONCE):
            some = wanted[begin : begin + _AT_ONCE]
            theirs = or_(*(and_(_graded.c.trace_id == trace, _graded.c.span_id == span) for trace, span in some))
            if dry:
                count += connection.execute(select(func.count()).select_from(_graded).where(theirs)).scalar_one()
            else:
                count += connection.execute(delete(_graded).where(theirs)).rowcount
    return count
