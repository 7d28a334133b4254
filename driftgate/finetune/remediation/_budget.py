"""What a repair may take, and what it has taken so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, and_, func, select, update

from driftgate.flows.amounts import Amount, Count, Number
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

_spending = Table(
    "remediation_spending",
    metadata,
    Column("remediation_id", String(64), primary_key=True),
    Column("what", String(64), primary_key=True),  # synthesis, training, proof
    Column("calls", Integer, nullable=False),
    Column("money", Float),  # NULL: not known
    Column("hours", Float, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


class BudgetConfig(BaseModel):
    """What a repair may take at most. Where a limit is reached it is abandoned, with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    money: Amount | None = None
    """What its requests to models may cost, in the currency of their prices; a model without a price is not asked. What
    a service asks for training is not known and not in it: ``gpu_hours`` bounds that."""
    calls: Count | None = None
    """Requests to models: those of the synthesis one by one, those of the choice and of the proof before they begin."""
    gpu_hours: Amount | None = None
    """Hours of training, from submission to its end, times the machines it takes; a service's queue counts too. The job
    is cancelled where its trainer can."""
    days: Annotated[float, Number] = Field(30.0, gt=0, le=3650)
    """Days from opening to promotion; whoever is to approve counts too."""
    failing_nights: Annotated[int, Number] = Field(3, ge=1, le=100)
    """Nights in a row after which a step that fails again and again is given up: a quota that is spent, a token that
    has expired, a service that is gone."""
    cool_down_hours: Annotated[float, Number] = Field(20.0, ge=0, le=24 * 365)
    """Hours after the end of a champion's repair in which no other one of that champion is opened."""


@dataclass(frozen=True)
class Spent:
    """What a remediation has taken."""

    calls: int = 0
    """Requests to models that were made, or reserved by a process that was killed."""
    money: float | None = 0.0
    """What they cost; None where that is not known of one."""
    hours: float = 0.0
    """Hours of training."""


def spent(ledger: Ledger, remediation_id: str, *, beside: str = "") -> Spent:
    """What a remediation has taken so far.

    Parameters
    ----------
    beside : str
        Leave out what was taken for this.
    """
    create_tables(ledger, metadata)
    here = and_(_spending.c.remediation_id == remediation_id, _spending.c.what != beside)
    known = func.count(_spending.c.money)
    query = select(
        func.coalesce(func.sum(_spending.c.calls), 0),
        func.coalesce(func.sum(_spending.c.money), 0.0),
        func.coalesce(func.sum(_spending.c.hours), 0.0),
        func.count() - known,
    ).where(here)
    with ledger.read() as connection:
        calls, money, hours, unknown = connection.execute(query).one()
    return Spent(int(calls), None if unknown else float(money), float(hours))


def set_spent(ledger: Ledger, remediation_id: str, what: str, taken: Spent) -> None:
    """Keep what was taken for something, in all."""
    create_tables(ledger, metadata)
    values = {"calls": taken.calls, "money": taken.money, "hours": taken.hours, "at": datetime.now(UTC)}
    here = and_(_spending.c.remediation_id == remediation_id, _spending.c.what == what)
    with ledger.write() as connection:
        insert_new(connection, _spending, [{"remediation_id": remediation_id, "what": what, **values}])
        connection.execute(update(_spending).where(here).values(**values))


def spent_on(ledger: Ledger, remediation_id: str, what: str) -> Spent:
    """What was taken for something."""
    create_tables(ledger, metadata)
    here = and_(_spending.c.remediation_id == remediation_id, _spending.c.what == what)
    with ledger.read() as connection:
        row = connection.execute(select(_spending).where(here)).one_or_none()
    return Spent() if row is None else Spent(row.calls, row.money, row.hours)
